from datetime import time

import pytest

from drorch.core.hours import Hours, parse_hours


def test_hours_are_read():
    assert parse_hours("06:00-22:30") == Hours(time(6), time(22, 30))
    assert parse_hours("22:00-06:00") == Hours(time(22), time(6))


@pytest.mark.parametrize("text", ["", "6-22", "06:00", "06:00-24:00", "06:60-07:00", "6:00-7:00"])
def test_what_is_no_window(text):
    with pytest.raises(ValueError, match="is not a window"):
        parse_hours(text)


@pytest.mark.parametrize(
    ("written", "at", "within"),
    [
        ("06:00-22:00", time(6), True),
        ("06:00-22:00", time(21, 59, 59), True),
        ("06:00-22:00", time(22), False),
        ("06:00-22:00", time(3), False),
        ("22:00-06:00", time(23), True),
        ("22:00-06:00", time(5, 59), True),
        ("22:00-06:00", time(6), False),
        ("22:00-06:00", time(12), False),
        ("08:00-08:00", time(8), True),
        ("08:00-08:00", time(7, 59), True),
    ],
)
def test_hours_hold_from_the_first_to_before_the_last_also_over_midnight(written, at, within):
    assert parse_hours(written).hold(at) is within
