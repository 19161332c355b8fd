"""Secrets of a copy that was recovered as an exercise: those that were handed over, and no others.

The machine that it lies on counts as lost: its files, variables and programs are not asked.
"""

import json
from collections.abc import Mapping

from drorch.adapters.secrets import ConfiguredSecrets, SecretLook, describe
from drorch.core.errors import ConfigurationError, Problem
from drorch.core.model import Configuration, SecretSource
from drorch.ports import Commands

#: The variable of a child's environment that hands them over: JSON, value by name.
HANDED_OVER = "DRORCH_HANDED_OVER"


class HandedOver(ConfiguredSecrets):
    """`values` by the names of the configuration's secrets; see ports.Secrets."""

    def __init__(
        self,
        configuration: Configuration,
        commands: Commands,
        environment: Mapping[str, str],
        values: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(configuration, commands, environment)
        self._values = handed_over(environment) if values is None else dict(values)
        for value in self._values.values():
            self.hide(value)

    def look(self, name: str) -> SecretLook:
        """See ConfiguredSecrets.look."""
        source = self._sources.get(name)
        where = describe(source) if source is not None else ""
        try:
            self.get(name)
        except ConfigurationError as error:
            return SecretLook(name, where, False, error.message, error.hint)
        return SecretLook(name, where, True)

    def _read(self, name: str, source: SecretSource) -> str:
        if name in self._values:
            return self._values[name]
        problem = Problem(
            f"secret {name} counts as lost in this exercise ({describe(source)})",
            "after a loss somebody has to give it: keep it where the loss does not reach",
            ("secrets", name),
        )
        raise ConfigurationError([problem])


def handed_over(environment: Mapping[str, str]) -> dict[str, str]:
    """What the environment hands over, by names of secrets."""
    try:
        found = json.loads(environment.get(HANDED_OVER, "{}"))
    except ValueError:
        return {}
    return {str(n): str(v) for n, v in found.items()} if isinstance(found, dict) else {}
