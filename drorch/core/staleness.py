"""Which of restic's locks are stale for certain: pure.

restic refreshes a lock every five minutes (lock.go): it writes a new object and deletes the old
one, and since 0.16 ends itself when it could not refresh for long. So the object's own age is how
long it was not refreshed. That age is by two clocks that may be off, the store's and ours; a second
look is by this machine's boot clock, which never steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from drorch.core.durations import format_duration
from drorch.core.moment import Moment

#: A lock that was not refreshed for so long is looked at a second time.
OLD = timedelta(minutes=45)

#: How long after the first look the second one tells: more than restic's five minutes.
APART = timedelta(minutes=6)


class Standing(StrEnum):
    """What is known of a lock."""

    LIVE = "live"
    DOUBTFUL = "doubtful"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Seen:
    """A lock as a look found it. `first` is when this very object was first seen, `written` when
    the store says it was written.
    """

    lock: str
    written: datetime
    first: Moment


def judge(seen: Seen, now: Moment, *, gone: bool | None, ours: bool) -> tuple[Standing, str]:
    """How a lock stands, and why, as the end of a sentence.

    `gone`: its process is certainly gone (True), certainly there (False), or nothing is known.
    `ours`: it was not proven to be made without the repository's key.
    """
    if not ours:
        return Standing.STALE, "it was not made with the repository's key: no restic here holds it"
    if gone is True:
        return Standing.STALE, "its process on this host is gone"
    age = max(timedelta(), now.at - seen.written)
    if gone is False:
        return Standing.LIVE, "its process on this host is there"
    if age < OLD:
        return Standing.LIVE, f"it was refreshed {_told(age)} ago"
    if _watched(seen, now) >= APART:
        return Standing.STALE, f"it was not refreshed for {_told(age)}, nor between two looks"
    return Standing.DOUBTFUL, f"it was not refreshed for {_told(age)}, but looked at only once"


def due(seen: Seen, now: Moment) -> timedelta:
    """How long until a second look tells something."""
    return max(timedelta(), APART - _watched(seen, now))


def _watched(seen: Seen, now: Moment) -> timedelta:
    """For how long it is known to be unchanged; nothing is, across a boot."""
    if seen.first.boot != now.boot:
        return timedelta()
    return timedelta(seconds=max(0.0, now.ticks - seen.first.ticks))


def _told(age: timedelta) -> str:
    return format_duration(timedelta(seconds=round(age.total_seconds())))


def in_words(dataset: str, old: Sequence[Seen], now: datetime) -> tuple[str, str]:
    """Locks in a region that have not been refreshed for long: message and hint."""
    age = format_duration(
        timedelta(seconds=round((now - min(s.written for s in old)).total_seconds()))
    )
    message = (
        f"{len(old)} lock(s) stand there that nobody has refreshed for {age}: what needs the "
        "repository alone (retention, check) does not work"
    )
    return message, f"remove what is proven stale: drorch repo unlock {dataset}"
