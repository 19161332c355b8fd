"""The scrub: objects at rest are hashed against their names, without a key, within a budget.

Only what is hashed is listed, a folder at a time. The bytes stream through, so memory grows with
the largest folder's list and with nothing else.
"""

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from drorch.core.errors import StorageError
from drorch.core.scrubbing import PARTS, Hashed, Turn, part_of
from drorch.ports import Cancellation, Progress
from drorch.storage.bucket import Bucket
from drorch.storage.crew import Stop, ahead, each
from drorch.storage.faults import Cause
from drorch.storage.layout import CONFIG, Kind, Named, listed
from drorch.storage.pace import Pace
from drorch.storage.retries import passes_by_itself

#: How many objects are read at once.
HANDS = 8

#: How many folders are listed before their turn comes.
_AHEAD = 4

#: How often an object with the wrong hash is read before it is called damaged: the network may lie.
_READINGS = 2

#: Seconds between two reports of progress.
_REPORTING = 0.1

#: How many names of `data/` tell how large it is: one page of a listing.
_SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class ScrubDone:
    """What was hashed: the parts that were begun, and how many bytes that took.

    `trouble` is why it ended before its time: the region failed, or (`cancelled`) it was stopped.
    """

    parts: tuple[Hashed, ...]
    bytes: int
    trouble: StorageError | None = None

    @property
    def damaged(self) -> tuple[str, ...]:
        """What is not what its name says, or is not there though it should be."""
        return tuple(sorted(name for part in self.parts for name in part.damaged))


def scrub(
    bucket: Bucket,
    repository: str,
    turns: Sequence[Turn] | None,
    *,
    budget: int | None = None,
    expected: Mapping[str, Collection[str]] | None = None,
    pace: Pace | None = None,
    hands: int = HANDS,
    progress: Callable[[Progress], None] | None = None,
    cancel: Cancellation | None = None,
) -> ScrubDone:
    """Hash part after part (of `turns` None: all there are, listed in one go) until `budget` bytes
    are spent (None: to the end). Never raises StorageError: what was proven before the trouble is
    worth keeping.

    `repository` is the repository's folder below the region's prefix. `expected` are names (below
    it) by part that must be there. An object that does not fit into the budget any more ends the
    scrub, unless nothing was hashed before it.
    """
    run = _Scrub(bucket, repository.rstrip("/"), budget, expected or {}, pace, progress)
    unregister = cancel.on_cancel(run.stop) if cancel else lambda: None
    try:
        return run.run(turns, hands, cancel)
    finally:
        unregister()


def estimated_size(bucket: Bucket, repository: str) -> int:
    """About how many bytes of data a repository has, by one page of its listing: its names are
    hashes, so that they are spread evenly. Exact where that page is all.
    """
    sample = list(itertools.islice(listed(bucket, repository, Kind.DATA), _SAMPLE))
    size = sum(named.size for named in sample)
    if len(sample) < _SAMPLE:
        return size
    share = int.from_bytes(sample[-1].digest[:8]) / (1 << 64)
    return round(size / max(share, 1e-9))


def read_and_hash(bucket: Bucket, path: str, passing: Callable[[int], None]) -> bytes:
    """The SHA-256 of an object's content as it streams; tried again for what passes by itself.

    `passing` is told how many bytes have come, and may raise to end it.
    """

    def read() -> bytes:
        digest = hashlib.sha256()
        with bucket.stream(path) as reading:
            for chunk in reading.chunks:
                digest.update(chunk)
                passing(len(chunk))
        return digest.digest()

    return bucket.attempt(f"read {path}", read)


def configs_of(buckets: Sequence[Bucket], repository: str) -> list[bytes | StorageError]:
    """Each region's `config`, in order, or why it cannot be had (cause `no-object`: it is gone)."""

    def read(bucket: Bucket) -> bytes | StorageError:
        try:
            return bucket.get(f"{repository}/{CONFIG}")
        except StorageError as error:
            return error

    found = ahead(buckets, read, hands=len(buckets), stop=Stop())
    return [config for _, config in found]


class _Stopped(Exception):
    """The crew was told to stop."""


class _Part:
    """A part that was begun: what it has, how much of it was drawn, what was hashed of it.

    `expected` are names that must be there.
    """

    def __init__(self, turn: Turn, names: list[Named], expected: Collection[str]) -> None:
        self.turn = turn
        self.names = names
        self.drawn = 0
        self._expected = expected
        self._hashed: set[int] = set()
        self._gone: set[int] = set()
        self._damaged: list[str] = []
        self._settled: Hashed | None = None

    def note(self, n: int, *, whole: bool, gone: bool = False) -> None:
        """One of its objects was read, or was gone since it was listed."""
        self._hashed.add(n)
        if gone:
            self._gone.add(n)
        elif not whole:
            self._damaged.append(self.names[n].name)
        if len(self._hashed) == len(self.names):
            self._settled = self.result()
            self.names = []  # of many parts not all names can be kept

    def result(self) -> Hashed:
        """What came of it: as far as every object was hashed."""
        if self._settled is not None:
            return self._settled
        reached = next((n for n in range(self.drawn) if n not in self._hashed), self.drawn)
        whole = reached == len(self.names)
        through = self.names[reached - 1].name if reached else self.turn.after
        there = {named.name for named in self.names}
        looked = (n for n in self._expected if n > self.turn.after and (whole or n <= through))
        missing = [name for name in looked if name not in there]
        counted = [n for n in range(reached) if n not in self._gone]
        return Hashed(
            self.turn,
            "" if whole else through,
            whole,
            len(counted),
            sum(self.names[n].size for n in counted),
            tuple(sorted([*self._damaged, *missing])),
        )


class _Scrub:
    def __init__(
        self,
        bucket: Bucket,
        repository: str,
        budget: int | None,
        expected: Mapping[str, Collection[str]],
        pace: Pace | None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._bucket = bucket
        self._repository = repository
        self._budget = budget
        self._expected = expected
        self._pace = pace
        self._progress = progress
        self._lock = threading.Lock()
        self._parts: list[_Part] = []
        self._spent = 0
        self._passed = 0
        self._objects = 0
        self._reported = 0.0
        self.stop = Stop()

    def run(
        self, turns: Sequence[Turn] | None, hands: int, cancel: Cancellation | None
    ) -> ScrubDone:
        trouble: StorageError | None = None
        try:
            each(self._drawn(self._parts_of(turns)), self._prove, hands=hands, stop=self.stop)
        except StorageError as error:
            trouble = error
        finally:
            self.stop()
        if cancel is not None and cancel.cancelled:
            trouble = _cancelled(self._repository, self._bucket, cancel)
        with self._lock:  # a hand that hung in a dead region may still wake
            results = [p.result() for p in self._parts]
        begun = tuple(r for r in results if r.whole or r.objects or r.damaged)
        return ScrubDone(begun, self._spent, trouble)

    def _drawn(self, parts: Iterable[tuple[Turn, list[Named]]]) -> Iterator[tuple[_Part, int]]:
        """Every object whose turn it is, as long as the budget lasts."""
        for turn, names in parts:
            if not self._affordable(names):
                return
            part = _Part(turn, names, self._expected.get(turn.part, ()))
            self._parts.append(part)
            for n, named in enumerate(names):
                if not self._affordable([named]):
                    return
                self._spent += named.size
                part.drawn = n + 1
                yield part, n

    def _parts_of(self, turns: Sequence[Turn] | None) -> Iterator[tuple[Turn, list[Named]]]:
        if turns is None:
            return self._everything()
        return ahead(turns, self._list, hands=_AHEAD, stop=self.stop)

    def _everything(self) -> Iterator[tuple[Turn, list[Named]]]:
        """Every part, with one listing for all of `data/`: 256 would take longer than reading it."""
        data = listed(self._bucket, self._repository, Kind.DATA)
        folders = itertools.groupby(data, lambda named: part_of(named.name))
        upcoming: tuple[str, list[Named]] | None = None
        for part in PARTS:
            if not part.startswith(f"{Kind.DATA}/"):
                yield Turn(part), self._list(Turn(part))
                continue
            if upcoming is None:
                folder, names = next(folders, ("", iter(())))
                upcoming = folder, list(names)
            if upcoming[0] == part:
                yield Turn(part), upcoming[1]
                upcoming = None
            else:
                yield Turn(part), []

    def _affordable(self, names: Sequence[Named]) -> bool:
        """Whether the first of these still fits; nothing at all does not cost anything."""
        if self._budget is None or not names or self._spent == 0:
            return True
        return self._spent + names[0].size <= self._budget

    def _list(self, turn: Turn) -> list[Named]:
        kind = Kind(turn.part.partition("/")[0])
        found = listed(self._bucket, self._repository, kind, part=turn.part, after=turn.after)
        # A store may not know how to begin after a name.
        return [named for named in found if named.name > turn.after]

    def _prove(self, drawn: tuple[_Part, int]) -> None:
        part, n = drawn
        named = part.names[n]
        try:
            whole = any(self._digest(named) == named.digest for _ in range(_READINGS))
        except StorageError as error:
            gone = error.cause == Cause.NO_OBJECT
            if not gone and not self._unreadable(error):
                raise
            with self._lock:
                part.note(n, whole=gone, gone=gone)
        else:
            with self._lock:
                part.note(n, whole=whole)
                self._objects += 1

    def _digest(self, named: Named) -> bytes:
        return read_and_hash(self._bucket, self._path(named.name), self._passing)

    def _unreadable(self, error: StorageError) -> bool:
        """Whether it is this one object that cannot be read, of a region that answers."""
        if not passes_by_itself(error):
            return False
        self._bucket.head(self._path(CONFIG))
        return True

    def _passing(self, size: int) -> None:
        if self.stop.asked:
            raise _Stopped
        if self._pace is not None:
            self._pace.take(size, self.stop)
        if self._progress is None:
            return
        now = time.monotonic()
        with self._lock:
            self._passed += size
            if now - self._reported < _REPORTING:
                return
            self._reported = now
            report = Progress(self._passed, self._budget, self._objects, None)
        self._progress(report)

    def _path(self, name: str) -> str:
        return f"{self._repository}/{name}"


def _cancelled(repository: str, bucket: Bucket, cancel: Cancellation) -> StorageError:
    return StorageError(
        f"scrubbing {repository} in region {bucket.region.name} was stopped: {cancel.reason}",
        "run `drorch scrub`: it goes on where this ended",
        Cause.CANCELLED,
    )
