"""The mirror: a repository's objects brought from one region to another, each proven on the way.

Every object but `config` is named by its SHA-256, and hashed against it as it streams through
(carry.py).

Read snapshots → index → data, write keys → data → index → snapshots: whatever an earlier list
names, a later one contains, so that the replica can be opened and checked at every moment.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from drorch.core.errors import StorageError
from drorch.ports import Cancellation, Progress
from drorch.storage.bucket import Bucket
from drorch.storage.carry import Damaged, carry
from drorch.storage.crew import Stop, each
from drorch.storage.faults import Cause
from drorch.storage.layout import CONFIG, Kind, Named, listed

_T = TypeVar("_T")

#: How many objects are on their way at once.
HANDS = 8

#: How often an object with the wrong hash is read before it is called damaged: the network may lie.
_READINGS = 2

#: Seconds between two reports of progress.
_REPORTING = 0.1

_READ_ORDER = (Kind.SNAPSHOTS, Kind.INDEX, Kind.DATA, Kind.KEYS)


@dataclass(frozen=True, slots=True)
class MirrorDone:
    """What a mirroring came to.

    `copied` and `skipped` count objects, `bytes` what was copied. `damaged` names objects of the
    source (below the repository's folder) whose content is not what their name says; they were
    not copied. `held_back` are ids of snapshots that the replica may not have yet because
    something they may rest on is damaged. `snapshots_present` are the ids the replica holds now.
    """

    copied: int
    bytes: int
    skipped: int
    damaged: tuple[str, ...]
    held_back: tuple[str, ...]
    snapshots_present: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether the replica now has every snapshot the source showed."""
        return not self.held_back


def mirror(
    source: Bucket,
    destination: Bucket,
    repository: str,
    *,
    hands: int = HANDS,
    progress: Callable[[Progress], None] | None = None,
    cancel: Cancellation | None = None,
) -> MirrorDone:
    """Bring what the destination lacks; never delete. Run again, it goes on where it ended.

    `repository` is the repository's folder below each region's prefix. An object that is there
    in the same size is taken for the same. Raises StorageError, its cause one of `faults.Cause`:
    of a region that fails; `no-repository`; `different-repository`; `cancelled`.
    """
    run = _Mirror(source, destination, repository.rstrip("/"), hands, progress, cancel)
    unregister = cancel.on_cancel(run.stop) if cancel else lambda: None
    try:
        return run.run()
    finally:
        unregister()


class _Stopped(Exception):
    """The crew was told to stop."""


@dataclass(slots=True)
class _Tally:
    """Counts of one mirroring, shared by its hands."""

    objects_total: int = 0
    bytes_total: int = 0
    objects: int = 0
    bytes: int = 0
    skipped: int = 0
    damaged: list[str] = field(default_factory=list)


class _Mirror:
    def __init__(
        self,
        source: Bucket,
        destination: Bucket,
        repository: str,
        hands: int,
        progress: Callable[[Progress], None] | None,
        cancel: Cancellation | None,
    ) -> None:
        self._source = source
        self._destination = destination
        self._repository = repository
        self._hands = hands
        self._progress = progress
        self._cancel = cancel
        self._lock = threading.Lock()
        self._tally = _Tally()
        self._reported = 0.0
        self._passed = 0
        self.stop = Stop()

    def run(self) -> MirrorDone:
        missing_config = self._config_to_copy()
        theirs, missing = self._compare()
        if missing_config is not None:
            self._destination.put(self._path(CONFIG), missing_config, only_new=True)
        lost_keys = self._carry_all(missing[Kind.KEYS])
        usable = bool(theirs[Kind.KEYS]) or len(lost_keys) < len(missing[Kind.KEYS])
        usable = not self._carry_all(missing[Kind.DATA]) and usable
        usable = usable and not self._carry_all(missing[Kind.INDEX])
        lost = self._carry_all(missing[Kind.SNAPSHOTS]) if usable else missing[Kind.SNAPSHOTS]
        self._report(force=True)
        return self._done(theirs[Kind.SNAPSHOTS], missing[Kind.SNAPSHOTS], lost)

    def _config_to_copy(self) -> bytes | None:
        """The source's config, if the destination has none; refuses two different repositories."""
        found: dict[Bucket, bytes | None] = {}

        def read(bucket: Bucket) -> None:
            found[bucket] = _get_or_none(bucket, self._path(CONFIG))

        self._each((self._source, self._destination), read)
        theirs, ours = found[self._destination], found[self._source]
        if ours is None:
            raise StorageError(
                f"region {self._source.region.name} has no repository at {self._repository}",
                "run `drorch repo init`, or replicate from the region that has it",
                Cause.NO_REPOSITORY,
            )
        if theirs is not None and theirs != ours:
            raise StorageError(
                f"regions {self._source.region.name} and {self._destination.region.name} hold "
                f"different repositories at {self._repository}",
                "give one of them another prefix or bucket, or `copy` instead of `mirror`; "
                "if `config` was overwritten in one of them, restore that object first",
                Cause.DIFFERENT_REPOSITORY,
            )
        return ours if theirs is None else None

    def _compare(self) -> tuple[dict[Kind, dict[bytes, int]], dict[Kind, list[Named]]]:
        """What the destination has (digest to size), and what it lacks; each side listed once."""
        ours: dict[Kind, list[Named]] = {}
        theirs: dict[Kind, dict[bytes, int]] = {}

        def list_source() -> None:
            for kind in _READ_ORDER:
                ours[kind] = list(
                    self._unless_stopped(listed(self._source, self._repository, kind))
                )

        def list_destination() -> None:
            for kind in _READ_ORDER:
                found = listed(self._destination, self._repository, kind)
                theirs[kind] = {n.digest: n.size for n in self._unless_stopped(found)}

        self._each((list_source, list_destination), lambda listing: listing())
        missing = {k: [n for n in ours[k] if theirs[k].get(n.digest) != n.size] for k in Kind}
        wanted = [n for names in missing.values() for n in names]
        self._tally.skipped = sum(map(len, ours.values())) - len(wanted)
        self._tally.objects_total = len(wanted)
        self._tally.bytes_total = sum(n.size for n in wanted)
        return theirs, missing

    def _carry_all(self, names: Iterable[Named]) -> list[Named]:
        """Copy them, drawing names as hands are free; returns those the replica does not have whole."""
        lost: list[Named] = []
        self._each(names, partial(self._carry, lost))
        return lost

    def _carry(self, lost: list[Named], named: Named) -> None:
        for _ in range(_READINGS):
            try:
                size = self._source.attempt(f"copy {named.name}", lambda: self._carry_once(named))
            except Damaged:
                continue
            with self._lock:
                self._tally.objects += 1
                self._tally.bytes += size
            self._report()
            return
        whole = self._whole_in_destination(named)
        with self._lock:
            self._tally.damaged.append(named.name)
            if not whole:
                lost.append(named)

    def _carry_once(self, named: Named) -> int:
        path = self._path(named.name)
        return carry(self._source, self._destination, path, named.digest, self._passing)

    def _whole_in_destination(self, named: Named) -> bool:
        """Whether the replica's own object of that name, whatever its size, is the true one."""

        def read() -> bytes:
            digest = hashlib.sha256()
            with self._destination.stream(self._path(named.name)) as reading:
                for chunk in self._unless_stopped(reading.chunks):
                    digest.update(chunk)
            return digest.digest()

        try:
            return self._destination.attempt(f"read {named.name}", read) == named.digest
        except StorageError as error:
            if error.cause == Cause.NO_OBJECT:
                return False
            raise

    def _passing(self, size: int) -> None:
        """Some bytes are on their way."""
        if self.stop.asked:
            raise _Stopped
        with self._lock:
            self._passed += size
        self._report()

    def _report(self, *, force: bool = False) -> None:
        if self._progress is None:
            return
        now = time.monotonic()
        with self._lock:
            if now - self._reported < _REPORTING and not force:
                return
            self._reported = now
            tally = self._tally
            # What was sent twice because of a fault must not show as more than there is.
            done = tally.bytes if force else min(self._passed, tally.bytes_total)
            report = Progress(done, tally.bytes_total, tally.objects, tally.objects_total)
        self._progress(report)

    def _done(
        self, theirs: dict[bytes, int], missing: list[Named], lost: list[Named]
    ) -> MirrorDone:
        lost_ids = {n.id for n in lost}
        present = {d.hex() for d in theirs} | {n.id for n in missing}
        tally = self._tally
        return MirrorDone(
            tally.objects,
            tally.bytes,
            tally.skipped,
            tuple(sorted(tally.damaged)),
            tuple(sorted(lost_ids)),
            tuple(sorted(present - lost_ids)),
        )

    def _each(self, items: Iterable[_T], work: Callable[[_T], None]) -> None:
        each(items, work, hands=self._hands, stop=self.stop)
        if self._cancel is not None and self._cancel.cancelled:
            raise StorageError(
                f"mirroring {self._repository} to region {self._destination.region.name} was "
                f"stopped: {self._cancel.reason}",
                "run `drorch replicate`: it goes on where this ended",
                Cause.CANCELLED,
            )

    def _unless_stopped(self, items: Iterator[_T]) -> Iterator[_T]:
        for item in items:
            if self.stop.asked:
                raise _Stopped
            yield item

    def _path(self, name: str) -> str:
        return f"{self._repository}/{name}"


def _get_or_none(bucket: Bucket, name: str) -> bytes | None:
    try:
        return bucket.get(name)
    except StorageError as error:
        if error.cause == Cause.NO_OBJECT:
            return None
        raise
