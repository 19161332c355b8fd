from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.core.locking import (
    Horizon,
    Lapse,
    at_least,
    interval,
    lapse,
    may_be_moved,
    until,
)
from drorch.core.model import LockMode, ObjectLock

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 23, 3, 0, 0, 123456, tzinfo=UTC)
MONTH = ObjectLock(LockMode.COMPLIANCE, 30 * DAY)

KEEPS = st.timedeltas(timedelta(hours=1), 4000 * DAY)
MOMENTS = st.integers(0, 1_500_000_000_000_000).map(lambda us: NOW + timedelta(microseconds=us))


def test_a_lock_of_thirty_days():
    assert at_least(MONTH) == timedelta(days=22, hours=12)
    assert interval(MONTH) == timedelta(days=7, hours=12)
    assert until(MONTH, NOW) == datetime(2026, 12, 23, 4, 0, 0, tzinfo=UTC)


@given(KEEPS, MOMENTS)
def test_what_is_extended_holds_for_keep_and_at_most_a_day_longer(keep, now):
    end = until(ObjectLock(LockMode.GOVERNANCE, keep), now)
    assert keep - timedelta(seconds=1) <= end - now <= keep + DAY
    assert end.microsecond == 0


@given(KEEPS, MOMENTS, st.timedeltas(timedelta(minutes=-14), timedelta(minutes=14)))
def test_an_extended_lock_tells_the_time_of_day_of_its_extension(keep, now, skew):
    assert may_be_moved(now + skew, until(ObjectLock(LockMode.COMPLIANCE, keep), now))


@given(MOMENTS, st.integers(1, 4000))
def test_a_lock_by_a_bucket_s_rule_is_not_taken_for_an_extended_one(now, days):
    assert not may_be_moved(now, now + days * DAY)
    assert not may_be_moved(now, now.replace(microsecond=0) + days * DAY)


@given(KEEPS, st.data())
def test_extended_every_quarter_no_lock_ever_has_less_than_half_left(keep, data):
    """Whatever was left of it when the looking began, and however often it is looked."""
    lock = ObjectLock(LockMode.COMPLIANCE, keep)
    now, end = NOW, NOW + keep
    for _ in range(20):
        now += data.draw(st.timedeltas(timedelta(), interval(lock)))
        assert end - now >= keep / 2 - timedelta(seconds=1)
        if end - now < at_least(lock):
            end = until(lock, now)


@pytest.mark.parametrize(
    ("horizon", "found", "since"),
    [
        (None, Lapse.NEVER_EXTENDED, None),
        (Horizon(None, NOW - DAY), Lapse.UNLOCKED, NOW - DAY),
        (Horizon(NOW, NOW - DAY), Lapse.LAPSED, NOW),
        (Horizon(NOW + DAY, NOW - 29 * DAY), Lapse.LAPSING, NOW - 14 * DAY),
        (Horizon(NOW + 15 * DAY, NOW - 15 * DAY), Lapse.GOOD, None),
        (Horizon(NOW + 30 * DAY, NOW), Lapse.GOOD, None),
    ],
)
def test_how_locks_stand(horizon, found, since):
    assert lapse(MONTH, horizon, NOW) == (found, since)
