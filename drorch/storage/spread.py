"""One body to several regions at once: read once, hashed once, shown nowhere until it is right.

Each region has a thread that sends what it is given. The last bytes are given only once the hash
is right; until then a store shows nothing. The slowest region sets the pace: no more than a few
pieces wait for it, so that memory does not grow with the object.

What is damaged between here and a store is the store's to refuse, by the SHA-256. One that does not
look says in its ETag which MD5 it has got; where that says nothing either, what it holds is read
back. Nothing is acknowledged before.
"""

import hashlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from drorch.core.errors import StorageError
from drorch.storage.bucket import CHUNK, Bucket, Checks
from drorch.storage.carry import read_back
from drorch.storage.layout import repository_of

#: How many pieces may wait for a region that is slower than the others.
_AHEAD = 4

#: How often a giver looks whether the taker is still there, in seconds.
_LOOK = 0.2


class Wrong(Exception):
    """The body ended early, or is not what its name says; nothing was written anywhere."""


def spread(
    read: Callable[[int], bytes],
    size: int,
    digest: bytes,
    buckets: Sequence[Bucket],
    path: str,
    passing: Callable[[int], None],
    piece: Callable[[int], int] = lambda most: most,
) -> dict[Bucket, StorageError]:
    """Write an object to every bucket; returns those that failed, and why. Nothing is tried again.

    `read(n)` gives the next n bytes at most, of `size` in all, whose SHA-256 is `digest`.
    `passing` is told of bytes as they are sent, to each bucket by itself, and may wait; `piece`
    says how many to handle at once. Raises Wrong.
    """
    looking, failed = _looking(buckets, repository_of(path))
    md5 = None if all(looking.values()) else hashlib.md5(usedforsecurity=False)
    writers = [_Writer(bucket, path, size, digest) for bucket in looking]
    try:
        held = _pump(read, size, digest, md5, writers, passing, piece)
    except BaseException:
        for writer in writers:
            writer.withhold()
        raise
    for writer in writers:
        writer.end(held)
    for writer in writers:
        writer.thread.join()
    for writer in writers:
        if md5 is not None and not looking[writer.bucket]:
            writer.prove(md5.hexdigest())
    return failed | {w.bucket: w.error for w in writers if w.error is not None}


def _looking(
    buckets: Sequence[Bucket], repository: str
) -> tuple[dict[Bucket, bool], dict[Bucket, StorageError]]:
    """Which stores look at the SHA-256 by themselves, and why others did not say."""
    looking: dict[Bucket, bool] = {}
    failed: dict[Bucket, StorageError] = {}
    for bucket in buckets:
        try:
            looking[bucket] = bucket.checks(repository) is Checks.SHA256
        except StorageError as error:
            failed[bucket] = error
    return looking, failed


def _pump(
    read: Callable[[int], bytes],
    size: int,
    digest: bytes,
    md5: Any,
    writers: Sequence["_Writer"],
    passing: Callable[[int], None],
    piece: Callable[[int], int],
) -> bytes:
    """Give everything but the last piece, which is returned once the whole is right."""
    seen, left, held = hashlib.sha256(), size, b""
    while left:
        chunk = read(min(piece(CHUNK), left))
        if not chunk:
            raise Wrong
        left -= len(chunk)
        seen.update(chunk)
        if md5 is not None:
            md5.update(chunk)
        if held:
            for writer in writers:
                writer.give(held)
        held = chunk
        passing(len(chunk) * len(writers))
    if seen.digest() != digest:
        raise Wrong
    return held


class _Withheld(Exception):
    """The rest will not come: the connection must break before the object is whole."""


class _Writer:
    """Sends one object to one bucket, in a thread of its own, as its pieces are given."""

    def __init__(self, bucket: Bucket, path: str, size: int, digest: bytes) -> None:
        self.bucket = bucket
        self.error: StorageError | None = None
        self._path, self._size, self._digest = path, size, digest
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
        self._gone = threading.Event()
        self._over = False
        self._etag = ""
        self.thread = threading.Thread(target=self._write, name="spread", daemon=True)
        self.thread.start()

    def give(self, piece: bytes | None) -> None:
        """Hand a piece over; waits while the region is behind, and not for one that failed."""
        while not self._gone.is_set():
            try:
                self._pieces.put(piece, timeout=_LOOK)
            except queue.Full:
                continue
            return

    def end(self, last: bytes) -> None:
        """Give the last piece, and say that it was the last."""
        self.give(last)
        self.give(b"")

    def withhold(self) -> None:
        """Say that the rest will not come."""
        self.give(None)

    def prove(self, md5: str) -> None:
        """Find out whether a store that checks no SHA-256 has got what it was sent."""
        if self.error is None and self._etag != md5:
            try:
                read_back(self.bucket, self._path, self._digest)
            except StorageError as error:
                self.error = error

    def read(self, _: int = -1) -> bytes:
        """The next piece, for the sender; empty at the end."""
        if self._over:
            return b""
        piece = self._pieces.get()
        if piece is None:
            raise _Withheld
        self._over = not piece
        return piece

    def _write(self) -> None:
        try:
            self._etag = self.bucket.put_stream(self._path, self, self._size, self._digest)
        except StorageError as error:
            self.error = error
        except _Withheld:
            pass
        finally:
            self._gone.set()
