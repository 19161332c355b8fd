"""What the regions show of a dataset's snapshots, and what retention makes of that.

Nothing is changed here, and restic is not started: times come from the journal, and from the
snapshots themselves where it does not know them.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from drorch.actions.gateways import buckets_of
from drorch.actions.genuine import Keyring
from drorch.actions.guarding import guarded, shields
from drorch.actions.places import (
    bucket_of,
    left_by_a_failure,
    region_named,
    repository_folder,
)
from drorch.core.errors import StorageError
from drorch.core.facts import Forgotten, Guarded, Held, Retained
from drorch.core.model import Dataset
from drorch.core.posture import KnownCopy
from drorch.core.retention import Brake, Candidate, Judged, Origin, judge
from drorch.ports import Tools
from drorch.restic.authentic import NotGenuine
from drorch.restic.reading import read_snapshot
from drorch.restic.results import Snapshot
from drorch.storage.layout import Kind, listed
from drorch.storage.probe import Depth, probe_all

#: How many snapshots are read at once.
_READERS = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """The snapshots of one repository: by living region their ids, by the others why they are not
    told.
    """

    regions: tuple[str, ...]
    ids: Mapping[str, frozenset[str]]
    dead: Mapping[str, StorageError]

    def holders(self, snapshot: str) -> tuple[str, ...]:
        """The regions that show a snapshot."""
        return tuple(r for r in self.regions if snapshot in self.ids.get(r, ()))

    @property
    def every(self) -> frozenset[str]:
        """All ids that any region shows."""
        return frozenset().union(*self.ids.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a repository's snapshots. `braked` says why nothing may go, or is empty."""

    shown: Shown
    judged: tuple[Judged, ...]
    braked: str

    @property
    def name(self) -> str:
        """The region by which the repository is spoken of."""
        return self.shown.regions[0]

    @property
    def going(self) -> tuple[str, ...]:
        """The ids of those that go, oldest first."""
        return tuple(j.candidate.snapshot for j in reversed(self.judged) if not j.keep)

    @property
    def staying(self) -> frozenset[str]:
        """The ids of those that stay."""
        return frozenset(j.candidate.snapshot for j in self.judged if j.keep)


def look(tools: Tools, dataset: Dataset) -> tuple[Shown, ...]:
    """What every repository of the dataset shows, the mirrors' first; regions are asked side by side."""
    regions = [region_named(tools, name) for name in dataset.regions]
    buckets, dead = buckets_of(tools, regions)
    for health in probe_all(buckets, Depth.REACHABLE):
        if health.error is not None:
            dead[health.region] = health.error
    ids: dict[str, frozenset[str]] = {}

    def listing(region: str) -> None:
        try:
            bucket = bucket_of(tools, region_named(tools, region))
            found = listed(bucket, repository_folder(dataset), Kind.SNAPSHOTS)
            ids[region] = frozenset(n.id for n in found)
        except StorageError as error:
            dead[region] = error

    with ThreadPoolExecutor(max(1, len(buckets))) as pool:
        list(pool.map(listing, [name for name in dataset.regions if name not in dead]))
    return tuple(
        Shown(
            names,
            {r: ids[r] for r in names if r in ids},
            {r: dead[r] for r in names if r in dead},
        )
        for names in dataset.repositories
    )


def verdicts(tools: Tools, dataset: Dataset, now: datetime) -> tuple[Verdict, ...]:
    """What retention makes of each repository of the dataset, the mirrors' first.

    Raises ResticError, its cause `wrong-password` or `keys-gone`, where a snapshot must be read
    and cannot be.
    """
    mirrors, *copies = look(tools, dataset)
    first = _verdict(tools, dataset, mirrors, now, None)
    return first, *(_verdict(tools, dataset, one, now, first) for one in copies)


def _verdict(
    tools: Tools, dataset: Dataset, shown: Shown, now: datetime, mirrors: Verdict | None
) -> Verdict:
    known = tools.knowledge.copies(dataset.name)
    facts = _Facts.of(tools, dataset)
    candidates = [
        Candidate(
            one.id,
            one.at,
            one.origin,
            shown.holders(one.id),
            facts.shields(one, mirrors),
            facts.forgotten(one),
        )
        for one in _told(tools, dataset, shown, known, every=mirrors is not None)
    ]
    newest = _newest(candidates, shown, known, now)
    shielded = [replace(c, shields=(*c.shields, *newest.get(c.snapshot, ()))) for c in candidates]
    zone = ZoneInfo(tools.configuration.timezone)
    judged = judge(shielded, dataset.keep, now=now, zone=zone)
    left = _left_last_time(tools, dataset, shown.regions[0])
    staying = sum(j.keep for j in judged)
    braked = Brake(dataset.brake, least=1).stops("snapshots", len(judged), staying, left)
    return Verdict(shown, judged, braked)


@dataclass(frozen=True, slots=True)
class _Told:
    """A snapshot as the journal or it itself tells of it; `original` is what it was copied from."""

    id: str
    at: datetime
    origin: Origin
    original: str | None = None


def _told(
    tools: Tools, dataset: Dataset, shown: Shown, known: Sequence[KnownCopy], *, every: bool
) -> Iterator[_Told]:
    """The snapshots that are ours. `every` one is read, for its original, or only what is unknown."""
    good = {c.snapshot: c.snapshot_at for c in reversed(known) if not c.owed}
    unread = frozenset() if every else shown.every & good.keys()
    yield from (_Told(s, good[s], Origin.KNOWN) for s in sorted(unread))
    for snapshot in _read(tools, dataset, shown, shown.every - unread):
        if snapshot.id in good or snapshot.original in good:
            origin = Origin.KNOWN
        else:
            ours = left_by_a_failure(tools, snapshot)
            origin = Origin.REMAINS if ours else Origin.FOREIGN
        yield _Told(snapshot.id, snapshot.time, origin, snapshot.original)


def _read(
    tools: Tools, dataset: Dataset, shown: Shown, wanted: frozenset[str]
) -> Iterator[Snapshot]:
    """The snapshots themselves, opened with the repository's key; what does not open is not ours."""
    if not wanted:
        return
    folder = repository_folder(dataset)
    master = Keyring(tools, dataset, *shown.ids).master

    def opened(snapshot: str) -> Snapshot | None:
        bucket = bucket_of(tools, region_named(tools, shown.holders(snapshot)[0]))
        content = bucket.get(f"{folder}/{Kind.SNAPSHOTS}/{snapshot}")
        try:
            return read_snapshot({"id": snapshot, **master.document(content)})
        except (NotGenuine, ValueError, TypeError, KeyError):
            return None

    with ThreadPoolExecutor(_READERS) as pool:
        yield from (s for s in pool.map(opened, sorted(wanted)) if s is not None)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What stands in the journal about single snapshots."""

    held: Mapping[str, Held]
    tombstones: Mapping[str, Forgotten]
    suspicious: Sequence[Guarded]

    @classmethod
    def of(cls, tools: Tools, dataset: Dataset) -> "_Facts":
        held = (k.fact for k in tools.knowledge.facts(Held, dataset.name))
        gone = (k.fact for k in tools.knowledge.facts(Forgotten, dataset.name))
        return cls(
            {h.snapshot: h for h in held if not h.released},
            {g.snapshot: g for g in gone},
            guarded(tools, dataset),
        )

    def shields(self, told: _Told, mirrors: Verdict | None) -> tuple[str, ...]:
        """Why it stays whatever the rules say. `mirrors` have the originals of a copy."""
        held = self.held.get(told.id) or self.held.get(told.original or "")
        by_hand = (f"held by {held.by}: {held.reason}",) if held else ()
        found = (*by_hand, *shields(self.suspicious, told.at))
        if mirrors is None:
            return found
        if not mirrors.shown.ids:
            return (*found, f"no answer from {mirrors.name}, which its original lies in")
        if told.original in mirrors.staying:
            return (*found, f"its original stays in {mirrors.name}")
        return found

    def forgotten(self, told: _Told) -> str:
        """Why it was forgotten already; empty if it was not."""
        tombstone = self.tombstones.get(told.id)
        return tombstone.reason if tombstone else ""


def _newest(
    candidates: Sequence[Candidate], shown: Shown, known: Sequence[KnownCopy], now: datetime
) -> dict[str, list[str]]:
    """By snapshot, of what it is the newest: of a region's copies, or of its proven copies."""
    found: dict[str, list[str]] = {}
    best = sorted(
        (c for c in candidates if c.at <= now and not c.forgotten and c.origin is Origin.KNOWN),
        key=lambda c: c.at,
        reverse=True,
    )
    for region in shown.regions:
        rows = [c for c in known if c.region == region and not c.owed]
        here = shown.ids.get(region, frozenset(c.snapshot for c in rows))
        claims = {
            f"newest copy in {region}": here,
            f"newest checked in {region}": {c.snapshot for c in rows if c.verified_at},
            f"newest restored from {region} in a drill": {
                c.snapshot for c in rows if c.restore_tested_at
            },
        }
        for claim, among in claims.items():
            newest = next((c.snapshot for c in best if c.snapshot in among), None)
            if newest is not None:
                found.setdefault(newest, []).append(claim)
    return found


def _left_last_time(tools: Tools, dataset: Dataset, region: str) -> int | None:
    facts = tools.knowledge.facts(Retained, dataset.name)
    return next((k.fact.snapshots for k in facts if k.fact.region == region), None)
