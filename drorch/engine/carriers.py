"""Threads that carry attempts. One that is free carries the next: to start one costs more than a
small step, since whoever starts a thread waits until it runs.
"""

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeAlias

Work: TypeAlias = Callable[[], None]


class Carriers:
    """As many threads as there is work at once; each waits for more when it is done.

    They are daemons: work that never ends cannot keep the process.
    """

    def __init__(self) -> None:
        self._free: deque[SimpleQueue[Work]] = deque()

    def carry(self, work: Work) -> None:
        """Carry the work in a thread; returns at once."""
        try:
            door = self._free.pop()
        except IndexError:
            door = SimpleQueue()
            threading.Thread(target=self._serve, args=(door,), name="attempt", daemon=True).start()
        door.put(work)

    def _serve(self, door: "SimpleQueue[Work]") -> None:
        while True:
            door.get()()
            self._free.append(door)


_OURS = Carriers()


def in_thread(work: Work) -> None:
    """Carry the work in one of this process's threads."""
    _OURS.carry(work)
