"""One object brought back in a bucket that keeps versions: its good version proven, then made to show.

By taking away the delete markers above it, where it is the newest version and the key may do that;
else by a copy on top. Nothing else is ever deleted.
"""

import hashlib
from functools import partial

from drorch.core.errors import StorageError
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause
from drorch.storage.past import History, content, covering
from drorch.storage.versions import Version, copy_to_top, histories, reading, remove_marker

#: How often a version with the wrong hash is read before it is called bad: the network may lie.
_READINGS = 2


class Bringing:
    """Brings objects of one bucket back. Thread-safe."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._may_remove = True

    def is_good(self, version: Version, digest: bytes) -> bool:
        """Whether its content has this SHA-256."""
        doing = f"read {version.name}"
        for _ in range(_READINGS):
            if self._bucket.attempt(doing, partial(self._hash, version)) == digest:
                return True
        return False

    def read(self, version: Version) -> bytes:
        """Its whole content, in memory: for small ones."""

        def once() -> bytes:
            with reading(self._bucket, version) as chunks:
                return b"".join(chunks)

        return self._bucket.attempt(f"read {version.name}", once)

    def put_on_top(self, good: Version, history: History) -> None:
        """Make the content of this version show."""
        above = covering(history)
        newest = next(v for v in history if not v.marker)
        # While versioning is suspended a marker has the id `null`, and so has what is written next.
        plain = content(newest) == content(good) and all(v.id != "null" for v in above)
        if not (above and plain and self._removed(above)):
            self._copied(good)

    def _removed(self, markers: tuple[Version, ...]) -> bool:
        """False if the key may not: then nobody is asked again."""
        try:
            for marker in markers if self._may_remove else ():
                remove_marker(self._bucket, marker)
        except StorageError as error:
            if error.cause != Cause.CREDENTIALS:
                raise
            self._may_remove = False
        return self._may_remove

    def _copied(self, good: Version) -> None:
        """The store copies by itself; what it then has is held against what was proven."""
        etag = copy_to_top(self._bucket, good)
        if etag.strip('"') == good.etag.strip('"'):
            return
        (history,) = (h for h in histories(self._bucket, good.name) if h[0].name == good.name)
        if self._hash(history[0]) != self._hash(good):
            raise StorageError(
                f"region {self._bucket.region.name}: the store made a damaged copy of {good.name}",
                "try again; if it stays so, bring the object from another region",
                Cause.DAMAGED,
            )

    def _hash(self, version: Version) -> bytes:
        digest = hashlib.sha256()
        with reading(self._bucket, version) as chunks:
            for chunk in chunks:
                digest.update(chunk)
        return digest.digest()
