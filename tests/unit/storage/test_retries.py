"""Trying again, on a clock that goes only when somebody sleeps."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from drorch.core.errors import StorageError
from drorch.storage.faults import Cause
from drorch.storage.retries import Retries, passes_by_itself, seconds_of

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def error(cause: Cause) -> StorageError:
    return StorageError("no", "wait", cause)


def slow_down(code: str = "SlowDown", **headers: str) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPHeaders": headers}}
    return ClientError(answer, "PutObject")


class Asking:
    """A store that fails as it is told, and a clock."""

    def __init__(self, limit: float = 20.0) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.asked = 0
        self.retries = Retries(timedelta(seconds=limit), now=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def failing(self, cause: Cause, times: int = 1 << 30) -> Callable[[], str]:
        def once() -> str:
            self.asked += 1
            if self.asked <= times:
                raise error(cause)
            return "done"

        return once


@pytest.mark.parametrize(
    "cause", [Cause.UNREACHABLE, Cause.SLOW, Cause.SERVER_ERROR, Cause.EXPIRED]
)
def test_what_passes_by_itself_is_tried_again_and_ends(cause):
    asking = Asking()
    assert asking.retries.attempt(asking.failing(cause, times=3)) == "done"
    assert asking.asked == 4
    begun = asking.now
    with pytest.raises(StorageError) as caught:
        asking.retries.attempt(asking.failing(cause))
    assert caught.value.cause == cause
    assert asking.now - begun < 20
    assert max(asking.slept) <= 3


@pytest.mark.parametrize(
    "cause", sorted(set(Cause) - {Cause.UNREACHABLE, Cause.SLOW, Cause.SERVER_ERROR, Cause.EXPIRED})
)
def test_nothing_else_is(cause):
    asking = Asking()
    with pytest.raises(StorageError):
        asking.retries.attempt(asking.failing(cause))
    assert asking.asked == 1
    assert not passes_by_itself(ValueError())


def test_after_slow_down_all_wait_longer_each_time_until_it_goes_well():
    asking = Asking()
    waits = []
    for _ in range(8):
        asking.retries.went_wrong(slow_down())
        asking.retries.keep_calm()
        waits.append(asking.slept[-1])
    for wait, least in zip(waits, (0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0), strict=True):
        assert least <= wait <= least * 1.25
    asking.retries.went_well()
    asking.retries.went_wrong(slow_down("503"))
    asking.retries.keep_calm()
    assert asking.slept[-1] <= 0.25


def test_hands_that_were_told_together_wait_once():
    asking = Asking()
    for _ in range(8):
        asking.retries.went_wrong(slow_down())
    asking.retries.keep_calm()
    asking.retries.keep_calm()
    assert len(asking.slept) == 1
    assert asking.slept[0] <= 0.25


def test_a_store_is_left_alone_as_long_as_it_asks_but_not_for_ever():
    asking = Asking(limit=20)
    asking.retries.went_wrong(slow_down(**{"retry-after": "7"}))
    asking.retries.keep_calm()
    assert 7 <= asking.slept[-1] <= 7 * 1.25
    asking.retries.went_wrong(slow_down(**{"retry-after": "86400"}))
    asking.retries.keep_calm()
    assert asking.slept[-1] <= 20 * 1.25


def test_other_errors_ask_nobody_to_wait():
    asking = Asking()
    for other in (slow_down("InternalError"), OSError(), None):
        asking.retries.went_wrong(other)
    asking.retries.keep_calm()
    assert asking.slept == []


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (None, 0.0),
        ("3", 3.0),
        ("-3", 0.0),
        ("soon", 0.0),
        ("Mon, 23 Nov 2026 03:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 02:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(written, seconds):
    assert seconds_of(written, NOW) == seconds
