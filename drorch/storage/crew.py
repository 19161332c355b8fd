"""Many hands for many objects: threads that draw from one source until it is empty."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: How long a stopped crew is waited for. A hand may hang in a read from a dead region until its
#: timeout; it is left behind then, and does nothing more when it wakes.
_LEAVING = timedelta(seconds=2)


class Stop:
    """Tells a crew to stop, once; thread-safe."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> None:
        """Ask for it."""
        self._event.set()

    @property
    def asked(self) -> bool:
        """Whether to stop."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until it is asked for; whether it is."""
        return self._event.wait(seconds)


def each(items: Iterable[T], work: Callable[[T], None], *, hands: int, stop: Stop) -> None:
    """Call `work` for every item, `hands` at a time; items are drawn one by one as hands are free.

    The first exception of `work`, or of the items, stops the crew and is raised. Returns early
    without one when `stop` is asked for from outside.
    """
    crew = _Crew(items, work, stop)
    threads = [
        threading.Thread(target=crew.work_on, name=f"mirror-{n}", daemon=True) for n in range(hands)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            _join(thread, stop)
    except BaseException:
        stop()
        raise
    if crew.failure is not None:
        raise crew.failure


def _join(thread: threading.Thread, stop: Stop) -> None:
    until: float | None = None
    while thread.is_alive():
        thread.join(0.1)
        if stop.asked:
            until = until or time.monotonic() + _LEAVING.total_seconds()
            if time.monotonic() > until:
                return


def ahead(
    items: Iterable[T], work: Callable[[T], R], *, hands: int, stop: Stop
) -> Iterator[tuple[T, R]]:
    """Every item with what `work` makes of it, in order, made for `hands` items before they are read.

    An exception of `work` is raised when its item's turn comes. Ends early when `stop` is asked for.
    """
    source = iter(items)
    begun = deque(_Job(item, work) for item in itertools.islice(source, hands))
    while begun:
        job = begun.popleft()
        while not job.aside.over.wait(0.1):
            if stop.asked:
                return
        begun.extend(_Job(item, work) for item in itertools.islice(source, 1))
        yield job.item, job.aside.result()


class Aside(Generic[R]):
    """Something done in a thread of its own, begun at once. Nobody has to wait for it."""

    def __init__(self, work: Callable[[], R], name: str = "aside") -> None:
        self.over = threading.Event()
        self._work = work
        self._made: list[R] = []
        self._failure: BaseException | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            self._made.append(self._work())
        except BaseException as failure:  # noqa: BLE001 - raised again when it is asked for
            self._failure = failure
        self.over.set()

    def result(self) -> R:
        """What it came to, waited for; raises what it raised."""
        self.over.wait()
        if self._failure is not None:
            raise self._failure
        return self._made[0]


class _Job(Generic[T, R]):
    """One item's work in a thread of its own."""

    def __init__(self, item: T, work: Callable[[T], R]) -> None:
        self.item = item
        self.aside = Aside(partial(work, item), "ahead")


class _Crew(Generic[T]):
    def __init__(self, items: Iterable[T], work: Callable[[T], None], stop: Stop) -> None:
        self._items = iter(items)
        self._drawing = threading.Lock()
        self._work = work
        self._stop = stop
        self.failure: BaseException | None = None

    def work_on(self) -> None:
        """What one hand does."""
        try:
            for item in iter(self._draw, None):
                self._work(item[0])
        except BaseException as failure:  # noqa: BLE001 - raised again by the waiting thread
            if not self._stop.asked:
                self.failure = failure
                self._stop()

    def _draw(self) -> tuple[T] | None:
        with self._drawing:
            return None if self._stop.asked else next(((item,) for item in self._items), None)
