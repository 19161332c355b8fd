"""How long locks have to hold: when one is extended and until when, and what of it is an alarm.

A lock lapses if nobody extends it, and deduplication makes today's snapshot need old objects. So
with `keep` as configured: what is locked for less than three quarters of `keep` is extended to
`keep` again. Done at least every quarter of `keep`, no lock ever has less than half of `keep` left,
and two runs in a row may be missed before anything lapses. Kopia's rule is the same: the interval
has to be shorter than the lock by a margin.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from drorch.core.model import ObjectLock

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


class Lapse(StrEnum):
    """How a region's locks stand."""

    GOOD = "good"
    NEVER_EXTENDED = "never-extended"
    UNLOCKED = "unlocked"
    LAPSED = "lapsed"
    LAPSING = "lapsing"


def at_least(lock: ObjectLock) -> timedelta:
    """What is locked for less than this is extended."""
    return lock.keep * 3 / 4


def interval(lock: ObjectLock) -> timedelta:
    """How often extending is needed, at the longest."""
    return lock.keep / 4


def until(lock: ObjectLock, now: datetime) -> datetime:
    """The end of a lock that is extended now, in whole seconds: after `keep`, rounded up to whole
    days and an hour.

    The hour says when that was, by the time of day: see `may_be_moved`.
    """
    days = -(-(lock.keep - _HOUR) // _DAY)
    return (now + days * _DAY + _HOUR).replace(microsecond=0)


def may_be_moved(written: datetime, end: datetime) -> bool:
    """Whether a lock that ends then was extended at about the time at which its version is said to
    have been written: some stores put the one in place of the other.

    No clock is further from a store's than a quarter of an hour: it would refuse all requests.
    """
    rest = (end - written - _HOUR) % _DAY
    return min(rest, _DAY - rest) <= _DAY / 96


@dataclass(frozen=True, slots=True)
class Horizon:
    """What was found when locks were last extended; `until` None: something was not locked."""

    until: datetime | None
    extended_at: datetime


def lapse(
    lock: ObjectLock, horizon: Horizon | None, now: datetime
) -> tuple[Lapse, datetime | None]:
    """How the locks stand now, and since when (None where that is not known)."""
    if horizon is None:
        return Lapse.NEVER_EXTENDED, None
    if horizon.until is None:
        return Lapse.UNLOCKED, horizon.extended_at
    if horizon.until <= now:
        return Lapse.LAPSED, horizon.until
    halfway = horizon.until - lock.keep / 2
    return (Lapse.LAPSING, halfway) if halfway < now else (Lapse.GOOD, None)
