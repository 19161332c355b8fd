"""Times as people write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from drorch.core.moment import parse_moment

TORONTO = ZoneInfo("America/Toronto")


def test_a_time_is_one_of_the_zone_unless_it_says_otherwise():
    assert parse_moment("2026-11-23T03:00", TORONTO) == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert parse_moment("2026-11-23T03:00:00Z", TORONTO) == datetime(2026, 11, 23, 3, tzinfo=UTC)
    assert parse_moment("2026-11-23T03:00", TORONTO).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["2026-11-23", "noon", "", "0001-01-01T00:00+05:00", "9999-12-31T23:00-05:00"]
)
def test_what_is_no_time_is_said_so(text):
    with pytest.raises(ValueError, match=r"."):
        parse_moment(text, TORONTO)
