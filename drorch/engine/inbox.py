"""What comes to a run from outside its loop: results, requests to stop."""

from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TypeAlias

from drorch.core.events import AbortRequested
from drorch.engine.attempts import Done


@dataclass(frozen=True, slots=True)
class Leave:
    """Stop carrying the run, now, without ending it."""

    reason: str


Item: TypeAlias = Done | AbortRequested | Leave


class Inbox:
    """What comes from outside the loop; safe to fill from threads and signal handlers."""

    def __init__(self) -> None:
        self._items: SimpleQueue[Item] = SimpleQueue()

    def put(self, item: Item) -> None:
        """Hand something to the loop."""
        self._items.put(item)

    def wait(self, timeout: float) -> list[Item]:
        """What has come, after waiting at most `timeout` seconds for the first of it."""
        items: list[Item] = []
        try:
            items.append(self._items.get(timeout=timeout))
            while True:
                items.append(self._items.get_nowait())
        except Empty:
            return items
