"""What is said of other control planes of the same records: to people, and in documents."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from drorch.app.alarm import alarm
from drorch.app.plane.terms import in_charge_elsewhere
from drorch.app.program import Program
from drorch.core.alarms import AlarmWord
from drorch.core.document import rfc3339
from drorch.core.durations import format_duration
from drorch.core.terms import Fate, OtherSeen, TermBegun, leader, spoken_of
from drorch.core.values import Value

if TYPE_CHECKING:
    from drorch.app.plane.lookout import View

CLAIM = "drorch schedule claim --reason TEXT"


def held_by(view: "View | None") -> str:
    """Why nothing scheduled may begin, as a sentence's end; empty: it may."""
    found = view.leader if view is not None else None
    return f"{named(found)} is in charge" if found is not None else ""


def warning(program: Program) -> str:
    """What whoever works here by hand has to know; empty: nothing."""
    first = in_charge_elsewhere(program)
    if first is None:
        return ""
    return f"warning: {named(first)} is in charge, and does not know of what is done here"


def named(other: OtherSeen) -> str:
    """Which one it is."""
    what = "a copy of this very one" if other.clone else f"control plane {other.short}"
    return f"{what} on {other.host} (term {other.term})"


def alarms(
    own: TermBegun, others: Sequence[OtherSeen], now: datetime
) -> Iterator[dict[str, Value]]:
    """That another is in charge; or, on the side that is, that others may still work."""
    first = leader(own, others)
    if first is not None:
        yield _standing_back(first, now)
        return
    for one in others:
        if spoken_of(one, now):
            yield _in_charge(one, now)


def _split(other: OtherSeen, message: str, hint: str) -> dict[str, Value]:
    subject = f"control plane {other.short}"
    return alarm(AlarmWord.CONTROL_PLANE_SPLIT, subject, other.heard_at, message, hint)


def _standing_back(other: OtherSeen, now: datetime) -> dict[str, Value]:
    return _split(
        other,
        f"{named(other)} is in charge, {_heard(other, now)}: this one stands back, nothing scheduled "
        "begins here and nothing is deleted",
        f"if that is meant, stop this daemon; if this one is to work: {CLAIM}",
    )


def _in_charge(other: OtherSeen, now: datetime) -> dict[str, Value]:
    if other.clone and other.fate is not Fate.ALIVE:
        return _put_back(other, now)
    return _split(
        other,
        f"this one is in charge; {named(other)} {_lives(other, now)}",
        f"stop its daemon on {other.host}; while it lives nothing is deleted here"
        if other.fate is Fate.ALIVE
        else f"make sure that its daemon on {other.host} is dead, or that the machine is",
    )


def _put_back(other: OtherSeen, now: datetime) -> dict[str, Value]:
    return _split(
        other,
        f"{format_duration(now - other.heard_at)} ago a daemon on {other.host} had records of this very "
        "control plane that are not in this journal: it was put back to an earlier state, or is a copy",
        f"see what it lacks: drorch recover into another folder; if this one is right: {CLAIM}",
    )


def _lives(other: OtherSeen, now: datetime) -> str:
    if other.fate is not Fate.ALIVE:
        ago = format_duration(now - other.heard_at)
        return f"was last seen {ago} ago; whether it is dead cannot be known"
    if other.back:
        return "lives, and stands back: it begins nothing by itself"
    return "lives, and stands back within a minute of reaching a region"


def _heard(other: OtherSeen, now: datetime) -> str:
    """When it was last heard of, by the clock of the region that keeps its word."""
    if other.fate is Fate.ALIVE:
        return "and lives"
    said = "it said that it stopped" if other.fate is Fate.STOPPED else "last seen"
    return f"{said} {format_duration(now - other.heard_at)} ago"


def document(own: TermBegun, others: Sequence[OtherSeen]) -> dict[str, Value]:
    """The part of `status --json` that tells whose these records are."""
    first = leader(own, others)
    return {
        "instance": own.instance,
        "term": own.term,
        "in_charge": first is None,
        "others": [other_document(one) | {"in_charge": one is first} for one in others],
    }


def other_document(one: OtherSeen) -> dict[str, Value]:
    """One other, as documents have it."""
    return {
        "instance": one.instance,
        "term": one.term,
        "host": one.host,
        "state": one.fate.value,
        "heard_at": rfc3339(one.heard_at),
        "stands_back": one.back,
        "clone": one.clone,
    }


def document_of_view(view: "View") -> dict[str, Value]:
    """What a daemon tells of its last look."""
    unasked: Mapping[str, Value] = dict(view.unasked)
    return {
        "looked_at": rfc3339(view.at),
        "in_charge": view.leader is None,
        "asked": list(view.asked),
        "unasked": unasked,
        "unknown_since": rfc3339(view.unknown_since) if view.unknown_since else None,
    }
