"""How old a copy became, day by day: a fold over the moments at which its newest snapshot changed. Pure.

Between two of those the age grows by the clock; it is highest just before the next one comes. An
age is None where nothing lies there: it is never zero for want of a copy.
"""

from bisect import bisect_right
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
    was promised, and for how long the region, which had held something, held nothing.
    """

    days: list[timedelta | None]
    worst: timedelta | None = None
    worst_at: datetime | None = None
    over: timedelta = field(default=_NONE)
    without: timedelta = field(default=_NONE)


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
    end = min(until, borders[-1])
    found = Ages([None] * (len(borders) - 1))
    seen = held_before
    closed: list[Point] = [*points, (max(end, points[-1][0]), None)] if points else []
    for (since, newest), (to, _) in pairwise(closed):
        begin, stop = max(since, borders[0]), min(to, end)
        if begin < stop:
            if newest is not None:
                _grow(found, borders, begin, stop, newest, rpo)
            elif seen:
                found.without += stop - begin
        seen = seen or newest is not None
    return found


def _grow(
    found: Ages,
    borders: Sequence[datetime],
    begin: datetime,
    to: datetime,
    newest: datetime,
    rpo: timedelta | None,
) -> None:
    """From `begin` up to `to` the newest snapshot is of `newest`."""
    day = bisect_right(borders, begin) - 1
    while True:
        reached = min(to, borders[day + 1])
        age = max(_NONE, reached - newest)
        known = found.days[day]
        if known is None or age > known:
            found.days[day] = age
        day += 1
        if reached == to:
            break
    if found.worst is None or age > found.worst:
        found.worst, found.worst_at = age, to
    if rpo is not None and age > rpo:
        found.over += to - max(begin, newest + rpo)
