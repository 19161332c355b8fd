"""One object from one region to another, proven on the way.

A store that checks the SHA-256 it is told is sent the bytes as they come, hashed as they pass, and
the last of them only once the hash is right: a store shows an object only when all of it has come,
so a damaged one never appears, no disk is needed, and memory does not grow with the object.

What is damaged between here and the store is the store's to refuse. Amazon's and Ceph's do, by the
SHA-256. `rclone serve s3` checks an MD5 alone, which must be known before the first byte is sent:
objects are held as a whole for it, or, if they are large, read twice. Where a store checks nothing,
what it holds is read back.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drorch.core.errors import StorageError
from drorch.storage.bucket import Bucket, Checks, Reading, md5_of
from drorch.storage.faults import took_another
from drorch.storage.layout import repository_of

#: Bytes that may be held for stores that must be told the MD5, by all hands together, and of one
#: object: more is read twice.
_ROOM, _LARGEST = 48 << 20, 24 << 20

#: Seconds after which who waits for room looks whether it is still wanted.
_LOOK = 0.2


class Damaged(Exception):
    """The bytes are not those the name promises."""


Passing = Callable[[int], None]
Piece = Callable[[int], int]


def carry(
    source: Bucket,
    destination: Bucket,
    path: str,
    digest: bytes,
    passing: Passing,
    piece: Piece = lambda most: most,
) -> int:
    """Copy the object once and return its size in bytes; never tried again here.

    `digest` is its SHA-256; `passing` is told of bytes as they go, may wait, and may raise to
    stop; `piece` says how many to handle at once. Raises Damaged, with nothing written, and
    StorageError of whichever region failed.
    """
    checks = destination.checks(repository_of(path))
    if checks is Checks.MD5:
        return _with_md5(source, destination, path, digest, passing, piece)
    with source.stream(path, piece=piece) as reading:
        size = _streamed(reading, destination, path, digest, passing)
    if checks is Checks.NOTHING:
        read_back(destination, path, digest)
    return size


def deliver(destination: Bucket, path: str, content: bytes, *, only_new: bool = False) -> None:
    """Write a small object that is held as a whole, so that the region has it undamaged."""
    destination.put(path, content, only_new=only_new)
    if destination.checks(repository_of(path)) is Checks.NOTHING:
        read_back(destination, path, hashlib.sha256(content).digest())


def _streamed(
    reading: Reading,
    destination: Bucket,
    path: str,
    digest: bytes,
    passing: Passing,
    md5: bytes | None = None,
) -> int:
    body = Proven(reading, digest, passing)
    try:
        destination.put_stream(path, body, reading.size, digest, md5=md5)
    except StorageError:
        # What went wrong while reading comes back as a broken connection to the writer.
        if body.trouble is not None:
            raise body.trouble from None
        raise
    return reading.size


def _with_md5(
    source: Bucket, destination: Bucket, path: str, digest: bytes, passing: Passing, piece: Piece
) -> int:
    with source.stream(path, piece=piece) as reading:
        if reading.size <= _LARGEST:
            with _room.taken(reading.size, passing):
                content = _held(reading, digest, passing)
                md5 = md5_of(content)
                destination.put_stream(path, content, len(content), digest, md5=md5)
            return len(content)
    md5 = _read_for_md5(source, path, passing)
    with source.stream(path, piece=piece) as reading:
        return _streamed(reading, destination, path, digest, passing, md5)


def _held(reading: Reading, digest: bytes, passing: Passing) -> bytearray:
    content = bytearray()
    for chunk in reading.chunks:
        content += chunk
        passing(len(chunk))
    if len(content) != reading.size or hashlib.sha256(content).digest() != digest:
        raise Damaged
    return content


def _read_for_md5(source: Bucket, path: str, passing: Passing) -> bytes:
    """What is wrong here is found when it is read again."""
    seen = hashlib.md5(usedforsecurity=False)
    with source.stream(path) as reading:
        for chunk in reading.chunks:
            seen.update(chunk)
            passing(0)
    return seen.digest()


def read_back(destination: Bucket, path: str, digest: bytes) -> None:
    """Read what the store holds; remove it again, and raise StorageError, if it is not what was
    sent.
    """
    seen = hashlib.sha256()
    with destination.stream(path) as reading:
        for chunk in reading.chunks:
            seen.update(chunk)
    if seen.digest() != digest:
        destination.delete(path)
        raise took_another(destination.region, path)


class _Room:
    """Bytes that may be held at once; who wants more waits until others have done."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, size: int, passing: Passing) -> Iterator[None]:
        """Hold so many; `passing` is told of nothing meanwhile, and may raise to stop."""
        with self._changed:
            while self._left < size:
                self._changed.wait(_LOOK)
                passing(0)
            self._left -= size
        try:
            yield
        finally:
            with self._changed:
                self._left += size
                self._changed.notify_all()


_room = _Room(_ROOM)


class Proven:
    """A body for `Bucket.put_stream` that gives its last bytes only if all of them are right.

    `trouble` is what went wrong while reading, if anything did.
    """

    def __init__(self, reading: Reading, digest: bytes, passing: Passing) -> None:
        self._chunks = reading.chunks
        self._left = reading.size
        self._digest = digest
        self._hash = hashlib.sha256()
        self._passing = passing
        self._held = self._pull()
        self.trouble: Exception | None = None

    def read(self, _: int = -1) -> bytes:
        """The next piece, of whatever length; the sender does not mind, and 16 KiB would be slow."""
        try:
            return self._next()
        except Exception as error:
            self.trouble = error
            raise

    def _next(self) -> bytes:
        following = self._pull() if self._held else b""
        given, self._held = self._held, following
        self._passing(len(given))
        return given

    def _pull(self) -> bytes:
        """The next piece from the source; with the last one, the whole is judged."""
        chunk = next(self._chunks, b"")
        self._hash.update(chunk)
        self._left -= len(chunk)
        ended = self._left <= 0 or not chunk
        if ended and (self._left != 0 or self._hash.digest() != self._digest):
            raise Damaged
        return chunk
