"""The steps that may begin, in the order of the plan: what stands earlier goes first.

So of many that go side by side, each comes to its own end before further ones are begun, as far as
room for attempts goes. Adding, taking out and looking at the first few cost what they are, however
many wait.
"""

import heapq
from collections.abc import Iterator, Sequence


class Ready:
    """An ordered set of steps by id; `order` are all ids in the order of the plan."""

    __slots__ = ("_heap", "_ranks", "_there")

    def __init__(self, order: Sequence[str]) -> None:
        self._ranks = {step: rank for rank, step in enumerate(order)}
        self._there: set[str] = set()
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._there)

    def __eq__(self, other: object) -> bool:
        """By what is in it, not by how it came there."""
        return isinstance(other, Ready) and self._there == other._there

    __hash__ = None  # type: ignore[assignment] # it changes

    def __iter__(self) -> Iterator[str]:
        """Walk the heap from the smallest on, without taking anything out."""
        seen: set[str] = set()
        frontier = [(self._heap[0], 0)] if self._heap else []
        while frontier:
            (_, step), index = heapq.heappop(frontier)
            for child in (2 * index + 1, 2 * index + 2):
                if child < len(self._heap):
                    heapq.heappush(frontier, (self._heap[child], child))
            # What was taken out, or added again, lies in the heap until it comes to its top.
            if step in self._there and step not in seen:
                seen.add(step)
                yield step

    def add(self, step: str) -> None:
        """The step may begin; no matter if that was known."""
        if step not in self._there:
            self._there.add(step)
            heapq.heappush(self._heap, (self._ranks[step], step))

    def discard(self, step: str) -> None:
        """It has begun, or will not; no matter if it was not there."""
        self._there.discard(step)
        while self._heap and self._heap[0][1] not in self._there:
            heapq.heappop(self._heap)
