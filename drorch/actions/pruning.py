"""The action that makes ready what retention lets go: locked, united, pruned, listed, held back.

After it, the journal knows the snapshots that are forgotten and the regions that owe deletions,
evidence files name every object, and nothing is deleted yet. The exclusive lock stands until the
plan's last step lets it go (deleting.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.exclusive import Exclusive, let_go, renew_lock, take_lock
from drorch.actions.gateways import (
    Passage,
    buckets_of,
    gone_of,
    strange_of,
    through_gateway,
)
from drorch.actions.genuine import Genuineness, judge_of, quarantine
from drorch.actions.lists import kept_list, owing_of, pruned_before
from drorch.actions.owing import learned
from drorch.actions.places import dataset_named, region_named, repository_folder, restic_of
from drorch.actions.retention import forced_finding, stopped
from drorch.actions.staleness import free_of_stale_locks
from drorch.actions.windows import flow_of
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import ResticError, StorageError
from drorch.core.facts import Fact, Forgotten, Pruned, PruneOwed, Retained
from drorch.core.model import Dataset
from drorch.core.names import Mode
from drorch.core.posture import CopyFact
from drorch.core.retention import Brake
from drorch.core.values import Evidence, Finding, Result, Value, failed, passed
from drorch.ports import Call, Tools
from drorch.restic.process import Attempt
from drorch.storage.bucket import Bucket
from drorch.storage.gateway import Deletions
from drorch.storage.holdings import take_stock
from drorch.storage.layout import Kind as ObjectKind
from drorch.storage.layout import listed
from drorch.storage.mirror import MirrorDone, unite
from drorch.storage.probe import Depth, probe_all
from drorch.storage.pruning import Pruning, Removable, removable

#: How many snapshots one restic is told to forget: a command line has an end.
_AT_ONCE = 1000

#: What the action gives where nothing is to be done.
_NOTHING: Mapping[str, Value] = {
    "lock": "",
    "pruned": False,
    "lists": {},
    "objects": {},
    "owed": {},
    "left": {},
}


def _prepare(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    name = arguments.text("repository")
    if call.mode is not Mode.LIVE:
        return failed("drill", "retention is not part of a drill", "apply it by itself")
    decided = arguments.within("decided").within(name)
    if not decided.boolean("needed"):
        return passed(_NOTHING, message="nothing is to be done")
    return _Work(call, tools, dataset, name, decided, arguments.text("force", "")).result()


@dataclass(slots=True)
class _Found:
    """What is ready: by region what may go, and what was learned on the way."""

    regions: dict[str, Removable] = field(default_factory=dict)
    copies: tuple[CopyFact, ...] = ()
    facts: tuple[Fact, ...] = ()
    findings: tuple[Finding, ...] = ()


class _Work:
    """One repository, from the lock to the lists."""

    def __init__(
        self,
        call: Call,
        tools: Tools,
        dataset: Dataset,
        name: str,
        decided: Arguments,
        force: str,
    ) -> None:
        self._call, self._tools, self._dataset, self._name = call, tools, dataset, name
        self._regions = next(r for r in dataset.repositories if r[0] == name)
        self._folder = repository_folder(dataset)
        self._forget = {s: str(why) for s, why in decided.mapping("forget").items()}
        self._staying = decided.integer("keep")
        self._prunes = decided.boolean("prune")
        self._force = force
        self._tombstones = gone_of(tools, dataset)
        self._gone = self._tombstones | self._forget.keys()

    def result(self) -> Result:
        """Lock, do it, and leave the lock standing; without success it goes again."""
        buckets, troubles = self._living()
        if not buckets:
            raise next(iter(troubles.values()))
        judge = judge_of(self._tools, self._dataset, *(b.region.name for b in buckets))
        master = judge.keyring.master
        living = [b.region.name for b in buckets]
        cleared, seen = free_of_stale_locks(self._tools, self._dataset, living)
        lock = take_lock(self._tools, self._dataset, buckets, master)
        try:
            found = self._pruned(lock, judge) if self._prunes else self._listed(lock)
            found.findings, found.facts = (*cleared, *found.findings), (*seen, *found.facts)
            braked = "; ".join(self._braked(found))
            if not braked or self._force:
                lock = renew_lock(self._tools, self._dataset, lock, master)
                return self._ready(lock, found, troubles, braked)
        except BaseException:
            let_go(self._dataset, lock.buckets, [lock.id])
            raise
        let_go(self._dataset, lock.buckets, [lock.id])
        finding, fact = stopped(self._dataset, self._name, braked)
        return failed("braked", finding.message, finding.hint, findings=(finding,), facts=(fact,))

    def _living(self) -> tuple[list[Bucket], dict[str, StorageError]]:
        """The regions that answer, those that owe nothing first, and why others do not."""
        owing = owing_of(self._tools, self._dataset)
        names = sorted(self._regions, key=lambda region: region in owing)
        regions = [region_named(self._tools, name) for name in names]
        buckets, troubles = buckets_of(self._tools, regions)
        for health in probe_all(buckets, Depth.REACHABLE):
            if health.error is not None:
                troubles[health.region] = health.error
        return [b for b in buckets if b.region.name not in troubles], troubles

    def _listed(self, lock: Exclusive) -> _Found:
        """Without a prune, snapshots alone go."""
        found = _Found()
        for bucket in lock.buckets:
            there = {n.id: n.name for n in listed(bucket, self._folder, ObjectKind.SNAPSHOTS)}
            names = tuple(sorted(there[one] for one in self._gone & there.keys()))
            found.regions[bucket.region.name] = Removable(bucket.region.name, names)
        return found

    def _pruned(self, lock: Exclusive, judge: Genuineness) -> _Found:
        """United, pruned by restic through a gateway, listed again."""
        found, strange = self._united(lock, judge)
        regions = [region_named(self._tools, name) for name in lock.regions]
        with through_gateway(
            self._tools,
            self._dataset,
            regions,
            self._call.cancel,
            deletions=Deletions.HOLD,
            own_locks=(lock.id,),
            hidden=strange,
        ) as passage:
            self._restic(passage)
            holders = [replica.region for replica in passage.holders]
            troubles = passage.troubles
            unneeded = passage.gateway.held | {f"snapshots/{one}" for one in self._gone}
            written = passage.gateway.traffic.of(ObjectKind.DATA)
        stock = {h.region: h for h in take_stock(lock.buckets, self._folder)}
        before = pruned_before(self._tools, self._dataset)
        once_pruned = frozenset[str]().union(*before.values())
        lead = stock[holders[0]]
        pruning = Pruning(lead, unneeded, written, self._gone, strange, once_pruned)
        for region, holding in stock.items():
            trouble = holding.trouble or troubles.get(region)
            found.regions[region] = (
                Removable(region, why=trouble.message) if trouble else removable(pruning, holding)
            )
        return found

    def _restic(self, passage: Passage) -> None:
        restic = restic_of(self._tools)
        call, priority = self._call, self._dataset.priority
        attempt = Attempt(passage.cancel, call.timeout, call.progress, priority)
        new = sorted(self._forget.keys() - self._tombstones)
        try:
            for start in range(0, len(new), _AT_ONCE):
                some = new[start : start + _AT_ONCE]
                restic.forget(passage.address, some, attempt=attempt)
            restic.prune(passage.address, attempt=attempt)
        except ResticError:
            lost = passage.lost
            if lost is None:
                raise
            raise lost from None

    def _united(self, lock: Exclusive, judge: Genuineness) -> tuple[_Found, frozenset[str]]:
        """All regions brought what they lack, so that restic sees everything; and ids not ours."""
        done: dict[str, MirrorDone] = {}
        if len(lock.buckets) > 1:
            done = unite(
                lock.buckets,
                self._folder,
                targets=lock.buckets,
                gone=self._gone,
                owing=pruned_before(self._tools, self._dataset),
                judge=judge,
                flow=flow_of(self._tools, self._dataset),
                progress=self._call.progress,
                cancel=self._call.cancel,
            )
        copies = [learned(self._tools, self._dataset, r, one) for r, one in done.items()]
        told = [
            quarantine(self._tools, self._dataset, region, strange, judge)
            for region, strange in _strange(done).items()
        ]
        ids = {n.rpartition("/")[2] for names in _strange(done).values() for n in names}
        return _Found(
            copies=tuple(fact for facts in copies for fact in facts),
            facts=tuple(fact for _, facts in told for fact in facts),
            findings=tuple(finding for findings, _ in told for finding in findings),
        ), strange_of(self._tools, self._dataset) | ids

    def _braked(self, found: _Found) -> Iterator[str]:
        """Where too much data would vanish, and how much."""
        facts = self._tools.knowledge.facts(Pruned, self._dataset.name)
        left = {k.fact.region: k.fact.bytes for k in facts}
        brake = Brake(self._dataset.brake)
        for region, one in found.regions.items():
            why = brake.stops("bytes of data", one.data_before, one.data_after, left.get(region))
            if why:
                yield f"in {region} {why}"

    def _ready(
        self,
        lock: Exclusive,
        found: _Found,
        troubles: Mapping[str, StorageError],
        braked: str,
    ) -> Result:
        """What the next steps need, and everything that must be known before they begin."""
        owed = {region: error.message for region, error in {**troubles, **lock.troubles}.items()}
        owed |= {r: one.why for r, one in found.regions.items() if one.why}
        lists = {
            region: kept_list(self._tools, self._call.run, region, one.names)
            for region, one in found.regions.items()
            if one.names and region not in owed
        }
        forced = [forced_finding(self._dataset, self._name, braked, self._force)] if braked else []
        return passed(
            {
                "lock": lock.id,
                "pruned": self._prunes,
                "lists": {r: {"name": e.name, "sha256": e.sha256} for r, e in lists.items()},
                "objects": {r: len(found.regions[r].names) for r in lists},
                "owed": owed,
                "left": {
                    r: {"objects": one.objects_left, "bytes": one.data_after}
                    for r, one in found.regions.items()
                },
            },
            findings=(*found.findings, *forced),
            evidence=tuple(lists.values()),
            copies=found.copies,
            facts=(*found.facts, *self._written_ahead(lists, owed)),
        )

    def _written_ahead(
        self, lists: Mapping[str, Evidence], owed: Mapping[str, str]
    ) -> Iterator[Fact]:
        """Tombstones, and what each region owes until it is done."""
        for snapshot, why in self._forget.items():
            if snapshot not in self._tombstones:
                yield Forgotten(self._dataset.name, snapshot, why)
        yield Retained(self._dataset.name, self._name, self._staying)
        if not self._prunes:
            return
        standing = owing_of(self._tools, self._dataset)
        everywhere = next(iter(lists.values()), None)
        for region in self._regions:
            mine = lists.get(region, everywhere)
            new = (f"{self._call.run}/{mine.name}/{mine.sha256}",) if mine else ()
            before = standing[region].lists if region in standing else ()
            why = owed.get(region, "its deletions are under way")
            names = tuple(dict.fromkeys((*before, *new)))
            yield PruneOwed(self._dataset.name, region, why, names)


def _strange(done: Mapping[str, MirrorDone]) -> dict[str, dict[str, str]]:
    """By region, names of what is not ours, and why."""
    found: dict[str, dict[str, str]] = {}
    for one in done.values():
        for region, name, why in one.quarantined:
            found.setdefault(region, {})[name] = why
    return found


RETENTION_PREPARE = make_action(
    ActionSpec(
        "retention.prepare",
        "Lock a repository in all its regions and list what goes from each; nothing is deleted yet.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("repository", Kind.REGION, doc="the region it is spoken of by"),
            Parameter("decided", Kind.MAPPING, doc="what retention.decide gave as repositories"),
            Parameter("force", Kind.TEXT, required=False, doc="why the brake is not to stop it"),
        ),
        ("lock", "pruned", "lists", "objects", "owed", "left"),
        repeatable=True,
    ),
    _prepare,
)
