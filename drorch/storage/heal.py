"""The heal: what one region misses or has damaged is fetched from any other that has it whole.

Every region gives and takes at once, object by object, so that two that are damaged in different
places heal each other. A damaged object is only overwritten by a whole one, and what is to come
into a region is judged (genuine.py). Where no region shows an object whole, an older version of it
in a bucket that keeps versions may still be.

Written keys → config → data → index → snapshots. What is lost holds nothing else back: an index
that names a lost pack is still better than none.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from drorch.core.errors import DrorchError, StorageError
from drorch.ports import Cancellation, Progress
from drorch.storage.bucket import Bucket
from drorch.storage.carry import Damaged, deliver
from drorch.storage.crew import Stop, each
from drorch.storage.faults import Cause
from drorch.storage.genuine import Judge
from drorch.storage.layout import CONFIG, Kind, Named, listed
from drorch.storage.mending import Mender, NotOurs, Stopped
from drorch.storage.past import contents
from drorch.storage.scrub import configs_of

T = TypeVar("T")

#: How many objects are looked at or on their way at once.
HANDS = 8

#: A config is about 150 bytes long.
_LARGEST_CONFIG = 16 * 1024

#: Why a config may not be spread, as the end of a sentence; empty if it may.
ConfigJudge = Callable[[bytes], str]

#: By region and kind, the digest and size of what is shown.
Stock = Mapping[str, Mapping[Kind, Mapping[bytes, int]]]


@dataclass(frozen=True, slots=True)
class Mended:
    """An object that a region has whole again; `source` is the same region where an older version
    of its own was whole.
    """

    region: str
    name: str
    source: str


@dataclass(slots=True)
class HealDone:
    """What a healing came to. Names are below the repository's folder, pairs are region and name.

    `sound` was suspected and is whole or wanted by nobody, `damaged` still is damaged, `lost` is
    whole nowhere, `strange` was not copied because it is not ours (with the reason). `shown` are
    the snapshots that each region shows now. `troubles` is by region why it took no part, or not
    to the end; `trouble` is why the whole ended early.
    """

    healed: list[Mended] = field(default_factory=list)
    sound: list[tuple[str, str]] = field(default_factory=list)
    damaged: list[tuple[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    strange: dict[tuple[str, str], str] = field(default_factory=dict)
    shown: dict[str, set[str]] = field(default_factory=dict)
    troubles: dict[str, StorageError] = field(default_factory=dict)
    trouble: DrorchError | None = None
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """What is known beforehand.

    `targets` are the regions to make whole. `suspects` are by region names of objects that may be
    damaged although they are listed in the right size, `expected` names that must be somewhere.
    `gone` are ids of snapshots and keys that are no more.
    """

    targets: Collection[str]
    suspects: Mapping[str, Collection[str]]
    expected: Collection[str] = ()
    gone: Collection[str] = ()


def heal(
    buckets: Sequence[Bucket],
    repository: str,
    case: Case,
    *,
    judge: Judge,
    judge_config: ConfigJudge,
    passing: Callable[[int, Stop], None] = lambda _size, _stop: None,
    hands: int = HANDS,
    progress: Callable[[Progress], None] | None = None,
    cancel: Cancellation | None = None,
) -> HealDone:
    """Make the target regions whole from all of `buckets`, which hold one repository. Never raises
    DrorchError: what was healed before the trouble stays healed.

    `repository` is the repository's folder below each region's prefix.
    """
    stop = Stop()
    by_name = {bucket.region.name: bucket for bucket in buckets}
    folder = repository.rstrip("/")
    mender = Mender(by_name, folder, judge=judge, stop=stop, passing=passing)
    run = _Heal(by_name, folder, case, mender, stop, hands, progress)
    unregister = cancel.on_cancel(stop) if cancel else lambda: None
    try:
        run.run(judge_config)
    except Stopped:
        pass  # why is told below
    except DrorchError as error:
        run.done.trouble = error
    finally:
        unregister()
    if cancel is not None and cancel.cancelled:
        run.done.trouble = _cancelled(folder, cancel)
    run.done.troubles, run.done.bytes = mender.troubles, mender.bytes
    return run.done


@dataclass(slots=True)
class _Doubt:
    """An object that some target may lack: by region the size it is shown in, and who is suspected."""

    named: Named
    shown: Mapping[str, int]
    suspected: set[str]

    @property
    def doubted(self) -> list[str]:
        """The regions whose object must be hashed to know what it is."""
        if len(set(self.shown.values())) > 1:
            return list(self.shown)
        return [region for region in self.shown if region in self.suspected]


@dataclass(slots=True)
class _Care:
    """What becomes of one object: by region who needs it, where it is damaged, who has it again.

    `strange`: it is whole somewhere, and not ours.
    """

    named: Named
    damaged: set[str]
    need: list[str] = field(default_factory=list)
    mended: set[str] = field(default_factory=set)
    strange: bool = False


class _Heal:
    def __init__(
        self,
        buckets: Mapping[str, Bucket],
        repository: str,
        case: Case,
        mender: Mender,
        stop: Stop,
        hands: int,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.done = HealDone()
        self._buckets = buckets
        self._repository = repository
        self._case = case
        self._mender = mender
        self._stop = stop
        self._hands = hands
        self._progress = progress
        self._gone = frozenset(bytes.fromhex(one) for one in case.gone)
        self._lock = threading.Lock()
        self._looked = 0

    def run(self, judge_config: ConfigJudge) -> None:
        """Do it; raises DrorchError when there is no going on."""
        self._mend_all(Kind.KEYS, self._stock((Kind.KEYS,)))
        self._mend_config(judge_config)
        stock = self._stock((Kind.SNAPSHOTS, Kind.INDEX, Kind.DATA))
        for region, kinds in stock.items():
            self.done.shown[region] = {digest.hex() for digest in kinds[Kind.SNAPSHOTS]}
        for kind in (Kind.DATA, Kind.INDEX, Kind.SNAPSHOTS):
            self._mend_all(kind, stock)

    def _stock(self, kinds: Sequence[Kind]) -> Stock:
        """What every region shows, each kind listed once, side by side."""
        found: dict[str, dict[Kind, dict[bytes, int]]] = {r: {} for r in self._mender.living}

        def look(region: str) -> None:
            try:
                for kind in kinds:
                    names = listed(self._buckets[region], self._repository, kind)
                    found[region][kind] = {n.digest: n.size for n in self._unless_stopped(names)}
            except StorageError as error:
                self._mender.away(region, error)

        self._each(list(found), look, len(found) or 1)
        return {region: found[region] for region in self._mender.living}

    def _mend_all(self, kind: Kind, stock: Stock) -> None:
        shown = {region: kinds[kind] for region, kinds in stock.items()}
        self._each(self._doubts(kind, shown), self._mend, self._hands)

    def _each(self, items: Iterable[T], work: Callable[[T], None], hands: int) -> None:
        each(items, work, hands=hands, stop=self._stop)
        if self._stop.asked:
            raise Stopped

    def _doubts(self, kind: Kind, shown: Mapping[str, Mapping[bytes, int]]) -> Iterator[_Doubt]:
        """Everything that some target may lack, in no order."""
        suspected = self._suspected(kind)
        awaited = set(_digests(kind, self._case.expected))
        every = dict.fromkeys(digest for there in shown.values() for digest in there)
        for digest in every | dict.fromkeys((*awaited, *suspected)):
            where = {r: there[digest] for r, there in shown.items() if digest in there}
            named = Named(kind, digest, max(where.values(), default=0))
            doubt = _Doubt(named, where, suspected.get(digest, set()))
            if digest in self._gone or not (where or digest in awaited):
                self._let_go(doubt)
            elif doubt.doubted or any(t in shown and t not in where for t in self._case.targets):
                yield doubt

    def _suspected(self, kind: Kind) -> dict[bytes, set[str]]:
        found: dict[bytes, set[str]] = {}
        for region, names in self._case.suspects.items():
            for digest in _digests(kind, names):
                found.setdefault(digest, set()).add(region)
        return found

    def _let_go(self, doubt: _Doubt) -> None:
        """What is suspected and forgotten, or shown by no region any more, is missed by nobody."""
        with self._lock:
            self.done.sound += [(region, doubt.named.name) for region in doubt.suspected]

    def _mend(self, doubt: _Doubt) -> None:
        """Find out who has it whole, and let those supply who do not."""
        looked = {r: self._mender.is_whole(r, doubt.named) for r in doubt.doubted}
        care = _Care(doubt.named, damaged={r for r, good in looked.items() if good is False})
        care.need = [
            region
            for region in self._mender.living
            if region in self._case.targets
            and (region in care.damaged or region not in doubt.shown)
        ]
        whole = [region for region, good in looked.items() if good]
        sure = [region for region in doubt.shown if region not in looked]
        for source in (*whole, *sure):
            if care.need:
                self._supply(source, care)
        if care.need and not care.strange:
            self._find_older(care, lost=not whole and bool(care.damaged or not doubt.shown))
        self._note(doubt, care)

    def _supply(self, source: str, care: "_Care") -> None:
        """Bring it from there to who needs it, who then does not."""
        for target in list(care.need):
            if source not in self._mender.living:
                return
            try:
                came = self._mender.supply(source, target, care.named)
            except Damaged:
                care.damaged.add(source)
                care.need += [source] if source in self._case.targets else []
                return
            except NotOurs as why:
                care.strange = True
                care.need.clear()
                with self._lock:
                    self.done.strange[source, care.named.name] = str(why)
                return
            if came:
                self._came(target, source, care)
            care.need = [region for region in care.need if region in self._mender.living]

    def _find_older(self, care: "_Care", *, lost: bool) -> None:
        """Nobody could give it: an older version may; else it is lost, unless it was just pruned."""
        region = self._mender.raised(care.named, care.need)
        if region:
            self._came(region, region, care)
            self._supply(region, care)
        elif lost and not care.mended:
            with self._lock:
                self.done.lost.append(care.named.name)

    def _came(self, region: str, source: str, care: "_Care") -> None:
        care.mended.add(region)
        care.need = [one for one in care.need if one != region]
        with self._lock:
            self.done.healed.append(Mended(region, care.named.name, source))
            if care.named.kind is Kind.SNAPSHOTS:
                self.done.shown[region].add(care.named.id)

    def _note(self, doubt: _Doubt, care: "_Care") -> None:
        """Put down how it stands in each region now, and tell how far the healing is."""
        name = doubt.named.name
        with self._lock:
            self.done.damaged += [(region, name) for region in care.damaged - care.mended]
            fine = doubt.suspected - care.damaged - care.mended
            self.done.sound += [(r, name) for r in fine if r in self._mender.living]
            self._looked += 1
            report = Progress(self._mender.bytes, None, self._looked, None)
        if self._progress is not None:
            self._progress(report)

    # --- the one object that is not named by its content

    def _mend_config(self, judge: ConfigJudge) -> None:
        """Bring every target the config that is ours."""
        regions = self._mender.living
        read = configs_of([self._buckets[r] for r in regions], self._repository)
        found = {r: c for r, c in zip(regions, read, strict=True) if isinstance(c, bytes)}
        agreed = len(set(found.values())) == 1 and len(found) == len(regions)
        if agreed and _may_be_ours(found[regions[0]], judge):
            self.done.sound += [(r, CONFIG) for r in regions]
            return
        right = self._right_config(found, judge) or self._older_config(judge)
        wrong = [r for r in regions if r in self._case.targets and found.get(r) != right]
        if right is None:
            self.done.lost.append(CONFIG)
            self.done.damaged += [(r, CONFIG) for r in wrong]
            return
        self.done.sound += [(r, CONFIG) for r, config in found.items() if config == right]
        source = next((r for r, config in found.items() if config == right), "")
        for region in wrong:
            try:
                deliver(self._buckets[region], f"{self._repository}/{CONFIG}", right)
            except StorageError as error:
                self._mender.away(region, error)
            else:
                self.done.healed.append(Mended(region, CONFIG, source or region))

    def _right_config(self, found: Mapping[str, bytes], judge: ConfigJudge) -> bytes | None:
        """The config that is ours; of several, the one that most regions have."""
        counted = Counter(found.values()).most_common()
        return next((config for config, _ in counted if not judge(config)), None)

    def _older_config(self, judge: ConfigJudge) -> bytes | None:
        for region in self._mender.living:
            for version in contents(self._mender.history(region, CONFIG)):
                if version.size > _LARGEST_CONFIG:
                    continue
                try:
                    config = self._mender.content(region, version)
                except StorageError:
                    continue
                if not judge(config):
                    return config
        return None

    def _unless_stopped(self, names: Iterator[Named]) -> Iterator[Named]:
        for named in names:
            if self._stop.asked:
                raise Stopped
            yield named


def _digests(kind: Kind, names: Collection[str]) -> Iterator[bytes]:
    """The digests of those names that are of a kind."""
    for name in names:
        folder, _, last = name.rpartition("/")
        if folder.partition("/")[0] == kind:
            yield bytes.fromhex(last)


def _may_be_ours(config: bytes, judge: ConfigJudge) -> bool:
    """Whether the config that all regions agree on is ours, or nobody can tell."""
    try:
        return not judge(config)
    except DrorchError:
        return True


def _cancelled(repository: str, cancel: Cancellation) -> StorageError:
    return StorageError(
        f"healing {repository} was stopped: {cancel.reason}",
        "run `drorch heal` again: it goes on where this ended",
        Cause.CANCELLED,
    )
