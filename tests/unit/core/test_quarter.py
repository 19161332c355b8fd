"""Quarters by a zone's own midnights."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.core.quarter import Quarter, ended_last

TORONTO = ZoneInfo("America/Toronto")


@pytest.mark.parametrize("text", ["2026Q4", "2026q4", " 2026-Q4 "])
def test_a_quarter_is_written_so(text: str) -> None:
    assert Quarter.parse(text) == Quarter(2026, 4)
    assert str(Quarter.parse(text)) == "2026Q4"


@pytest.mark.parametrize(
    "text", ["2026Q5", "2026Q0", "0000Q1", "26Q4", "2026", "", "2026Q4x", "²026Q1"]
)
def test_what_is_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quarter such as 2026Q4"):
        Quarter.parse(text)


def test_its_borders_are_local_midnights() -> None:
    quarter = Quarter(2026, 4)
    assert quarter.begin(TORONTO) == datetime(2026, 10, 1, 4, tzinfo=UTC)
    assert quarter.end(TORONTO) == datetime(2027, 1, 1, 5, tzinfo=UTC), "clocks went back between"
    days = list(quarter.days())
    assert (days[0], days[-1], len(days)) == (date(2026, 10, 1), date(2026, 12, 31), 92)


def test_the_one_that_ended_last_goes_by_local_time() -> None:
    newyear = datetime(2027, 1, 1, 4, 59, tzinfo=UTC)
    assert ended_last(newyear, TORONTO) == Quarter(2026, 3)
    assert ended_last(newyear + timedelta(minutes=1), TORONTO) == Quarter(2026, 4)
    assert ended_last(newyear, ZoneInfo("UTC")) == Quarter(2026, 4)


@given(
    st.floats(600_000_000, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
    st.sampled_from(["UTC", "America/Toronto", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"]),
)
def test_every_moment_lies_in_one(at: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    quarter = Quarter.of(at, zone)
    assert quarter.begin(zone) <= at < quarter.end(zone)
    assert quarter.moved(-1).end(zone) == quarter.begin(zone)
    assert quarter.moved(7).moved(-7) == quarter
