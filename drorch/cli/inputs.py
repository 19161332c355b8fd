"""What options take: `--set name=value` of runbook verbs, and moments."""

from collections.abc import Sequence
from datetime import datetime

import click

from drorch.core.errors import UsageError
from drorch.core.exercises import Participant, participant
from drorch.core.moment import parse_moment

SET = click.option(
    "--set",
    "--input",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="An input of the runbook; may be given again.",
)


#: How a run is carried where a person may be needed.
NO_WAIT = click.option(
    "--no-wait", is_flag=True, help="Leave when only a person is waited for (exit code 7)."
)
ASK = click.option(
    "--ask-on-failure",
    "ask",
    is_flag=True,
    help="A step that fails asks a person (try again, leave out, end) instead of ending the run.",
)


PARTICIPANT = click.option(
    "--participant",
    "people",
    metavar="'NAME, ROLE'",
    multiple=True,
    help="Somebody who takes part, for the report; may be given again.",
)


def participants_of(people: Sequence[str]) -> tuple[Participant, ...]:
    """Those who take part; UsageError if one names nobody."""
    try:
        return tuple(participant(one) for one in people)
    except ValueError as error:
        hint = "write it like --participant 'Marie Tremblay, incident lead'"
        raise UsageError(f"--participant: {error}", hint) from None


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


def moment_given(text: str, zone: str) -> datetime:
    """A moment as people write it; UsageError if it is none, or a day without a time."""
    from zoneinfo import ZoneInfo

    try:
        return parse_moment(text, ZoneInfo(zone))
    except ValueError:
        raise UsageError(
            f"{text!r} is not a time",
            f"write it like 2026-11-23T03:00 (a time in {zone}), or 2026-11-23T08:00:00Z",
        ) from None
