"""How old a copy became, day by day: a fold over the moments at which its newest snapshot changed. Pure.

Between two of those the age grows by the clock; it is highest just before the next one comes. An
age is None where nothing lies there: it is never zero for want of a copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

#: Since when the newest snapshot of a region was of when; None: it held nothing.
Point: TypeAlias = tuple[datetime, datetime | None]

_NONE = timedelta()


@dataclass(slots=True)
class Ages:
    """The worst age and when it was reached; the worst of each day; how long the age was above what
    was promised, and for how long the region, which had held something, held nothing; and when the
    one or the other was first so.
    """

    days: list[timedelta | None]
    worst: timedelta | None = None
    worst_at: datetime | None = None
    over: timedelta = field(default=_NONE)
    without: timedelta = field(default=_NONE)
    broken_at: datetime | None = None


def ages(
    points: Sequence[Point],
    borders: Sequence[datetime],
    until: datetime,
    rpo: timedelta | None,
    *,
    held_before: bool = False,
) -> Ages:
    """The ages from the first border to the last, or up to `until` where that is sooner.

    `borders` are the first instants of the days, and of the one after them. `points` are by time;
    those before the first border say what held then.
    `held_before`: the region has held something before the first of them.
    """
    end, first = min(until, borders[-1]), borders[0]
    found, days = Ages([None] * (len(borders) - 1)), [_NONE] * (len(borders) - 1)
    known: set[int] = set()
    seen, day, closes = held_before, 0, borders[1]
    closed: list[Point] = [*points, (max(end, points[-1][0]), None)] if points else []
    # There are millions of these: what each costs is what the report costs.
    for (begin, newest), (to, _) in pairwise(closed):
        since = max(first, begin)
        stop = min(end, to)
        if since < stop and newest is None:
            if seen:
                found.without += stop - since
                found.broken_at = found.broken_at or since
        elif since < stop and newest is not None:
            while closes <= since:
                day, closes = day + 1, borders[day + 2]
            while closes < stop:
                days[day] = max(days[day], closes - newest)
                known.add(day)
                day, closes = day + 1, borders[day + 2]
            age = stop - newest
            days[day] = max(days[day], age)
            known.add(day)
            if found.worst is None or age > found.worst:
                found.worst, found.worst_at = max(_NONE, age), stop
            if rpo is not None and age > rpo:
                begun = max(since, newest + rpo)
                found.over += stop - begun
                found.broken_at = found.broken_at or begun
        seen = seen or newest is not None
    found.days = [age if n in known else None for n, age in enumerate(days)]
    return found
