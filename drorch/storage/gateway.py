"""A loopback endpoint that restic writes to once, and that writes to every living region at once.

It speaks restic's REST protocol (rest.py) and keeps the regions' S3 to itself, so restic needs no
key of any region, regions may have different ones, and a region that dies meanwhile is left out
while the others go on. An object is acknowledged only when every region that still takes part
shows it whole. Locks stand in all regions, and are seen from all.

Nothing but locks is ever deleted while restic runs: deletions are refused silently, or held and
listed for whoever decides on them.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import TypeVar

from drorch.core.errors import StorageError
from drorch.storage.bucket import Reading
from drorch.storage.carry import Damaged, carry
from drorch.storage.crew import Aside, Stop
from drorch.storage.faults import Cause
from drorch.storage.layout import CONFIG, LOCKS, Kind, Named, listed
from drorch.storage.pace import FREE, Flow
from drorch.storage.probe import Depth, probe
from drorch.storage.replicas import Replica, Replicas
from drorch.storage.spread import spread

T = TypeVar("T")

#: What is given only to regions that have everything it may name.
_NAMING = frozenset({Kind.INDEX.value, Kind.SNAPSHOTS.value})


class Deletions(StrEnum):
    """What becomes of restic's deletions of anything but locks.

    `ignore`: restic is told it worked, and everything stays (a backup deletes nothing but what it
    sends again). `hold`: the same, but restic sees it no more, and it is listed in `held`.
    """

    IGNORE = "ignore"
    HOLD = "hold"


@dataclass(slots=True)
class Traffic:
    """What went through: objects and bytes written (once for all regions), by restic's folders."""

    objects: int = 0
    bytes: int = 0
    written: dict[str, list[str]] = field(default_factory=dict)

    def of(self, kind: str) -> list[str]:
        """The ids written to a folder, in their order."""
        return self.written.get(kind, [])


class Gateway:
    """What the endpoint does, without the endpoint. Thread-safe; raises StorageError.

    restic does not see `own_locks`: whoever opened the gateway holds them for it.
    """

    def __init__(
        self,
        replicas: Replicas,
        *,
        deletions: Deletions = Deletions.IGNORE,
        flow: Flow = FREE,
        stop: Stop | None = None,
        own_locks: Collection[str] = (),
    ) -> None:
        self.replicas = replicas
        self.traffic = Traffic()
        self._deletions = deletions
        self._flow = flow
        self._stop = stop or Stop()
        self._own_locks = frozenset(own_locks)
        self._held: set[str] = set()
        self._locks: set[str] = set()
        self._others: dict[str, dict[str, datetime]] = {}
        self._lock = threading.Lock()
        self._survey = Aside(replicas.survey, "gateway-survey")

    def surveyed(self) -> Replicas:
        """The regions, once it is known how they stand."""
        self._survey.result()
        return self.replicas

    @property
    def held(self) -> frozenset[str]:
        """Names below the repository that restic deleted and that were held back."""
        with self._lock:
            return frozenset(self._held)

    def names(self, kind: str) -> Iterator[tuple[str, int]]:
        """Ids and sizes in one of restic's folders."""
        if kind == LOCKS:
            yield from self._all_locks()
            return
        for found in self._listed(Kind(kind)):
            if found.id not in self.replicas.gone and not self._is_hidden(found.name):
                yield found.id, found.size

    def _listed(self, kind: Kind) -> Sequence[Named]:
        # Keys do not change while restic opens the repository: those just seen need no second look.
        seen = self._readers()[0].keys if kind is Kind.KEYS and not self.traffic.of(kind) else ()
        repository = self.replicas.repository
        return seen or self._first(kind, lambda r: tuple(listed(r.bucket, repository, kind)))

    def _all_locks(self) -> Iterator[tuple[str, int]]:
        """Whoever holds a lock anywhere holds it here."""
        seen: dict[str, int] = {}
        folder = self.replicas.path(f"{LOCKS}/")

        def look(replica: Replica) -> None:
            entries = list(replica.bucket.list_objects(folder))
            named = {entry.name.rsplit("/", 1)[-1]: entry for entry in entries}
            with self._lock:
                seen.update({name: entry.size for name, entry in named.items()})
                self._others[replica.region] = {n: e.modified for n, e in named.items()}

        self._everywhere(look)
        yield from ((lock, size) for lock, size in seen.items() if lock not in self._own_locks)

    @property
    def others(self) -> dict[str, dict[str, datetime]]:
        """By region the locks that others held when restic last looked, and when each was written."""
        with self._lock:
            ours = self._locks | self._own_locks | set(self.traffic.of(LOCKS))
            return {
                region: {name: at for name, at in locks.items() if name not in ours}
                for region, locks in self._others.items()
            }

    def size(self, name: str) -> int:
        """An object's size in bytes; cause `no-object` if there is none."""
        if name == CONFIG:
            return len(self._readers()[0].config)

        def look(replica: Replica) -> int:
            found = replica.bucket.head(self.replicas.path(name))
            if found is None:
                raise _missing(name)
            return found.size

        return self._first(name, look)

    def reading(
        self, name: str, first: int = 0, last: int | None = None
    ) -> AbstractContextManager[Reading]:
        """An object's bytes from `first` to `last`, from the first region that has them."""
        if name == CONFIG:  # every region that takes part has the same
            end = None if last is None else last + 1
            part = self._readers()[0].config[first:end]
            return nullcontext(Reading(len(part), iter((part,))))

        def open_it(replica: Replica) -> tuple[ExitStack, Reading]:
            stack = ExitStack()
            path, piece = self.replicas.path(name), self._flow.piece
            stream = replica.bucket.stream(path, first, last, piece=piece)
            return stack, stack.enter_context(stream)

        stack, reading = self._first(name, open_it)
        return _opened(stack, Reading(reading.size, self._received(reading.chunks)))

    def _received(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._flow.receive(len(chunk), self._stop)
            yield chunk

    def _sending(self, size: int) -> None:
        self._flow.send(size, self._stop)

    def store(self, kind: str, name: str, size: int, read: Callable[[int], bytes]) -> None:
        """Write an object to every region that takes part; raises Wrong for a wrong body.

        Returns once all of them show it. StorageError: no region does.
        """
        takers = self.surveyed().takers(whole=kind in _NAMING)
        path = self.replicas.path(named(kind, name))
        digest = bytes.fromhex(name)
        if kind == LOCKS:
            with self._lock:
                self._locks.add(name)
        buckets = [t.bucket for t in takers]
        failed = spread(read, size, digest, buckets, path, self._sending, self._flow.piece)
        good = [t for t in takers if t.bucket not in failed]
        for taker in takers:
            if taker.bucket in failed:
                self._second_try(taker, good, path, digest, failed[taker.bucket])
        if not any(taker.whole for taker in good):
            raise next(iter(failed.values()), None) or self._nobody()
        with self._lock:
            self.traffic.objects += 1
            self.traffic.bytes += size
            self.traffic.written.setdefault(kind, []).append(name)

    def _second_try(
        self,
        replica: Replica,
        good: Sequence[Replica],
        path: str,
        digest: bytes,
        error: StorageError,
    ) -> None:
        """A region that failed gets the object from one that has it, or is left out from now on.

        Where no region has it, restic sends it again; a dead region is then known to be dead.
        """
        lost = probe(replica.bucket, Depth.REACHABLE).error
        if lost is not None:
            return self.replicas.drop(replica, lost)
        if not good:
            return None
        source = good[0].bucket
        try:
            replica.bucket.attempt(
                f"write {path}",
                lambda: carry(source, replica.bucket, path, digest, lambda _: None),
            )
        except (StorageError, Damaged):
            self.replicas.drop(replica, error)

    def delete(self, kind: str, name: str) -> None:
        """Delete a lock everywhere; anything else as `Deletions` says."""
        if kind != LOCKS:
            if self._deletions is Deletions.HOLD:
                with self._lock:
                    self._held.add(named(kind, name))
            return
        path = self.replicas.path(f"{LOCKS}/{name}")
        self._everywhere(lambda replica: replica.bucket.delete(path))
        with self._lock:
            self._locks.discard(name)

    def release(self) -> None:
        """Delete the locks that restic left: it has ended. To be called when no process is left."""
        with self._lock:
            left = list(self._locks)
        for name in left:
            self.delete(LOCKS, name)

    def _everywhere(self, work: Callable[[Replica], None]) -> None:
        """In every region that takes part, side by side."""

        def once(replica: Replica) -> None:
            with self._dropping(replica):
                work(replica)

        takers = self.surveyed().takers(whole=False)
        for begun in [Aside(partial(once, taker), "everywhere") for taker in takers]:
            begun.result()

    @contextmanager
    def _dropping(self, replica: Replica) -> Iterator[None]:
        """A region that fails here is left out from now on."""
        try:
            yield
        except StorageError as error:
            self.replicas.drop(replica, error)

    def _first(self, name: str, look: Callable[[Replica], T]) -> T:
        """What the first region tells that has the object and answers."""
        if self._is_hidden(name):
            raise _missing(name)
        failure: StorageError | None = None
        for replica in self._readers():
            try:
                return replica.bucket.attempt(f"read {name}", partial(look, replica))
            except StorageError as error:
                failure = failure or error
                if error.cause != Cause.NO_OBJECT and probe(replica.bucket).error is not None:
                    self.replicas.drop(replica, error)
        raise failure or _missing(name)

    def _readers(self) -> list[Replica]:
        found = list(self.surveyed().readers())
        if not found:
            raise self._nobody()
        return found

    def _nobody(self) -> StorageError:
        trouble = next(iter(self.replicas.troubles.values()), None)
        return trouble or StorageError(
            "no region is left", "run `drorch doctor`", Cause.UNREACHABLE
        )

    def _is_hidden(self, name: str) -> bool:
        with self._lock:
            return name in self._held


@contextmanager
def _opened(stack: ExitStack, reading: Reading) -> Iterator[Reading]:
    with stack:
        yield reading


def named(kind: str, name: str) -> str:
    """An object's name below the repository, from restic's folder and id."""
    return Named(Kind.DATA, bytes.fromhex(name), 0).name if kind == Kind.DATA else f"{kind}/{name}"


def _missing(name: str) -> StorageError:
    return StorageError(f"there is no {name}", "run `drorch check`", Cause.NO_OBJECT)
