"""What the regions hold of a dataset's snapshots, and what retention makes of that.

Nothing is changed here. Times come from the journal; restic is asked only for what it does not know.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from drorch.actions.places import (
    address_of,
    bucket_of,
    left_by_a_failure,
    region_named,
    repository_folder,
    restic_of,
)
from drorch.core.errors import StorageError
from drorch.core.facts import Forgotten, Held, Retained
from drorch.core.model import Dataset
from drorch.core.posture import KnownCopy
from drorch.core.retention import Brake, Candidate, Judged, Origin, judge
from drorch.ports import Tools
from drorch.restic.results import Snapshot
from drorch.storage.layout import Kind, listed
from drorch.storage.probe import Depth, probe_all


@dataclass(frozen=True, slots=True)
class Holdings:
    """One repository: the ids that each living region shows, and why the others do not answer."""

    regions: tuple[str, ...]
    shown: Mapping[str, frozenset[str]]
    dead: Mapping[str, StorageError]

    def holders(self, snapshot: str) -> tuple[str, ...]:
        """The regions that show a snapshot."""
        return tuple(r for r in self.regions if snapshot in self.shown.get(r, ()))

    @property
    def every(self) -> frozenset[str]:
        """All ids that any region shows."""
        return frozenset().union(*self.shown.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a repository's snapshots. `braked` says why nothing may go, or is empty."""

    holdings: Holdings
    judged: tuple[Judged, ...]
    braked: str

    @property
    def name(self) -> str:
        """The region by which the repository is spoken of."""
        return self.holdings.regions[0]

    @property
    def going(self) -> tuple[str, ...]:
        """The ids of those that go, oldest first."""
        return tuple(j.candidate.snapshot for j in reversed(self.judged) if not j.keep)

    @property
    def staying(self) -> frozenset[str]:
        """The ids of those that stay."""
        return frozenset(j.candidate.snapshot for j in self.judged if j.keep)


def look(tools: Tools, dataset: Dataset) -> tuple[Holdings, ...]:
    """What every repository of the dataset holds; a region that does not answer is named as dead."""
    buckets = {name: bucket_of(tools, region_named(tools, name)) for name in dataset.regions}
    healths = probe_all(list(buckets.values()), Depth.REACHABLE)
    dead: dict[str, StorageError] = {}
    shown: dict[str, frozenset[str]] = {}
    for name, health in zip(buckets, healths, strict=True):
        if found := health.trouble:
            dead[name] = StorageError(found.message, found.hint, found.cause)

    def listing(name: str) -> None:
        try:
            found = listed(buckets[name], repository_folder(dataset), Kind.SNAPSHOTS)
            shown[name] = frozenset(n.id for n in found)
        except StorageError as error:
            dead[name] = error

    with ThreadPoolExecutor(max(1, len(buckets))) as pool:
        list(pool.map(listing, [name for name in buckets if name not in dead]))
    return tuple(
        Holdings(
            regions,
            {r: shown[r] for r in regions if r in shown},
            {r: dead[r] for r in regions if r in dead},
        )
        for regions in dataset.repositories
    )


def verdicts(tools: Tools, dataset: Dataset, now: datetime) -> tuple[Verdict, ...]:
    """What retention makes of each repository of the dataset, the mirrors' first."""
    mirrors, *copies = look(tools, dataset)
    first = _verdict(tools, dataset, mirrors, now, None)
    return first, *(_verdict(tools, dataset, one, now, first) for one in copies)


def _verdict(
    tools: Tools, dataset: Dataset, holdings: Holdings, now: datetime, mirrors: Verdict | None
) -> Verdict:
    known = tools.knowledge.copies(dataset.name)
    told = _told(tools, dataset, holdings, known, ask=mirrors is not None)
    facts = _Facts.of(tools, dataset)
    candidates = [
        Candidate(
            one.id,
            one.at,
            one.origin,
            holdings.holders(one.id),
            facts.shields(one, mirrors),
            facts.forgotten(one),
        )
        for one in told
    ]
    newest = _newest(candidates, holdings, known, now)
    shielded = [replace(c, shields=(*c.shields, *newest.get(c.snapshot, ()))) for c in candidates]
    zone = ZoneInfo(tools.configuration.timezone)
    judged = judge(shielded, dataset.keep, now=now, zone=zone)
    going = sum(not j.keep for j in judged)
    left = _left_last_time(tools, dataset, holdings.regions[0])
    braked = Brake(dataset.brake).stops("snapshots", len(judged), going, left)
    return Verdict(holdings, judged, braked)


@dataclass(frozen=True, slots=True)
class _Told:
    """A snapshot as the journal or restic tells of it; `original` is what it was copied from."""

    id: str
    at: datetime
    origin: Origin
    original: str | None = None


def _told(
    tools: Tools,
    dataset: Dataset,
    holdings: Holdings,
    known: Sequence[KnownCopy],
    *,
    ask: bool,
) -> Iterator[_Told]:
    """Every snapshot that is shown. `ask`: restic is asked of all of them, for their originals."""
    good = {c.snapshot: c.snapshot_at for c in reversed(known) if not c.owed}
    every = holdings.every
    if not ask:
        yield from (_Told(s, good[s], Origin.KNOWN) for s in sorted(every & good.keys()))
        every -= good.keys()
    for snapshot in _asked(tools, dataset, holdings, every):
        if snapshot.id in good or snapshot.original in good:
            origin = Origin.KNOWN
        else:
            ours = left_by_a_failure(tools, snapshot)
            origin = Origin.REMAINS if ours else Origin.FOREIGN
        yield _Told(snapshot.id, snapshot.time, origin, snapshot.original)


def _asked(
    tools: Tools, dataset: Dataset, holdings: Holdings, wanted: frozenset[str]
) -> Iterator[Snapshot]:
    """What restic says of them, from as few regions as hold them all."""
    for region, shown in holdings.shown.items():
        here = wanted & shown
        if here:
            address = address_of(tools, dataset, region_named(tools, region))
            found = [s for s in restic_of(tools).snapshots(address, locks=False) if s.id in here]
            yield from found
            wanted -= {s.id for s in found}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What stands in the journal about single snapshots."""

    held: Mapping[str, Held]
    tombstones: Mapping[str, Forgotten]

    @classmethod
    def of(cls, tools: Tools, dataset: Dataset) -> "_Facts":
        held = (k.fact for k in tools.knowledge.facts(Held, dataset.name))
        gone = (k.fact for k in tools.knowledge.facts(Forgotten, dataset.name))
        return cls({h.snapshot: h for h in held if not h.released}, {g.snapshot: g for g in gone})

    def shields(self, told: _Told, mirrors: Verdict | None) -> tuple[str, ...]:
        """Why it stays whatever the rules say. `mirrors` have the originals of a copy."""
        held = self.held.get(told.id) or self.held.get(told.original or "")
        found = (f"held by {held.by}: {held.reason}",) if held else ()
        if mirrors is None:
            return found
        if not mirrors.holdings.shown:
            return (*found, f"no answer from {mirrors.name}, which its original lies in")
        if told.original in mirrors.staying:
            return (*found, f"its original stays in {mirrors.name}")
        return found

    def forgotten(self, told: _Told) -> str:
        """Why it was forgotten already; empty if it was not."""
        tombstone = self.tombstones.get(told.id)
        return tombstone.reason if tombstone else ""


def _newest(
    candidates: Sequence[Candidate],
    holdings: Holdings,
    known: Sequence[KnownCopy],
    now: datetime,
) -> dict[str, list[str]]:
    """By snapshot, of what it is the newest: copy in a region, proven copy."""
    found: dict[str, list[str]] = {}
    best = sorted(
        (c for c in candidates if c.at <= now and not c.forgotten and c.origin is Origin.KNOWN),
        key=lambda c: c.at,
        reverse=True,
    )
    for region in holdings.regions:
        rows = [c for c in known if c.region == region and not c.owed]
        there = {c.snapshot for c in rows}
        here = there if region in holdings.dead else holdings.shown[region]
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
