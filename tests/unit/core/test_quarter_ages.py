"""The worst age of each day, held against a walk over every minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.core.quarter import Quarter
from drorch.core.quarter_ages import Ages, Point, ages
from drorch.core.slots import start_of

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BEGIN = datetime(2026, 11, 1, 4, tzinfo=UTC)


def walked(
    points: list[Point], borders: list[datetime], until: datetime, rpo: timedelta | None
) -> Ages:
    """By every minute: what lies there then, and how old it is when the minute is over."""
    found = Ages([None] * (len(borders) - 1))
    at, seen = min([borders[0], *(when for when, _ in points)]), False
    while at < min(until, borders[-1]):
        held = [newest for when, newest in points if when <= at]
        newest = held[-1] if held else None
        if at >= borders[0]:
            day = max(n for n, border in enumerate(borders) if border <= at)
            if newest is not None:
                age = max(timedelta(), at + MINUTE - newest)
                found.days[day] = max(age, found.days[day] or age)
                if found.worst is None or age > found.worst:
                    found.worst, found.worst_at = age, at + MINUTE
                if rpo is not None and age > rpo:
                    found.over += MINUTE
                    found.broken_at = found.broken_at or at
            elif seen:
                found.without += MINUTE
                found.broken_at = found.broken_at or at
        seen = seen or newest is not None
        at += MINUTE
    return found


minutes = st.integers(-600, 2400)


@st.composite
def points(draw: st.DrawFn) -> list[Point]:
    """At whole minutes; snapshots are not later than when they were known."""
    times = sorted(draw(st.sets(minutes, max_size=8)))
    ages_then = draw(st.lists(st.none() | st.integers(0, 900), min_size=8, max_size=8))
    return [
        (BEGIN + at * MINUTE, None if age is None else BEGIN + (at - age) * MINUTE)
        for at, age in zip(times, ages_then, strict=False)
    ]


@given(
    points(),
    st.lists(st.sampled_from([23, 24, 25]), min_size=1, max_size=2),
    st.integers(1, 3000),
    st.none() | st.integers(1, 600),
)
def test_it_is_what_a_walk_over_every_minute_finds(
    known: list[Point], lengths: list[int], until: int, rpo: int | None
) -> None:
    borders = [BEGIN]
    for hours in lengths:
        borders.append(borders[-1] + hours * HOUR)
    promised = None if rpo is None else rpo * MINUTE
    end = BEGIN + until * MINUTE
    assert ages(known, borders, end, promised) == walked(known, borders, end, promised)


def test_a_day_before_the_first_backup_has_no_age() -> None:
    first = BEGIN + 30 * HOUR
    borders = [BEGIN + n * DAY for n in range(4)]
    found = ages([(first, first - MINUTE)], borders, BEGIN + 3 * DAY, HOUR)
    assert found.days == [None, 18 * HOUR + MINUTE, 42 * HOUR + MINUTE]
    assert found.without == timedelta(), "it never held anything before"
    assert found.worst_at == borders[-1]
    assert found.over == 41 * HOUR + MINUTE


def test_nothing_known_is_nothing_said() -> None:
    assert ages([], [BEGIN, BEGIN + DAY], BEGIN + DAY, HOUR) == Ages([None])


@pytest.mark.parametrize(("day", "hours"), [((2026, 11, 1), 25), ((2026, 3, 8), 23)])
def test_the_day_on_which_clocks_change_is_longer_or_shorter(
    day: tuple[int, int, int], hours: int
) -> None:
    zone = ZoneInfo("America/Toronto")
    begin = datetime(*day, tzinfo=zone).astimezone(UTC)
    days = list(Quarter.of(begin, zone).days())
    borders = [start_of(one, zone) for one in days]
    index = borders.index(begin)
    found = ages([(begin, begin)], [*borders, borders[-1] + DAY], borders[index + 1], None)
    assert found.days[index] == hours * HOUR
    assert found.days[index + 1 :] == [None] * (len(days) - index - 1), "they are still to come"
