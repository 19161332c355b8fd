"""Whether something that is to happen by a schedule or at an age has come due. Pure."""

from datetime import datetime, timedelta, tzinfo

from drorch.core.durations import parse_duration
from drorch.core.schedules import Calendar, Every, parse_schedule
from drorch.core.slots import next_slot


def is_due(text: str, last: datetime | None, now: datetime, zone: tzinfo) -> bool:
    """Whether a moment of the schedule has passed since `last`, or the age has been reached.

    What never happened is due, and so is what happened later than `now`: a clock lied.
    """
    return last is None or last > now or next_due(text, last, zone) <= now


def nearly_due(text: str, last: datetime | None, now: datetime, zone: tzinfo) -> bool:
    """The same, but an age is reached at nine tenths of it: what is looked at once a day would
    find it missed by minutes, and be a day late.
    """
    wanted = _age_or_calendar(text)
    sooner = wanted / 10 if isinstance(wanted, timedelta) else timedelta()
    return is_due(text, last, now + sooner, zone)


def next_due(text: str, last: datetime, zone: tzinfo) -> datetime:
    """The first moment of the schedule after `last`, or when the age is reached; aware UTC.

    `every` is an age here: it counts from `last`.
    """
    wanted = _age_or_calendar(text)
    return last + wanted if isinstance(wanted, timedelta) else next_slot(wanted, last, zone)


def _age_or_calendar(text: str) -> timedelta | Calendar:
    try:
        return parse_duration(text)
    except ValueError:
        schedule = parse_schedule(text)
        return schedule.interval if isinstance(schedule, Every) else schedule
