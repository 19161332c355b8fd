"""Whether something has come due, by schedules as people write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from drorch.core.due import is_due, nearly_due

ZONE = ZoneInfo("America/Toronto")
NOW = datetime(2026, 11, 23, 12, tzinfo=ZONE)  # a Monday


def local(day, hour=0, minute=0, month=11, year=2026):
    return datetime(year, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "last", "due"),
    [
        ("30d", NOW - timedelta(days=30), True),
        ("30d", NOW - timedelta(days=29), False),
        ("every 6h", NOW - timedelta(hours=6), True),
        ("every 6h", NOW - timedelta(hours=5), False),
        ("weekly", local(22, 2, 59), True),  # sundays at 03:00
        ("weekly", local(22, 3, 0), False),
        ("weekly", local(1), True),
        ("daily at 11:59", local(23, 11, 58), True),
        ("daily at 12:00", local(23, 11, 58), True),
        ("daily at 12:01", local(23, 11, 58), False),
        ("hourly", local(23, 11, 59), True),
        ("hourly", local(23, 12), False),
        ("monthly on 1 at 04:00", local(1, 5), False),
        ("monthly on 1 at 04:00", local(1, 3), True),
        ("quarterly", local(2, month=10), False),
        ("quarterly", local(30, month=9), True),
        ("0 3 13 * fri", local(19), True),  # either the 13th or a Friday
        ("0 3 13 * fri", local(21), False),
        ("0 3 */2 * mon", local(22, 4), True),  # every day of a step, and a Monday
        ("0 3 29 2 *", local(1, month=3, year=2024), False),
    ],
)
def test_a_moment_of_it_has_passed_since_the_last_time(text, last, due):
    assert is_due(text, last, NOW, ZONE) is due
    assert is_due(text, last.astimezone(UTC), NOW.astimezone(UTC), ZONE) is due


def test_what_never_happened_is_due_and_what_happened_later_than_now_too():
    assert is_due("weekly", None, NOW, ZONE)
    assert is_due("30d", NOW + timedelta(days=2000), NOW, ZONE)


def test_a_moment_that_daylight_saving_skips_comes_after_it():
    before, after = local(8, 1, 59, month=3), local(8, 3, 30, month=3)
    assert is_due("30 2 * * *", before, after, ZONE)


@pytest.mark.parametrize(
    ("text", "last", "due"),
    [
        ("30d", NOW - timedelta(days=27), True),
        ("30d", NOW - timedelta(days=26, hours=23), False),
        ("1d", NOW - timedelta(hours=23, minutes=40), True),
        ("every 6h", NOW - timedelta(hours=5, minutes=24), True),
        ("weekly", local(22, 3), False),
        ("daily at 12:01", local(23, 11, 58), False),
        ("daily at 12:00", local(23, 11, 58), True),
    ],
)
def test_what_is_looked_at_now_and_then_takes_an_age_as_reached_a_little_sooner(text, last, due):
    assert nearly_due(text, last, NOW, ZONE) is due
