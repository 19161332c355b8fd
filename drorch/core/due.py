"""Whether something that is to happen by a schedule or at an age has come due. Pure."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from drorch.core.durations import parse_duration
from drorch.core.schedules import Calendar, Every, parse_schedule

_DAY = timedelta(days=1)


def is_due(text: str, last: datetime | None, now: datetime, zone: tzinfo) -> bool:
    """Whether a moment of the schedule has passed since `last`, or the age has been reached.

    What never happened is due, and so is what happened later than `now`: a clock lied.
    """
    if last is None or last > now:
        return True
    wanted = _age_or_calendar(text)
    if isinstance(wanted, timedelta):
        return now - last >= wanted
    return _passed(wanted, last, now, zone)


def next_due(text: str, last: datetime, zone: tzinfo) -> datetime:
    """The first moment of the schedule after `last`, or when the age is reached; aware UTC."""
    wanted = _age_or_calendar(text)
    if isinstance(wanted, timedelta):
        return last + wanted
    day = last.astimezone(zone).date()
    while True:  # a schedule comes true within some years (core/schedules.py)
        if _falls_on(wanted, day):
            moments = (
                datetime.combine(day, time(h, m), zone).astimezone(UTC)
                for h in wanted.hours
                for m in wanted.minutes
            )
            later = min((at for at in moments if at > last), default=None)
            if later is not None:
                return later
        day += _DAY


def _age_or_calendar(text: str) -> timedelta | Calendar:
    try:
        return parse_duration(text)
    except ValueError:
        schedule = parse_schedule(text)
        return schedule.interval if isinstance(schedule, Every) else schedule


def _passed(calendar: Calendar, last: datetime, now: datetime, zone: tzinfo) -> bool:
    day, today = last.astimezone(zone).date(), now.astimezone(zone).date()
    while day <= today:
        if _falls_on(calendar, day) and any(
            # By UTC: Python compares two times of one zone by what the wall's clock shows.
            last < datetime.combine(day, at, zone).astimezone(UTC) <= now
            for at in (time(h, m) for h in calendar.hours for m in calendar.minutes)
        ):
            return True
        day += _DAY
    return False


def _falls_on(calendar: Calendar, day: date) -> bool:
    if day.month not in calendar.months:
        return False
    by_day, by_weekday = day.day in calendar.days, day.isoweekday() % 7 in calendar.weekdays
    if calendar.any_day or calendar.any_weekday:
        return by_day and by_weekday
    return by_day or by_weekday
