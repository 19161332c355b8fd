"""The action that brings a region's repository back to its last good state."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.actions.genuine import judge_of
from drorch.actions.owing import fact_of
from drorch.actions.places import bucket_of, dataset_named, region_named, repository_folder
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import DrorchError
from drorch.core.facts import Forgotten, KeyKnown, KeyRevoked
from drorch.core.mirrors import same_repository
from drorch.core.model import Dataset, Region
from drorch.core.names import Mode
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.core.units import format_size
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Cancellation, Progress, Tools
from drorch.storage.layout import CONFIG
from drorch.storage.probe import Depth, probe, probe_all
from drorch.storage.rewind import Ours, Rewound, rewind

#: How many objects a finding names.
_NAMED = 10


def _rewind(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    region = region_named(tools, arguments.text("region"))
    moment = arguments.time("to", tools.configuration.timezone)
    trouble = probe(bucket_of(tools, region), Depth.REACHABLE).trouble
    if trouble is not None:
        return failed(trouble.cause, trouble.message, trouble.hint)
    if moment > tools.clock.now().at:
        said = f"to: {arguments.text('to')} is still to come"
        raise WrongArgument(said, "give the time at which all was still well")
    dry = arguments.boolean("dry_run", default=False)
    if call.mode is Mode.DRILL and not dry:
        return failed(
            "protected",
            f"an exercise does not change what lies in region {region.name}",
            "mark the step live_only, or let it only look: dry_run: true",
        )
    done = rewound(
        tools, dataset, region, moment, dry=dry, progress=call.progress, cancel=call.cancel
    )
    return _told(tools, dataset, region, moment, done, dry=dry)


def rewound(
    tools: Tools,
    dataset: Dataset,
    region: Region,
    moment: datetime,
    *,
    dry: bool = False,
    progress: Callable[[Progress], None] | None = None,
    cancel: Cancellation | None = None,
) -> Rewound:
    """Rewind the dataset's repository in the region; with `dry` only see what would happen.

    Raises StorageError; see storage/rewind.py.
    """
    return rewind(
        bucket_of(tools, region),
        repository_folder(dataset),
        moment,
        _ours(tools, dataset, region, moment),
        dry=dry,
        progress=progress,
        cancel=cancel,
    )


def _ours(tools: Tools, dataset: Dataset, region: Region, moment: datetime) -> Ours:
    """What the journal, the repository's key and other mirrors know of it."""
    mirrors = same_repository(dataset, region.name)
    copies = [c for c in tools.knowledge.copies(dataset.name) if c.region in mirrors]
    keys = {
        k.fact.key
        for k in tools.knowledge.facts(KeyKnown, dataset.name)
        if k.fact.region in mirrors
    }
    forgotten = {k.fact.snapshot for k in tools.knowledge.facts(Forgotten, dataset.name)}
    revoked = {k.fact.key for k in tools.knowledge.facts(KeyRevoked, dataset.name)}
    judge = judge_of(tools, dataset, region.name)
    return Ours(
        known=frozenset(
            {f"snapshots/{c.snapshot}" for c in copies} | {f"keys/{key}" for key in keys}
        ),
        gone=frozenset({f"snapshots/{s}" for s in forgotten} | {f"keys/{k}" for k in revoked}),
        newer=any(c.snapshot_at > moment for c in copies),
        configs=tuple(_configs(tools, dataset, [m for m in mirrors if m != region.name])),
        judge=lambda named, content: _unless_unknown(lambda: judge(named, content)),
        judge_config=lambda content: _unless_unknown(lambda: judge.config(content)),
    )


def _unless_unknown(ask: Callable[[], str]) -> str | None:
    """None where nobody can tell: the password is not at hand, or opens no key."""
    try:
        return ask()
    except DrorchError:
        return None


def _configs(tools: Tools, dataset: Dataset, regions: Sequence[str]) -> Iterator[bytes]:
    """The configs of those mirrors that answer and have one."""
    buckets = [bucket_of(tools, region_named(tools, name)) for name in regions]
    for bucket, health in zip(buckets, probe_all(buckets, Depth.REACHABLE), strict=True):
        if health.trouble is None:
            try:
                yield bucket.get(f"{repository_folder(dataset)}/{CONFIG}")
            except DrorchError:
                continue  # deleted there, too, or gone between two questions


def _told(
    tools: Tools,
    dataset: Dataset,
    region: Region,
    moment: datetime,
    done: Rewound,
    *,
    dry: bool,
) -> Result:
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "region": region.name,
        "to": moment.isoformat().replace("+00:00", "Z"),
        "brought_back": done.brought_back,
        "overwritten": done.overwritten,
        "proven": done.proven,
        "bytes": done.bytes,
        "hidden": len(done.hidden),
        "unknown": len(done.unknown),
        "lost": len(done.lost),
        "config": done.config,
        "snapshots": len(done.snapshots),
    }
    findings = findings_of(tools, dataset, region, done)
    copies = tuple(_held(tools, dataset, region, done))
    if dry:
        findings = tuple(f for f in findings if f.what != "object.hidden")
        copies = ()
    if done.lost:
        return failed(
            "damaged",
            f"{len(done.lost)} object(s) of {dataset.name} have no good version in region "
            f"{region.name}: {_some(done.lost)}",
            "if another region has them whole, bring them from there: "
            f"drorch heal --dataset {dataset.name}",
            outputs=outputs,
            findings=findings,
            copies=copies,
        )
    said = _outlook(done) if dry else _sentence(done)
    return passed(outputs, message=said, findings=findings, copies=copies)


def _outlook(done: Rewound) -> str:
    config = "" if done.config == "kept" else " and config"
    return (
        f"nothing was changed; would be brought back: {done.brought_back} objects{config}; "
        f"hidden: {len(done.hidden)}; snapshots that would show: {len(done.snapshots)}"
    )


def _sentence(done: Rewound) -> str:
    config = "" if done.config == "kept" else " and config"
    return (
        f"brought back: {done.brought_back} objects{config}; read and proven by their names: "
        f"{done.proven}, {format_size(done.bytes)}; hidden: {len(done.hidden)}; "
        f"snapshots that show: {len(done.snapshots)}"
    )


def findings_of(
    tools: Tools, dataset: Dataset, region: Region, done: Rewound
) -> tuple[Finding, ...]:
    """What a reader has to know of a rewind beside its counts."""
    subject = f"{dataset.name} in {region.name}"
    found: list[Finding] = []
    if done.hidden:
        told = [f"{name} ({why})" for name, why in done.hidden]
        found.append(
            Finding(
                "object.hidden",
                subject,
                f"{len(done.hidden)} object(s) were hidden: {_some(told)}",
                "they are still there below delete markers; keep them as evidence. What is yours "
                "comes back by rewinding to a later time",
            )
        )
    if done.config_doubt:
        found.append(
            Finding(
                "config.unproven",
                subject,
                f"config may be the wrong one: {done.config_doubt}",
                "check that the repository opens: drorch check",
            )
        )
    # Journals from before keys were put on record know none: then none can be strange.
    keyed = bool(tools.knowledge.facts(KeyKnown, dataset.name))
    unknown = [n for n in done.unknown if keyed or not n.startswith("keys/")]
    if unknown:
        found.append(
            Finding(
                "object.unknown",
                subject,
                f"{len(unknown)} object(s) show of which nobody can tell whether they are ours: "
                f"{_some(unknown)}",
                "find out who made them; what is not yours hide by deleting it, its versions stay",
            )
        )
    return tuple(found)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _held(tools: Tools, dataset: Dataset, region: Region, done: Rewound) -> Iterator[CopyFact]:
    """Snapshots that show and are known from other regions, but not to be held here."""
    known = tools.knowledge.copies(dataset.name)
    here = {c.snapshot for c in known if c.region == region.name and not c.owed}
    showing = set(done.snapshots) - here
    for copy in {c.snapshot: c for c in known if c.snapshot in showing}.values():
        yield fact_of(CopyFactKind.HELD, copy, region.name)


REWIND = make_action(
    ActionSpec(
        "rewind",
        "Bring a repository back to its last good state in a bucket that keeps versions.",
        (
            Parameter("dataset", Kind.DATASET, doc="whose repository"),
            Parameter("region", Kind.REGION, doc="where; its bucket must keep versions"),
            Parameter("to", Kind.TIME, doc="when all was still well"),
            Parameter("dry_run", Kind.BOOLEAN, required=False, doc="only say what would be done"),
        ),
        (
            "dataset",
            "region",
            "to",
            "brought_back",
            "overwritten",
            "proven",
            "bytes",
            "hidden",
            "unknown",
            "lost",
            "config",
            "snapshots",
        ),
        repeatable=True,
    ),
    _rewind,
)
