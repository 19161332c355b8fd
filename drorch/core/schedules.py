"""Schedules as people write them, parsed to two kinds: a calendar (cron) and an interval.

Times are local to the configuration's time zone; what that means across daylight saving, and when
the next one is, core/slots.py knows.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import TypeAlias

from drorch.core.durations import parse_duration

SCHEDULE_HINT = (
    'write a cron line such as "*/15 * * * *", or: every 15m, hourly, daily at 02:00, '
    "weekly on sun at 03:00, monthly on 1 at 04:00, quarterly"
)


@dataclass(frozen=True, slots=True)
class Every:
    """At fixed distances, anchored at local midnight."""

    interval: timedelta


@dataclass(frozen=True, slots=True)
class Calendar:
    """At the minutes that match: cron's five fields. `weekdays` has Sunday as 0.

    As in cron, where both days and weekdays are restricted, either may match.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool = True
    any_weekday: bool = True

    def falls_on(self, day: date) -> bool:
        """Whether there are any minutes that match on a day."""
        if day.month not in self.months:
            return False
        in_days = day.day in self.days
        in_weekdays = day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return in_days and in_weekdays
        return in_days or in_weekdays


Schedule: TypeAlias = Every | Calendar

_SOME_YEARS = timedelta(days=9 * 366)
_MIDNIGHT = frozenset({0})

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)
_TIME = r"(?:\s+at\s+(\d{1,2}):(\d{2}))?"
_WORDS = re.compile(
    rf"(?:(hourly)|(daily){_TIME}|(weekly)(?:\s+on\s+(\w+))?{_TIME}"
    rf"|(monthly)(?:\s+on\s+(\d+))?{_TIME}|(quarterly))"
)
_FULL_DAYS = {
    "sunday": 0,
    "monday": 1,
    "tuesday": 2,
    "wednesday": 3,
    "thursday": 4,
    "friday": 5,
    "saturday": 6,
}


def parse_schedule(text: str) -> Schedule:
    """A cron line, `every 15m`, `hourly`, `daily at 02:00`, `weekly on sun at 03:00`,
    `monthly on 1 at 04:00` or `quarterly`. Left-out parts are those of these samples.

    Raises ValueError with a sentence.
    """
    words = text.strip().lower()
    if words.startswith("every"):
        return _every(words.removeprefix("every").strip(), text)
    named = _WORDS.fullmatch(words)
    if named:
        return _named(named)
    if len(words.split()) == 5:
        return parse_cron(words)
    raise ValueError(f"{text!r} is not a schedule")


def parse_cron(text: str) -> Calendar:
    """Five fields: minute, hour, day, month, weekday, with lists, ranges, steps and names.

    Raises ValueError with a sentence, also for a line that never comes true.
    """
    fields = text.lower().split()
    if len(fields) != 5:
        raise ValueError(f"{text!r} is not a cron line: it has {len(fields)} fields, not 5")
    minutes, hours, days, months, weekdays = (
        _field(field, *rule) for field, rule in zip(fields, _FIELDS, strict=True)
    )
    calendar = Calendar(
        minutes,
        hours,
        days,
        months,
        frozenset(day % 7 for day in weekdays),
        any_day=fields[2].startswith("*"),
        any_weekday=fields[4].startswith("*"),
    )
    if not _comes_true(calendar):
        raise ValueError(f"{text!r} never comes true: no such day in these months")
    return calendar


def check_schedule_or_age(text: str) -> None:
    """A schedule, or an age such as `30d`. Raises ValueError with a sentence."""
    try:
        parse_duration(text)
    except ValueError:
        try:
            parse_schedule(text)
        except ValueError as error:
            raise ValueError(f"{error} and not an age") from None


@cache
def promised_age(text: str) -> timedelta:
    """An age such as `30d`; of a schedule, the longest time between two of its slots.

    Raises ValueError for what is neither.
    """
    try:
        return parse_duration(text)
    except ValueError:
        return longest_gap(parse_schedule(text))


@lru_cache(maxsize=1024)
def longest_gap(schedule: Schedule) -> timedelta:
    """The longest time between two slots, in whole days for a calendar (two a day are one apart)."""
    if isinstance(schedule, Every):
        return schedule.interval
    return max(_gaps_of_days(replace(schedule, hours=_MIDNIGHT, minutes=_MIDNIGHT)))


def shortest_gap(schedule: Schedule) -> timedelta:
    """The shortest time between two slots; of a calendar by the clock, no change of clocks counted."""
    if isinstance(schedule, Every):
        return schedule.interval
    times = [
        timedelta(hours=h, minutes=m)
        for h in sorted(schedule.hours)
        for m in sorted(schedule.minutes)
    ]
    days = min(_gaps_of_days(replace(schedule, hours=_MIDNIGHT, minutes=_MIDNIGHT)))
    within = (later - earlier for earlier, later in pairwise(times))
    return min([days - (times[-1] - times[0]), *within])


@lru_cache(maxsize=256)  # schedules differ in their times more than in their days
def _gaps_of_days(calendar: Calendar) -> frozenset[timedelta]:
    """What times there are between two days that match."""
    days = [day for day in _some_years() if calendar.falls_on(day)]
    return frozenset(later - earlier for earlier, later in pairwise(days)) or frozenset(
        {_SOME_YEARS}
    )


def _some_years() -> list[date]:
    """Nine years of days, with three times the 29th of February in them."""
    return [date(2000, 1, 1) + timedelta(days=n) for n in range(_SOME_YEARS.days)]


def _every(text: str, whole: str) -> Every:
    try:
        interval = parse_duration(text)
    except ValueError:
        raise ValueError(f"{whole!r} is not a schedule: 'every' wants a duration") from None
    if interval < timedelta(seconds=1):
        raise ValueError(f"{whole!r} is too often: at most once a second")
    return Every(interval)


def _named(match: re.Match[str]) -> Calendar:
    hourly, daily, hour, minute, weekly, weekday, week_hour, week_minute, *rest = match.groups()
    monthly, day, month_hour, month_minute, _quarterly = rest
    if hourly:
        return parse_cron("0 * * * *")
    if daily:
        return parse_cron(f"{_at(hour, minute, '02:00')} * * *")
    if weekly:
        return parse_cron(f"{_at(week_hour, week_minute, '03:00')} * * {_weekday(weekday)}")
    if monthly:
        return parse_cron(f"{_at(month_hour, month_minute, '04:00')} {_month_day(day)} * *")
    return parse_cron("0 4 1 1,4,7,10 *")


def _at(hour: str | None, minute: str | None, default: str) -> str:
    if hour is None or minute is None:
        hour, minute = default.split(":")
    if int(hour) > 23 or int(minute) > 59:
        raise ValueError(f"{hour}:{minute} is not a time of day")
    return f"{int(minute)} {int(hour)}"


def _weekday(text: str | None) -> int:
    if text is None:
        return 0
    if text in _WEEKDAYS:
        return _WEEKDAYS.index(text)
    if text in _FULL_DAYS:
        return _FULL_DAYS[text]
    raise ValueError(f"{text!r} is not a day of the week: {', '.join(_WEEKDAYS)}")


def _month_day(text: str | None) -> int:
    day = int(text or 1)
    if not 1 <= day <= 28:
        raise ValueError(f"day {day} is not in every month: take one from 1 to 28")
    return day


@lru_cache(maxsize=1_024)  # of ten thousand schedules most fields are the same
def _field(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if "/" in part and (not step.isdigit() or int(step) == 0):
            raise ValueError(f"{part!r} is not a {name}: a step is a number from 1")
        first, last = _span(span, name, low, high, names, stepped=bool(step))
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def _span(
    text: str, name: str, low: int, high: int, names: tuple[str, ...], *, stepped: bool
) -> tuple[int, int]:
    if text == "*":
        return low, high
    start, dash, end = text.partition("-")
    first = _number(start, name, low, high, names)
    last = _number(end, name, low, high, names) if dash else (high if stepped else first)
    if last < first:
        raise ValueError(f"{text!r} is not a {name}: the range runs backwards")
    return first, last


def _number(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + low
    if not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f"{text!r} is not a {name} ({low} to {high})")
    return int(text)


def _comes_true(calendar: Calendar) -> bool:
    if calendar.any_day or not calendar.any_weekday:
        return True
    return any(
        day <= _LONGEST_MONTHS.get(month, 31) for month in calendar.months for day in calendar.days
    )
