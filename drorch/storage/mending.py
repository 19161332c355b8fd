"""How one object is found whole and brought to where it is needed: read, judged, written, raised.

The parts of a healing (heal.py) that know buckets and bytes.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from drorch.core.errors import StorageError
from drorch.storage.bringing import Bringing
from drorch.storage.bucket import Bucket
from drorch.storage.carry import Damaged, carry, deliver
from drorch.storage.crew import Stop
from drorch.storage.faults import Cause
from drorch.storage.genuine import JUDGED, Judge, too_large
from drorch.storage.layout import CONFIG, Named
from drorch.storage.past import contents
from drorch.storage.retries import passes_by_itself
from drorch.storage.scrub import read_and_hash
from drorch.storage.versions import Version, histories, keeps_versions

#: How often an object with the wrong hash is read before it is called damaged: the network may lie.
_READINGS = 2


class Stopped(Exception):
    """The crew was told to stop."""


class NotOurs(Exception):
    """An object is undamaged and not genuine; the text says why."""


class Mender:
    """Knows the regions of one repository by name, and which of them still take part.

    `troubles` is by region why it takes no part any more. Thread-safe.
    """

    def __init__(
        self,
        buckets: Mapping[str, Bucket],
        repository: str,
        *,
        judge: Judge,
        stop: Stop,
        passing: Callable[[int, Stop], None],
    ) -> None:
        self.troubles: dict[str, StorageError] = {}
        self.bytes = 0
        self._buckets = buckets
        self._repository = repository
        self._judge = judge
        self._stop = stop
        self._pace = passing
        self._lock = threading.Lock()
        self._versioned: dict[str, bool] = {}

    @property
    def living(self) -> list[str]:
        """The regions that take part."""
        return [region for region in self._buckets if region not in self.troubles]

    def away(self, region: str, error: StorageError) -> None:
        """A region that fails takes no part any more; the others go on."""
        with self._lock:
            self.troubles.setdefault(region, error)

    def is_whole(self, region: str, named: Named) -> bool | None:
        """Whether what the region shows is what its name says; None if it cannot be asked."""
        try:
            return any(self._digest(region, named) == named.digest for _ in range(_READINGS))
        except StorageError as error:
            return False if self._of_one_object(region, error) else None

    def supply(self, source: str, target: str, named: Named) -> bool:
        """Copy it once, or once more if it comes damaged; False if one of the two is away, or the
        object is not there any more.

        Raises Damaged, and NotOurs.
        """
        try:
            self._copy(source, target, named)
        except StorageError as error:
            if error.cause == Cause.NO_OBJECT:
                return False
            if error.region in ("", source) and self._of_one_object(source, error):
                raise Damaged from error
            self.away(error.region or source, error)
            return False
        return True

    def _digest(self, region: str, named: Named) -> bytes:
        return read_and_hash(self._buckets[region], self._path(named.name), self.passed)

    def _of_one_object(self, region: str, error: StorageError) -> bool:
        """Whether only this object cannot be read, of a region that answers; else it is away."""
        if error.cause == Cause.NO_OBJECT:
            return True
        if passes_by_itself(error):
            try:
                self._buckets[region].head(self._path(CONFIG))
            except StorageError:
                pass
            else:
                return True
        self.away(region, error)
        return False

    def _copy(self, source: str, target: str, named: Named) -> None:
        for left in reversed(range(_READINGS)):
            try:
                self._copy_once(self._buckets[source], self._buckets[target], named)
            except Damaged:
                if not left:
                    raise
            else:
                return

    def _copy_once(self, source: Bucket, target: Bucket, named: Named) -> None:
        path = self._path(named.name)
        if named.kind in JUDGED:
            content = self._judged(named, lambda: source.get(path))
            deliver(target, path, content)
            self.passed(len(content))
        else:
            source.attempt(
                f"copy {named.name}",
                lambda: carry(source, target, path, named.digest, self.passed),
            )

    def _judged(self, named: Named, read: Callable[[], bytes]) -> bytes:
        """The content of an object that is whole and ours; raises Damaged, and NotOurs."""
        if why := too_large(named):
            raise NotOurs(why)
        content = read()
        if not named.is_of(content):
            raise Damaged
        if why := self._judge(named, content):
            raise NotOurs(why)
        return content

    # --- older versions

    def raised(self, named: Named, first: Collection[str]) -> str:
        """Bring an older version of it that is whole and ours to the top, in one of the `first`
        regions if it can be; the region, empty if there is none.
        """
        for region in sorted(self.living, key=lambda r: r not in first):
            history = self.history(region, named.name)
            for version in contents(history):
                if self._raise(region, version, history, named):
                    return region
        return ""

    def history(self, region: str, name: str) -> tuple[Version, ...]:
        """The versions of one object, the newest first, where the bucket keeps any."""
        bucket, path = self._buckets[region], self._path(name)
        try:
            if region not in self._versioned:
                self._versioned[region] = keeps_versions(bucket)
            if self._versioned[region]:
                return next((h for h in histories(bucket, path) if h[0].name == path), ())
        except StorageError:
            self._versioned[region] = False  # this store knows no versions, or shows us none
        return ()

    def content(self, region: str, version: Version) -> bytes:
        """A version of a small object."""
        return self._bringing(region).read(version)

    def _raise(
        self, region: str, version: Version, history: tuple[Version, ...], named: Named
    ) -> bool:
        try:
            if not self._is_good(region, version, replace(named, size=version.size)):
                return False
            self._bringing(region).put_on_top(version, history)
        except (StorageError, Damaged, NotOurs):
            return False
        return bool(self.is_whole(region, named))

    def _is_good(self, region: str, version: Version, named: Named) -> bool:
        if named.kind in JUDGED:
            return bool(self._judged(named, lambda: self.content(region, version)))
        return self._bringing(region).is_good(version, named.digest)

    def _bringing(self, region: str) -> Bringing:
        return Bringing(self._buckets[region])

    def passed(self, size: int) -> None:
        """Some bytes are on their way; raises Stopped when they need not go on."""
        if self._stop.asked:
            raise Stopped
        self._pace(size, self._stop)
        with self._lock:
            self.bytes += size

    def _path(self, name: str) -> str:
        return f"{self._repository}/{name}"
