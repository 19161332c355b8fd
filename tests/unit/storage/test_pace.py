"""A pace on a clock that goes only when somebody waits: nothing here sleeps."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from drorch.core.model import Window
from drorch.storage.crew import Stop
from drorch.storage.pace import FREE, Flow, Pace, flow_of, hourly, make_pace
from tests.fakes.clock import FakeClock

KIB = 1024.0


class Passing:
    """Time that passes as it is waited for."""

    def __init__(self) -> None:
        self.clock = FakeClock(ticks=0.0)
        self.waits: list[float] = []
        self.waiting: Callable[[], None] = lambda: None

    @property
    def seconds(self) -> float:
        return self.clock.now().ticks

    def wait(self, stop: Stop, seconds: float) -> None:
        assert not stop.asked
        self.waits.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))
        self.waiting()

    def pace(self, rate: Callable[[], float | None]) -> Pace:
        return Pace(rate, now=lambda: self.seconds, wait=self.wait)


def test_what_passes_is_the_rate_times_the_time():
    time = Passing()
    pace = time.pace(lambda: 100.0)
    for _ in range(101):
        pace.take(50)
    assert time.seconds == pytest.approx(50.0)


def test_without_a_limit_nobody_waits():
    time = Passing()
    pace = time.pace(lambda: None)
    for _ in range(100):
        pace.take(1 << 30)
    assert time.waits == []


def test_after_a_pause_only_a_little_is_caught_up():
    time = Passing()
    pace = time.pace(lambda: 100.0)
    pace.take(100)
    time.clock.advance(timedelta(hours=1))
    begun = time.seconds
    for _ in range(11):
        pace.take(10)
    assert time.seconds - begun == pytest.approx(0.9)


def test_when_the_limit_ends_who_waits_goes_on_within_a_second():
    time = Passing()
    limit: list[float | None] = [1.0]
    pace = time.pace(lambda: limit[0])
    pace.take(1000)

    def end() -> None:
        if time.seconds >= 10:
            limit[0] = None

    time.waiting = end
    pace.take(1)
    assert 10 <= time.seconds <= 11
    limit[0] = 1.0
    before = time.seconds
    pace.take(1)
    assert time.seconds - before == 0, "nothing is owed from before"


def test_a_limit_that_changes_holds_for_those_who_wait_already():
    time = Passing()
    limit = [1.0]
    pace = time.pace(lambda: limit[0])
    pace.take(101)
    time.waiting = lambda: limit.__setitem__(0, 100.0)
    pace.take(1)
    assert time.seconds == pytest.approx(1.0 + 0.01)


def test_who_is_told_to_stop_waits_no_more():
    time = Passing()
    pace = time.pace(lambda: 1.0)
    stop = Stop()
    pace.take(1 << 20, stop)
    time.waiting = lambda: stop() if time.seconds > 2 else None
    pace.take(1, stop)
    assert time.seconds <= 3.5


def test_a_hand_that_really_waits_is_woken_by_the_stop():
    pace = Pace(lambda: 1.0)
    stop = Stop()
    pace.take(1 << 40, stop)
    hand = threading.Thread(target=pace.take, args=(1, stop))
    hand.start()
    stop()
    hand.join(10)
    assert not hand.is_alive()


def test_hands_share_one_rate():
    lock = threading.Lock()
    time = Passing()

    def wait(stop: Stop, seconds: float) -> None:
        with lock:
            time.wait(stop, seconds)

    pace = Pace(lambda: 1000.0, now=lambda: time.seconds, wait=wait)
    hands = [threading.Thread(target=lambda: [pace.take(10) for _ in range(100)]) for _ in range(8)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    # Each of the hands waits on this clock by itself, so more time may pass, but never less.
    assert time.seconds >= (8 * 100 - 1) * 10 / 1000.0 - 0.1


def test_a_piece_is_a_quarter_of_a_second_so_that_no_hand_waits_long():
    assert Pace(lambda: None).piece(1 << 18) == 1 << 18
    assert Pace(lambda: 100 * KIB).piece(1 << 18) == 25 * 1024
    assert Pace(lambda: 1e9).piece(1 << 18) == 1 << 18
    assert Pace(lambda: 1.0).piece(1 << 18) == 1


@pytest.mark.parametrize(
    ("utc", "limited"),
    [
        # Toronto is five hours behind in winter and four in summer.
        (datetime(2026, 1, 15, 10, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 15, 11, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 15, 10, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 15, 9, 59, tzinfo=UTC), False),
        (datetime(2026, 7, 16, 1, 59, tzinfo=UTC), True),
        (datetime(2026, 7, 16, 2, 0, tzinfo=UTC), False),
    ],
)
def test_hours_are_local(utc, limited):
    rate = hourly(5.0, "06:00-22:00", FakeClock(utc), "America/Toronto")
    assert rate() == (5.0 if limited else None)


def test_without_hours_it_is_the_whole_day_and_without_a_limit_nothing():
    assert hourly(5.0, None, FakeClock(), "UTC")() == 5.0
    assert make_pace(None, "06:00-22:00", FakeClock(), "UTC") is None
    pace = make_pace(1 << 20, "06:00-22:00", FakeClock(), "UTC")
    assert pace is not None
    assert pace.piece(1 << 30) == 1 << 30, "03:00 is outside"


def test_what_goes_from_region_to_region_waits_for_both_ways():
    time = Passing()
    slow, slower = time.pace(lambda: 100.0), time.pace(lambda: 50.0)
    flow = Flow(sending=slow, receiving=slower)
    for _ in range(11):
        flow.carry(100, Stop())
    assert time.seconds == pytest.approx(20.0, abs=0.2)
    assert flow.piece(1 << 18) == 12
    assert FREE.piece(1 << 18) == 1 << 18
    FREE.carry(1 << 40, Stop())
    assert time.seconds == pytest.approx(20.0, abs=0.2)


def test_all_that_is_done_with_a_dataset_shares_its_window():
    clock, window = FakeClock(), Window(limit_upload=1 << 20)
    flow = flow_of("docs", window, clock, "UTC")
    assert flow_of("docs", window, clock, "UTC") is flow
    assert flow_of("db", window, clock, "UTC") is not flow
    assert flow_of("docs", Window(limit_upload=2 << 20), clock, "UTC") is not flow
    assert flow.receiving is None
    assert flow.sending is not None
    assert flow.sending.rate == 1 << 20
