import threading
from collections.abc import Iterator

import pytest

from drorch.storage.crew import Stop, ahead, each


def test_every_item_once_however_many_hands():
    done: list[int] = []
    each(range(500), done.append, hands=8, stop=Stop())
    assert sorted(done) == list(range(500))


def test_items_are_drawn_only_as_hands_are_free():
    drawn: list[int] = []
    done: list[int] = []
    behind: list[int] = []

    def source() -> Iterator[int]:
        for n in range(100):
            drawn.append(n)
            behind.append(len(drawn) - len(done))
            yield n

    each(source(), done.append, hands=3, stop=Stop())
    assert max(behind) <= 3
    assert len(done) == 100


def test_hands_work_side_by_side():
    together = threading.Barrier(4, timeout=10)
    each(range(4), lambda _: together.wait(), hands=4, stop=Stop())
    assert not together.broken


def test_the_first_failure_stops_the_crew_and_is_raised():
    stop = Stop()
    seen: list[int] = []

    def work(n: int) -> None:
        if n == 3:
            raise ValueError(n)
        seen.append(n)

    with pytest.raises(ValueError, match="3"):
        each(range(1_000_000), work, hands=1, stop=stop)
    assert seen == [0, 1, 2]
    assert stop.asked


def test_a_failing_source_is_a_failure_too():
    def source() -> Iterator[int]:
        yield 1
        raise OSError("listing broke off")

    with pytest.raises(OSError, match="broke off"):
        each(source(), lambda _: None, hands=2, stop=Stop())


def test_stopped_from_outside_it_returns_without_a_failure():
    stop = Stop()
    seen: list[int] = []

    def work(n: int) -> None:
        seen.append(n)
        if n == 5:
            stop()

    each(range(1_000_000), work, hands=1, stop=stop)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_a_hand_that_hangs_does_not_hold_up_a_stopped_crew():
    release = threading.Event()
    stop = Stop()

    def work(n: int) -> None:
        if n == 0:
            stop()
            release.wait(60)

    each(range(10), work, hands=1, stop=stop)
    assert not release.is_set()
    release.set()


def test_results_come_in_order_and_are_made_ahead():
    together = threading.Barrier(3, timeout=10)

    def work(n: int) -> int:
        if n < 3:
            together.wait()
        return n * n

    assert list(ahead(range(7), work, hands=3, stop=Stop())) == [(n, n * n) for n in range(7)]


def test_no_more_is_made_ahead_than_was_asked_for():
    begun: list[int] = []
    results = ahead(range(100), begun.append, hands=4, stop=Stop())
    for read in range(1, 20):
        next(results)
        assert len(begun) <= read + 4


def test_a_failure_made_ahead_is_raised_in_its_turn():
    def work(n: int) -> int:
        if n == 2:
            raise ValueError(n)
        return n

    results = ahead(range(9), work, hands=4, stop=Stop())
    assert [next(results), next(results)] == [(0, 0), (1, 1)]
    with pytest.raises(ValueError, match="2"):
        next(results)


def test_who_waits_for_what_hangs_is_let_go_by_a_stop():
    stop, release = Stop(), threading.Event()

    def work(n: int) -> int:
        if n == 1:
            stop()
            release.wait(60)
        return n

    assert list(ahead(range(9), work, hands=1, stop=stop)) == [(0, 0)]
    release.set()
