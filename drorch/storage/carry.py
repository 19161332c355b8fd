"""One object from one region to another, proven on the way.

Its bytes are hashed as they stream through, and the last of them are sent only once the hash is
right: a store shows an object only when all of it has come, so a damaged one never appears, no
disk is needed, and memory does not grow with the object.
"""

import hashlib
from collections.abc import Callable

from drorch.core.errors import StorageError
from drorch.storage.bucket import Bucket, Reading


class Damaged(Exception):
    """The bytes are not those the name promises."""


def carry(
    source: Bucket,
    destination: Bucket,
    path: str,
    digest: bytes,
    passing: Callable[[int], None],
) -> int:
    """Copy the object once and return its size in bytes; never tried again here.

    `digest` is its SHA-256; `passing` is told of bytes as they go, and may raise to stop. Raises
    Damaged, with nothing written, and StorageError of whichever region failed.
    """
    with source.stream(path) as reading:
        body = Proven(reading, digest, passing)
        try:
            destination.put_stream(path, body, reading.size, digest)
        except StorageError:
            # What went wrong while reading comes back as a broken connection to the writer.
            if body.trouble is not None:
                raise body.trouble from None
            raise
        return reading.size


class Proven:
    """A body for `Bucket.put_stream` that gives its last bytes only if all of them are right.

    `trouble` is what went wrong while reading, if anything did.
    """

    def __init__(self, reading: Reading, digest: bytes, passing: Callable[[int], None]) -> None:
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
