"""Threads that carry attempts: kept for the next, and never in each other's way."""

import threading
from queue import SimpleQueue

from drorch.engine.carriers import Carriers


def test_work_side_by_side_is_not_held_up_by_work_that_never_ends():
    carriers = Carriers()
    said: SimpleQueue[str] = SimpleQueue()
    gate = threading.Event()

    def stuck() -> None:
        said.put("stuck")
        gate.wait()

    for _ in range(3):
        carriers.carry(stuck)
    carriers.carry(lambda: said.put("went on"))
    found = [said.get(timeout=30) for _ in range(4)]
    assert sorted(found) == ["stuck"] * 3 + ["went on"]
    gate.set()


def test_threads_are_kept_for_the_next_and_are_daemons():
    carriers = Carriers()
    said: SimpleQueue[threading.Thread] = SimpleQueue()
    seen = set()
    for _ in range(200):
        carriers.carry(lambda: said.put(threading.current_thread()))
        thread = said.get(timeout=30)
        assert thread.daemon
        seen.add(thread)
    # A second one may have been started before the first was free again.
    assert len(seen) < 50


def test_work_that_breaks_its_thread_breaks_no_other(monkeypatch):
    carriers = Carriers()
    broke: SimpleQueue[type[BaseException]] = SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", lambda told: broke.put(told.exc_type))

    def breaks() -> None:
        raise ZeroDivisionError

    carriers.carry(breaks)
    assert broke.get(timeout=30) is ZeroDivisionError
    said: SimpleQueue[int] = SimpleQueue()
    carriers.carry(lambda: said.put(1))
    assert said.get(timeout=30) == 1
