"""What a process says: its lines as they come, and the last of it for the record."""

from drorch.ports import LineSink

LONGEST_LINE = 1 << 20


class Output:
    """One stream of a process: hands lines to a sink, keeps the last `keep` bytes."""

    __slots__ = ("_keep", "_parts", "_sink", "_size", "_tail")

    def __init__(self, keep: int, sink: LineSink | None) -> None:
        self._keep = keep
        self._sink = sink
        self._tail = bytearray()
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        self._tail += data
        if len(self._tail) > 2 * self._keep:
            del self._tail[: -self._keep or None]
        if self._sink is not None:
            self._split(self._sink, data)

    def finish(self) -> None:
        """The stream has ended: hand over a last line that had no line end."""
        if self._sink is not None and self._parts:
            self._emit(self._sink)

    def text(self) -> str:
        """The last `keep` bytes; a character cut in two at the front is left out."""
        kept = bytes(self._tail[-self._keep or len(self._tail) :])
        if len(kept) < len(self._tail):
            kept = kept[_continuation(kept) :]
        return kept.decode("utf-8", "replace")

    def _split(self, sink: LineSink, data: bytes) -> None:
        *whole, rest = data.split(b"\n")
        for part in whole:
            self._add(sink, part)
            self._emit(sink)
        if rest:
            self._add(sink, rest)

    def _add(self, sink: LineSink, part: bytes) -> None:
        while self._size + len(part) > LONGEST_LINE:
            room = LONGEST_LINE - self._size
            room -= next(
                (n for n in range(min(4, room)) if not _is_continuation(part[room - n])), 0
            )
            self._parts.append(part[:room])
            part = part[room:]
            self._emit(sink)
        self._parts.append(part)
        self._size += len(part)

    def _emit(self, sink: LineSink) -> None:
        line = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        sink(line.removesuffix(b"\r").decode("utf-8", "replace"))


def _is_continuation(byte: int) -> bool:
    return byte & 0b1100_0000 == 0b1000_0000


def _continuation(data: bytes) -> int:
    return next((i for i, byte in enumerate(data[:4]) if not _is_continuation(byte)), 0)
