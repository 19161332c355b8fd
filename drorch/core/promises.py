"""Whether what was promised of copies is kept, and whether it can be: arithmetic alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from drorch.core.durations import parse_duration
from drorch.core.schedules import promised_age

#: How many of the newest backups say how long the next one takes.
REMEMBERED = 5

#: How long a new snapshot may take to reach every region before copies are missed.
SPREADING = timedelta(hours=1)

#: How much later than its slot scheduled work may end before its age is told, as a share of the age.
_LEEWAY = 0.1
_LONGEST_LEEWAY = timedelta(days=1)


def expected(took: Sequence[timedelta]) -> timedelta | None:
    """How long the next backup may take: as long as the longest of the last ones, newest first."""
    return max(took[:REMEMBERED], default=None)


def near_breach(newest_at: datetime, rpo: timedelta, now: datetime) -> bool:
    """Whether half of the RPO is over, and not all of it: sooner nobody is told what is foreseen."""
    return rpo / 2 < now - newest_at <= rpo


def foreseen(
    newest_at: datetime,
    rpo: timedelta,
    took: timedelta,
    now: datetime,
    under_way: datetime | None = None,
) -> bool:
    """Whether the RPO, not breached yet, will be: the next backup ends too late for it.

    It is taken to begin now, unless one is `under_way` since some time.
    """
    return now <= newest_at + rpo < max(now, (under_way or now) + took)


@cache
def allowed_age(text: str) -> timedelta:
    """How old something done by a schedule or at an age may be (`30d` is 30 days): a schedule
    promises its longest gap, and what it does takes its time.
    """
    age = promised_age(text)
    try:
        parse_duration(text)
    except ValueError:
        return age + min(age * _LEEWAY, _LONGEST_LEEWAY)
    return age
