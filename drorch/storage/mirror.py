"""Mirrors of one repository made equal: the union of what its regions hold, each object proven.

Every object but `config` is named by its SHA-256, and hashed against it as it streams through
(carry.py). The union of two mirrors is always a right repository: nothing in it is ever changed,
and nothing is deleted here. What was forgotten or revoked does not come back, and what is not ours
does not spread (genuine.py).
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

from drorch.core.errors import ResticError, StorageError
from drorch.ports import Cancellation, Progress
from drorch.storage.bucket import Bucket
from drorch.storage.crew import Stop
from drorch.storage.faults import Cause
from drorch.storage.filling import Filling, Stopped
from drorch.storage.genuine import Judge, anything_goes
from drorch.storage.holdings import Holding, lacking, take_stock
from drorch.storage.layout import Kind
from drorch.storage.pace import FREE, Flow
from drorch.storage.pruning import shows_nothing_new

#: How many objects are on their way to a region at once.
HANDS = 8

#: Seconds between two reports of progress.
_REPORTING = 0.1


@dataclass(frozen=True, slots=True)
class MirrorDone:
    """What one region's part of a union came to.

    `copied` and `skipped` (they were there) count objects, `bytes` what was copied. `damaged` names objects (below
    the repository's folder) that are not what their names say in the regions they lie in, as pairs
    of region and name; `quarantined` those that are not ours, with the reason. `held_back` are ids
    of snapshots that the region may not have yet because something they may rest on is damaged.
    `present` are the ids of the snapshots the region holds now. `trouble` is why it ended early.
    """

    copied: int = 0
    bytes: int = 0
    skipped: int = 0
    damaged: tuple[tuple[str, str], ...] = ()
    held_back: tuple[str, ...] = ()
    snapshots_present: tuple[str, ...] = ()
    quarantined: tuple[tuple[str, str, str], ...] = ()
    trouble: StorageError | ResticError | None = None

    @property
    def whole(self) -> bool:
        """Whether the region now has every snapshot that the others showed."""
        return self.trouble is None and not self.held_back


def unite(
    buckets: Sequence[Bucket],
    repository: str,
    *,
    targets: Collection[Bucket],
    gone: Collection[str] = (),
    owing: Mapping[str, Collection[str]] = MappingProxyType({}),
    judge: Judge = anything_goes,
    judge_config: Callable[[bytes], str] = lambda _: "",
    flow: Flow = FREE,
    hands: int = HANDS,
    progress: Callable[[Progress], None] | None = None,
    cancel: Cancellation | None = None,
) -> dict[str, MirrorDone]:
    """Bring each target what it lacks of all the others; never delete. By region, what it came to.

    `buckets` are all regions of the repository, each listed once; `repository` is its folder below
    their prefixes. An object that is there in the same size is taken for the same. `gone` are ids
    of snapshots and keys that are no more. `owing` are regions that missed a prune, with the ids
    that the others were freed of: nothing flows back from one that shows nothing new. `judge`
    and `judge_config` say why an object is not ours, or nothing if it is. `flow` is how fast it
    may go. A region that fails has `trouble` and holds up no other. Raises StorageError only when
    cancelled.
    """
    union = _Union(repository.rstrip("/"), hands, flow, progress, cancel)
    unregister = cancel.on_cancel(union.stop) if cancel else lambda: None
    try:
        digests = frozenset(bytes.fromhex(one) for one in gone)
        pruned = {r: frozenset(map(bytes.fromhex, ids)) for r, ids in owing.items()}
        return union.run(buckets, targets, digests, judge, judge_config, pruned)
    finally:
        unregister()


def mirror(
    source: Bucket,
    destination: Bucket,
    repository: str,
    *,
    hands: int = HANDS,
    progress: Callable[[Progress], None] | None = None,
    cancel: Cancellation | None = None,
) -> MirrorDone:
    """Bring one region what it lacks of one other, all of which is taken for ours. See `unite`.

    Raises StorageError, its cause one of `faults.Cause`: of a region that fails; `no-repository`;
    `different-repository`; `cancelled`.
    """
    done = unite(
        (source, destination),
        repository,
        targets=(destination,),
        hands=hands,
        progress=progress,
        cancel=cancel,
    )[destination.region.name]
    if done.trouble is not None:
        raise done.trouble
    return done


class _Union:
    def __init__(
        self,
        repository: str,
        hands: int,
        flow: Flow,
        progress: Callable[[Progress], None] | None,
        cancel: Cancellation | None,
    ) -> None:
        self.stop = Stop()
        self._repository = repository
        self._hands = hands
        self._flow = flow
        self._progress = progress
        self._cancel = cancel
        self._lock = threading.Lock()
        self._reported = 0.0
        self._passed = 0
        self._fillings: list[Filling] = []
        self._total = (0, 0)

    def run(
        self,
        buckets: Sequence[Bucket],
        targets: Collection[Bucket],
        gone: frozenset[bytes],
        judge: Judge,
        judge_config: Callable[[bytes], str],
        pruned: Mapping[str, frozenset[bytes]],
    ) -> dict[str, MirrorDone]:
        holdings = self._stock(buckets)
        wanted = [h for h in holdings if h.bucket in targets]
        found = {h.region: MirrorDone(trouble=h.trouble) for h in wanted if h.trouble is not None}
        living = [h for h in holdings if h.trouble is None]
        sources = _without_followers(living, gone, pruned)
        for holding in [h for h in wanted if h.trouble is None]:
            others = [h for h in sources if h is not holding]
            if len(living) == 1:
                trouble = next(h.trouble for h in holdings if h.trouble is not None)
                found[holding.region] = MirrorDone(trouble=trouble)
                continue
            self._fillings.append(self._filling(holding, others, gone, judge, judge_config))
        wanted_names = [n for f in self._fillings for names in f.missing.values() for n in names]
        self._total = (len(wanted_names), sum(n.size for n in wanted_names))
        with ThreadPoolExecutor(max(1, len(self._fillings))) as pool:
            found |= dict(pool.map(lambda filling: self._fill(filling, gone), self._fillings))
        self._raise_if_cancelled()
        self._report(force=True)
        return found

    def _stock(self, buckets: Sequence[Bucket]) -> list[Holding]:
        try:
            return take_stock(buckets, self._repository, self._unless_stopped)
        except Stopped:
            self._raise_if_cancelled()
            raise

    def _filling(
        self,
        holding: Holding,
        others: Sequence[Holding],
        gone: frozenset[bytes],
        judge: Judge,
        judge_config: Callable[[bytes], str],
    ) -> Filling:
        return Filling(
            holding,
            others,
            lacking(holding, others, gone),
            self._repository,
            judge=judge,
            judge_config=judge_config,
            stop=self.stop,
            passing=self._passing,
            piece=self._flow.piece,
            hands=self._hands,
        )

    def _fill(self, filling: Filling, gone: frozenset[bytes]) -> tuple[str, MirrorDone]:
        trouble: StorageError | ResticError | None = None
        try:
            filling.run()
        except (StorageError, ResticError) as error:  # the second: of a judge without a key
            trouble = error
        except Stopped:
            pass
        return filling.target.region, _done(filling, gone, trouble)

    def _unless_stopped(self) -> None:
        if self.stop.asked:
            raise Stopped

    def _passing(self, size: int) -> None:
        """Some bytes are on their way."""
        self._unless_stopped()
        self._flow.carry(size, self.stop)
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
            objects, total = self._total
            tallies = [f.tally for f in self._fillings]
            # What was sent twice because of a fault must not show as more than there is.
            done = sum(t.bytes for t in tallies) if force else min(self._passed, total)
            report = Progress(done, total, sum(t.objects for t in tallies), objects)
        self._progress(report)

    def _raise_if_cancelled(self) -> None:
        if self._cancel is not None and self._cancel.cancelled:
            raise StorageError(
                f"mirroring {self._repository} was stopped: {self._cancel.reason}",
                "run `drorch replicate`: it goes on where this ended",
                Cause.CANCELLED,
            )


def _without_followers(
    living: Sequence[Holding], gone: frozenset[bytes], pruned: Mapping[str, frozenset[bytes]]
) -> list[Holding]:
    """The regions from which anything may flow to others."""
    others = [h for h in living if h.region not in pruned]
    return others + [
        h
        for h in living
        if h.region in pruned and not shows_nothing_new(h, others, gone, pruned[h.region])
    ]


def _done(
    filling: Filling, gone: frozenset[bytes], trouble: StorageError | ResticError | None
) -> MirrorDone:
    tally, theirs = filling.tally, filling.target.objects
    missing = filling.missing[Kind.SNAPSHOTS]
    strange = {name for _, name in tally.quarantined}
    came = set() if trouble else {n.id for n in missing if n.name not in strange}
    lost = {n.id for n in filling.lost}
    present = {d.hex() for d in theirs[Kind.SNAPSHOTS] if d not in gone} | (came - lost)
    return MirrorDone(
        copied=tally.objects,
        bytes=tally.bytes,
        skipped=filling.there,
        damaged=tuple(sorted((r, n) for r, names in tally.damaged.items() for n in names)),
        held_back=tuple(sorted(lost)),
        snapshots_present=tuple(sorted(present)),
        quarantined=tuple(sorted((r, n, why) for (r, n), why in tally.quarantined.items())),
        trouble=trouble,
    )
