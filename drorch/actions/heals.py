"""The action that makes damaged regions whole from all that hold the same repository."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.actions.gateways import buckets_of, gone_of
from drorch.actions.genuine import Genuineness, judge_of, quarantine
from drorch.actions.owing import fact_of
from drorch.actions.places import dataset_named, region_named, repository_folder
from drorch.actions.proofs import proofs_of
from drorch.actions.scrubs import Books, expected_in
from drorch.actions.windows import flow_of
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import StorageError
from drorch.core.facts import Fact, Proven
from drorch.core.mirrors import same_repository
from drorch.core.model import Dataset
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.core.scrubbing import CONFIG, part_of, with_damage, without_damage
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Tools
from drorch.storage.bucket import Bucket
from drorch.storage.heal import Case, HealDone, heal
from drorch.storage.probe import Depth, probe_all
from drorch.storage.scrub import ScrubDone, scrub

#: How many objects a finding names.
_NAMED = 10

_LOST_HINT = (
    "restic find --pack ID says which snapshots need it; what the source still has comes back by: "
    "restic repair index, then drorch backup; what it has not is taken out of the snapshots by: "
    "restic repair snapshots --forget"
)


@dataclass(frozen=True, slots=True)
class Healing:
    """What a healing came to, as facts and findings; `done` is what storage tells of it."""

    done: HealDone
    facts: tuple[Fact, ...]
    copies: tuple[CopyFact, ...]
    findings: tuple[Finding, ...]


def _heal(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    targets = _targets(tools, dataset, arguments)
    read_data = arguments.boolean("read_data", default=False)
    healing = healed(call, tools, dataset, targets, read_data=read_data)
    return _told(dataset, targets, healing)


def _targets(tools: Tools, dataset: Dataset, arguments: Arguments) -> list[str]:
    names = [str(name) for name in arguments.list("regions", dataset.mirrors)]
    for name in names:
        region_named(tools, name)
        if name not in same_repository(dataset, names[0]):
            raise WrongArgument(
                f"regions: {name} does not hold the repository that {names[0]} holds",
                "heal it alone",
            )
    return names


def healed(
    call: Call,
    tools: Tools,
    dataset: Dataset,
    targets: Sequence[str],
    *,
    read_data: bool = False,
    suspects: Mapping[str, Collection[str]] | None = None,
) -> Healing:
    """Make these regions, which hold one repository, whole: of what the listings and former proofs
    say, of `suspects`, and with `read_data` of everything that lies there.
    """
    living, troubles = _living(tools, dataset, targets[0])
    ledger = _Ledger(tools, dataset, [bucket.region.name for bucket in living])
    if read_data:
        wanted = [bucket for bucket in living if bucket.region.name in targets]
        _read_everything(call, tools, dataset, wanted, ledger)
    for region, names in (suspects or {}).items():
        ledger.suspect(region, names)
    judge = judge_of(tools, dataset, targets[0])
    done = heal(
        living,
        repository_folder(dataset),
        Case(targets, ledger.suspects(), ledger.expected(), gone_of(tools, dataset)),
        judge=judge,
        judge_config=judge.config,
        passing=flow_of(tools, dataset).carry,
        progress=call.progress,
        cancel=call.cancel,
    )
    done.troubles |= troubles
    strange, quarantined = _quarantined(tools, dataset, done, judge)
    copies, gone = _copies(tools, dataset, done)
    return Healing(
        done,
        (*ledger.closed(done), *quarantined),
        copies,
        (*_healed_findings(dataset, done), *_lost_findings(dataset, done), *gone, *strange),
    )


def _living(
    tools: Tools, dataset: Dataset, region: str
) -> tuple[list[Bucket], dict[str, StorageError]]:
    """The regions of that region's repository that answer, and why others do not."""
    names = same_repository(dataset, region)
    buckets, troubles = buckets_of(tools, [region_named(tools, name) for name in names])
    for health in probe_all(buckets, Depth.REACHABLE):
        if health.error is not None:
            troubles[health.region] = health.error
    return [b for b in buckets if b.region.name not in troubles], troubles


def _read_everything(
    call: Call, tools: Tools, dataset: Dataset, living: Sequence[Bucket], ledger: "_Ledger"
) -> None:
    """Hash all that lies there; what comes from elsewhere is hashed on its way."""
    for bucket in living:
        region = region_named(tools, bucket.region.name)
        done = scrub(
            bucket,
            repository_folder(dataset),
            None,
            expected=expected_in(tools.knowledge, dataset, region),
            pace=flow_of(tools, dataset).receiving,
            progress=call.progress,
            cancel=call.cancel,
        )
        ledger.read(region.name, done)


class _Ledger:
    """What is known to be proven and damaged, by region and part, and what of it changes."""

    def __init__(self, tools: Tools, dataset: Dataset, regions: Sequence[str]) -> None:
        self._tools = tools
        self._dataset = dataset
        self._regions = regions
        self._proofs = {
            region: {p.part: p for p in proofs_of(tools.knowledge, dataset, region)}
            for region in regions
        }
        self._changed: dict[tuple[str, str], Proven] = {}
        self._spent: list[Fact] = []

    def read(self, region: str, done: ScrubDone) -> None:
        """All of a region was hashed."""
        books = Books.opened(self._tools, self._dataset, region_named(self._tools, region))
        for fact in books.closed(done):
            if isinstance(fact, Proven):
                self._put(region, fact)
            else:
                self._spent.append(fact)

    def suspect(self, region: str, names: Iterable[str]) -> None:
        """Somebody stumbled over these."""
        for name in names if region in self._proofs else ():
            part = part_of(name)
            known = self._proofs[region].get(part)
            self._put(
                region,
                with_damage(known, part, [name], dataset=self._dataset.name, region=region),
            )

    def suspects(self) -> dict[str, set[str]]:
        """By region what is known to be damaged."""
        return {
            region: {name for proof in proofs.values() for name in proof.damaged}
            for region, proofs in self._proofs.items()
        }

    def expected(self) -> set[str]:
        """What must be in some region."""
        found: set[str] = set()
        for region in self._regions:
            known = expected_in(
                self._tools.knowledge, self._dataset, region_named(self._tools, region)
            )
            found |= {name for names in known.values() for name in names}
        return found

    def closed(self, done: HealDone) -> tuple[Fact, ...]:
        """The facts to record."""
        for region, name in [*done.sound, *((m.region, m.name) for m in done.healed)]:
            known = self._proofs[region].get(part_of(name))
            if known is not None and name in known.damaged:
                self._put(region, without_damage(known, [name]))
        for region, name in done.damaged:
            self.suspect(region, [name])
        now = self._tools.clock.now().at
        for region in self._regions:
            if region not in done.troubles:
                self._put_config(region, done, now)
        return (*self._changed.values(), *self._spent)

    def _put_config(self, region: str, done: HealDone, now: datetime) -> None:
        bad = (region, CONFIG) in done.damaged
        known = self._proofs[region].get(CONFIG) or Proven(
            self._dataset.name, region, CONFIG, 1, 0, since=now
        )
        if bad != bool(known.damaged):
            self._put(region, replace(known, damaged=(CONFIG,) if bad else ()))

    def _put(self, region: str, proof: Proven) -> None:
        if self._proofs[region].get(proof.part) != proof:
            self._proofs[region][proof.part] = self._changed[region, proof.part] = proof


def _quarantined(
    tools: Tools, dataset: Dataset, done: HealDone, judge: Genuineness
) -> tuple[tuple[Finding, ...], tuple[Fact, ...]]:
    """What lies in some region and is not ours."""
    strange: dict[str, dict[str, str]] = {}
    for (region, name), why in done.strange.items():
        strange.setdefault(region, {})[name] = why
    told = [quarantine(tools, dataset, r, names, judge) for r, names in strange.items()]
    findings = tuple(finding for found, _ in told for finding in found)
    return findings, tuple(fact for _, facts in told for fact in facts)


def _copies(
    tools: Tools, dataset: Dataset, done: HealDone
) -> tuple[tuple[CopyFact, ...], tuple[Finding, ...]]:
    """What the regions hold that the journal does not know they hold; and what it believes to lie
    there and no region has any more.
    """
    known = [c for c in tools.knowledge.copies(dataset.name) if not c.owed]
    ours = {c.snapshot: c for c in known if c.region in done.shown}
    there = {(c.region, c.snapshot) for c in known}
    oldest_first = sorted(ours.values(), key=lambda c: c.snapshot_at)
    held = [
        fact_of(CopyFactKind.HELD, copy, region)
        for copy in oldest_first
        for region, shown in done.shown.items()
        if copy.snapshot in shown and (region, copy.snapshot) not in there
    ]
    if done.troubles or done.trouble:
        return tuple(held), ()
    shown_somewhere = set().union(*done.shown.values()) if done.shown else set()
    lost = [c for c in oldest_first if c.snapshot not in shown_somewhere]
    gone = [
        fact_of(CopyFactKind.GONE, c, c.region)
        for c in known
        if c.region in done.shown and c.snapshot not in shown_somewhere
    ]
    finding = Finding(
        "snapshot.lost",
        dataset.name,
        f"{len(lost)} snapshot(s) that the journal knows are in no region any more: "
        + ", ".join(
            f"{c.snapshot[:8]} ({c.snapshot_at:%Y-%m-%d %H:%M} UTC)" for c in lost[:_NAMED]
        ),
        "if nobody forgot them by hand, somebody has deleted them: look at the buckets' versions",
    )
    return (*held, *gone), (finding,) if lost else ()


def _healed_findings(dataset: Dataset, done: HealDone) -> list[Finding]:
    by_region: dict[str, list[str]] = {}
    for mended in done.healed:
        older = mended.source == mended.region
        source = "an older version" if older else mended.source
        by_region.setdefault(mended.region, []).append(f"{mended.name} from {source}")
    return [
        Finding(
            "object.healed",
            f"{dataset.name} in {region}",
            f"{len(names)} object(s) were brought back: {some(names)}",
            "find out what damaged them: a disk, a hand, or somebody with the region's key",
        )
        for region, names in by_region.items()
    ]


def _lost_findings(dataset: Dataset, done: HealDone) -> list[Finding]:
    found = []
    if done.lost:
        found.append(
            Finding(
                "object.lost",
                dataset.name,
                f"{len(done.lost)} object(s) are whole in no region: {some(sorted(done.lost))}",
                _LOST_HINT,
            )
        )
    found += [
        Finding(
            "region.away",
            f"{dataset.name} in {region}",
            f"it took no part, or not to the end: {error.message}",
            "heal again once it answers; it may have what others miss",
        )
        for region, error in done.troubles.items()
    ]
    return found


def some(names: Sequence[str], most: int = _NAMED) -> str:
    """The first of them, and how many more there are."""
    more = f" (and {len(names) - most} more)" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _told(dataset: Dataset, targets: Sequence[str], healing: Healing) -> Result:
    done = healing.done
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "regions": list(targets),
        "healed": len(done.healed),
        "lost": sorted(done.lost)[:_NAMED],
        "bytes": done.bytes,
    }
    trouble = done.trouble or next((done.troubles[t] for t in targets if t in done.troubles), None)
    lost = [f for f in healing.findings if f.what in ("object.lost", "snapshot.lost")]
    if trouble is None and not lost:
        return passed(
            outputs,
            message=_sentence(done),
            findings=healing.findings,
            copies=healing.copies,
            facts=healing.facts,
        )
    cause, message, hint = (
        (getattr(trouble, "cause", "error"), trouble.message, trouble.hint)
        if trouble is not None
        else ("damaged", lost[0].message, lost[0].hint)
    )
    return failed(
        cause,
        message,
        hint,
        outputs=outputs,
        findings=healing.findings,
        copies=healing.copies,
        facts=healing.facts,
    )


def _sentence(done: HealDone) -> str:
    if not done.healed:
        return "nothing is missing, nothing is known to be damaged"
    counts: dict[str, int] = {}
    for mended in done.healed:
        counts[mended.region] = counts.get(mended.region, 0) + 1
    return "brought back: " + ", ".join(f"{n} object(s) to {r}" for r, n in sorted(counts.items()))


HEAL = make_action(
    ActionSpec(
        "heal",
        "Make damaged regions whole, object by object, from all that hold the same repository.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter(
                "regions",
                Kind.LIST,
                required=False,
                doc="which to make whole, of one repository; default: the primary and its mirrors",
            ),
            Parameter("read_data", Kind.BOOLEAN, required=False, doc="hash everything first"),
        ),
        ("dataset", "regions", "healed", "lost", "bytes"),
        repeatable=True,
    ),
    _heal,
)
