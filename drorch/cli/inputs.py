"""`--set name=value`, as runbook verbs take it."""

from collections.abc import Sequence

import click

from drorch.core.errors import UsageError

SET = click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="An input of the runbook; may be given again.",
)


def inputs_of(settings: Sequence[str]) -> dict[str, str]:
    """The inputs by name; UsageError for one that is no pair."""
    found = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise UsageError(
                f"--set {setting}: no name and value", "write it like --set port=18080"
            )
        found[name] = value
    return found
