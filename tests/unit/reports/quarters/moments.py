"""When the invented quarter is, and lengths of time to tell of it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from drorch.core.quarter import Quarter

ZONE = ZoneInfo("America/Toronto")
QUARTER = Quarter(2026, 4)
BEGIN, END = QUARTER.begin(ZONE), QUARTER.end(ZONE)
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
DAYS = tuple(QUARTER.days())


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A local moment of 2026, in UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)
