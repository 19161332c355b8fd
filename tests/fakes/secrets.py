"""Secrets held in a dictionary."""

from collections.abc import Mapping

from drorch.core.errors import ConfigurationError, Problem


class FakeSecrets:
    """Gives what it holds; redacts what it gave."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})
        self._given: set[str] = set()

    def get(self, name: str, *, anew: bool = False) -> str:
        """The value; ConfigurationError for an unknown name."""
        if name not in self._values:
            raise ConfigurationError([Problem(f"secret {name} is not named", "add it")])
        self._given.add(self._values[name])
        return self._values[name]

    def redact(self, text: str) -> str:
        """The text without the values given so far."""
        for value in sorted(self._given, key=len, reverse=True):
            text = text.replace(value, "***")
        return text

    def hide(self, value: str) -> None:
        """Redact it, too."""
        self._given.add(value)
