"""Core values as JSON and back, driven by their type hints; strict in both directions.

What is written is compact: a field that equals its default is left out. So the defaults of every
type that is kept anywhere are part of the format, and changing one changes what old journals say
(tests/unit/core/test_codec.py holds them).

    timedelta   seconds, as a number                  datetime   ISO 8601 in UTC, microseconds, Z
    Path        text                                  StrEnum    its word
    tuple       list                                  frozenset  sorted list
    dataclass   object; in a union of dataclasses its class name stands under "@"

Each type is compiled once to a function, so that an event costs microseconds.
"""

from collections.abc import Mapping
from typing import TypeVar, cast

from drorch.core import events
from drorch.core.decoding import NewerFormat, NotDecodable, decoder_of, parse
from drorch.core.encoding import canonical, encoder_of
from drorch.core.events import Event
from drorch.core.values import Value

__all__ = [
    "KINDS",
    "NewerFormat",
    "NotDecodable",
    "canonical",
    "decode",
    "decode_event",
    "encode",
    "encode_event",
    "parse",
]

T = TypeVar("T")

#: The words under which events are kept. They are never renamed: old journals hold them.
KINDS: Mapping[str, type[Event]] = {
    "run.started": events.RunStarted,
    "run.taken": events.RunTaken,
    "attempt.started": events.AttemptStarted,
    "attempt.finished": events.AttemptFinished,
    "attempt.lost": events.AttemptLost,
    "retry.scheduled": events.RetryScheduled,
    "step.skipped": events.StepSkipped,
    "step.given-up": events.StepGivenUp,
    "person.asked": events.PersonAsked,
    "person.answered": events.PersonAnswered,
    "step.settled": events.StepSettled,
    "retry.requested": events.RetryRequested,
    "skip.requested": events.SkipRequested,
    "run.paused": events.RunPaused,
    "run.continued": events.RunContinued,
    "abort.requested": events.AbortRequested,
    "fence.forced": events.FenceForced,
    "finding.recorded": events.FindingRecorded,
    "slot.taken": events.SlotTaken,
    "slots.missed": events.SlotsMissed,
    "jobs.seen": events.JobsSeen,
    "configuration.taken": events.ConfigurationTaken,
    "run.finished": events.RunFinished,
}
_KIND_OF = {event: kind for kind, event in KINDS.items()}


def encode(value: object) -> Value:
    """The JSON value of a core value, by its own type.

    Raises TypeError or ValueError when a field holds what its type does not allow.
    """
    return cast("Value", encoder_of(type(value))(value))


def decode(wanted: type[T], value: Value, *, tolerant: bool = False) -> T:
    """The core value of type `wanted`; raises NotDecodable, with the path to what is wrong.

    `tolerant` passes over fields this version does not know, for what a newer one wrote.
    """
    return cast("T", decoder_of(wanted, tolerant)(value))


def encode_event(event: Event) -> tuple[str, Value]:
    """An event's kind and its JSON value."""
    return _KIND_OF[type(event)], cast("Value", encoder_of(type(event))(event))


def decode_event(kind: str, value: Value, *, tolerant: bool = False) -> Event:
    """The event of that kind; raises NotDecodable, NewerFormat for a kind or field not known."""
    event = KINDS.get(kind)
    if event is None:
        raise NewerFormat(f"there is no event {kind!r}")
    return cast("Event", decoder_of(event, tolerant)(value))
