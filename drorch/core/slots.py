"""When something that happens by a schedule is due: its slots, as moments. Pure.

The only place that knows what a schedule means across daylight saving. Slots are aware UTC; a
schedule's times are local:

- a time that is skipped in spring falls on the next minute there is, once, whatever falls there;
- a time that comes twice in autumn counts the first time; a calendar that names every hour of the
  day is meant as a distance and counts both, or nothing would happen for an hour;
- `every` counts elapsed time from local midnight, day by day: a day of 23 hours has 23 hourly
  slots. Above a day it counts local days from a fixed Monday.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from drorch.core.schedules import Calendar, Every, Schedule

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)
_MONDAY = date(2001, 1, 1)
_ALL_HOURS = frozenset(range(24))


def next_slot(schedule: Schedule, after: datetime, zone: tzinfo) -> datetime:
    """The first slot after a moment (aware), not at it; aware UTC."""
    for day in _days_from(schedule, after.astimezone(zone).date()):
        slots = _slots_of(schedule, day, zone)
        index = bisect_right(slots.offsets, slots.offset_of(after))
        if index < len(slots.offsets):
            return slots.at(index)
    raise OverflowError("a schedule has slots as long as there are days")


def newest_slot(schedule: Schedule, until: datetime, zone: tzinfo) -> datetime:
    """The last slot at a moment (aware) or before it; aware UTC."""
    # Where clocks went back over midnight, tomorrow had begun before.
    for day in _days_back(schedule, until.astimezone(zone).date() + _DAY):
        slots = _slots_of(schedule, day, zone)
        index = bisect_right(slots.offsets, slots.offset_of(until))
        if index:
            return slots.at(index - 1)
    raise OverflowError("a schedule had slots as long as there are days")


def slots_between(
    schedule: Schedule, after: datetime, until: datetime, zone: tzinfo
) -> Iterator[datetime]:
    """The slots after `after`, up to `until`, in their order; aware UTC."""
    for slots, indexes in _spans(schedule, after, until, zone):
        for index in indexes:
            yield slots.at(index)


def count_between(schedule: Schedule, after: datetime, until: datetime, zone: tzinfo) -> int:
    """How many slots there are after `after`, up to `until`: a few microseconds for each day."""
    return sum(len(indexes) for _, indexes in _spans(schedule, after, until, zone))


@dataclass(frozen=True, slots=True)
class _Slots:
    """The slots of one local day: offsets from its first instant, in microseconds, ascending."""

    start: datetime
    offsets: Sequence[int]

    def at(self, index: int) -> datetime:
        return self.start + timedelta(microseconds=self.offsets[index])

    def offset_of(self, at: datetime) -> int:
        return (at - self.start) // _MICROSECOND


def _spans(
    schedule: Schedule, after: datetime, until: datetime, zone: tzinfo
) -> Iterator[tuple[_Slots, range]]:
    """The days with slots between two moments, and which of their slots lie there."""
    last, begun = until.astimezone(zone).date() + _DAY, after
    for day in _days_from(schedule, after.astimezone(zone).date()):
        if day > last:
            return
        slots = _slots_of(schedule, day, zone)
        # What a day's end skips may fall on the first slot of the next: it counts once.
        first = bisect_right(slots.offsets, slots.offset_of(begun))
        end = bisect_right(slots.offsets, slots.offset_of(until))
        if first < end:
            yield slots, range(first, end)
            begun = slots.at(end - 1)


# --- which days have slots


def _days_from(schedule: Schedule, day: date) -> Iterator[date]:
    """The days on which the schedule may have slots, from one on."""
    if isinstance(schedule, Every):
        yield from _days_of_interval(schedule, day)
        return
    while True:  # a schedule comes true within some years (core/schedules.py)
        if day.month not in schedule.months:
            day = (day.replace(day=28) + 4 * _DAY).replace(day=1)
            continue
        if schedule.falls_on(day):
            yield day
        day += _DAY


def _days_back(schedule: Schedule, day: date) -> Iterator[date]:
    """The same, backwards."""
    while True:
        if isinstance(schedule, Every):
            if schedule.interval <= _DAY or _time_of(schedule, day) is not None:
                yield day
        elif day.month not in schedule.months:
            day = day.replace(day=1)
        elif schedule.falls_on(day):
            yield day
        day -= _DAY


def _days_of_interval(every: Every, day: date) -> Iterator[date]:
    while True:
        if every.interval > _DAY:
            steps = -(-(day - _MONDAY) // every.interval)  # rounded up
            day = _MONDAY + _days_in(steps * every.interval)
        yield day
        day += _DAY


def _days_in(duration: timedelta) -> timedelta:
    return timedelta(days=duration // _DAY)


def _time_of(every: Every, day: date) -> timedelta | None:
    """At which time of a day an interval above a day falls, if it does."""
    steps = -(-(day - _MONDAY) // every.interval)
    rest = steps * every.interval - (day - _MONDAY)
    return rest if rest < _DAY else None


# --- the slots of a day


def _slots_of(schedule: Schedule, day: date, zone: tzinfo) -> _Slots:
    start, end = start_of(day, zone), start_of(day + _DAY, zone)
    if isinstance(schedule, Every) and schedule.interval <= _DAY:
        return _Slots(start, range(0, (end - start) // _MICROSECOND, _step_of(schedule)))
    if end - start == _DAY:
        return _Slots(start, _times_of(schedule, day))
    return _Slots(start, _changed(schedule, day, zone))


def _step_of(every: Every) -> int:
    return every.interval // _MICROSECOND


def _times_of(schedule: Schedule, day: date) -> Sequence[int]:
    """Times of a day by the wall's clock, in microseconds."""
    if isinstance(schedule, Every):
        at = _time_of(schedule, day)
        return () if at is None else (at // _MICROSECOND,)
    return _times(schedule)


@lru_cache(maxsize=16_384)
def _times(calendar: Calendar) -> tuple[int, ...]:
    minute = _MINUTE // _MICROSECOND
    return tuple(
        (h * 60 + m) * minute for h in sorted(calendar.hours) for m in sorted(calendar.minutes)
    )


@lru_cache(maxsize=4_096)
def _changed(schedule: Schedule, day: date, zone: tzinfo) -> tuple[int, ...]:
    """The slots of a day on which clocks are changed."""
    midnight = datetime.combine(day, time())
    start = start_of(day, zone)
    wanted = (midnight + at * _MICROSECOND for at in _times_of(schedule, day))
    found = {_instant(local, zone) for local in wanted}
    if isinstance(schedule, Calendar) and schedule.hours == _ALL_HOURS:
        found |= {
            at for at in _minutes_of(day, zone) if at.astimezone(zone).minute in schedule.minutes
        }
    return tuple(sorted((at - start) // _MICROSECOND for at in found))


def _minutes_of(day: date, zone: tzinfo) -> Iterable[datetime]:
    start, end = start_of(day, zone), start_of(day + _DAY, zone)
    return (start + n * _MINUTE for n in range((end - start) // _MINUTE))


@lru_cache(maxsize=4_096)
def start_of(day: date, zone: tzinfo) -> datetime:
    """The first instant of a local day: midnight, or where clocks skip it what follows; aware UTC."""
    return _instant(datetime.combine(day, time()), zone)


def _instant(local: datetime, zone: tzinfo) -> datetime:
    """The moment at which clocks show a time first; of one that they skip, the next there is."""
    first, second = (local.replace(tzinfo=zone, fold=f).astimezone(UTC) for f in (0, 1))
    if first <= second:
        return first
    # Skipped: by the offset before the change it would be after it, by the one that follows, before.
    before = second.astimezone(zone).utcoffset()
    change = bisect_left(
        range((first - second) // _SECOND),
        1,
        key=lambda n: int((second + n * _SECOND).astimezone(zone).utcoffset() != before),
    )
    return second + change * _SECOND
