"""A backup held against its dataset's history; one that is suspicious protects those before it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.places import dataset_named
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.facts import BackupFigures, Fact, Guarded
from drorch.core.guard import REMEMBERED, Figures, in_words, suspicions
from drorch.core.model import Dataset
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Tools
from drorch.restic.results import BackupDone


def guard_backup(
    tools: Tools, dataset: Dataset, snapshot: str, at: datetime, done: BackupDone
) -> tuple[tuple[Finding, ...], tuple[Fact, ...]]:
    """What a backup's figures say, and the facts by which the next ones are measured.

    The snapshot is kept whatever they say: it may be right, and all there is.
    """
    known = tools.knowledge.facts(BackupFigures, dataset.name)
    earlier = sorted((k.fact for k in known), key=lambda f: f.figures.at)
    now = figures_of(snapshot, at, done)
    why = suspicions(now, _counted(tools, dataset, earlier), dataset.guard)
    slot = (earlier[-1].slot + 1) % REMEMBERED if earlier else 0
    if not why:
        return (), (BackupFigures(dataset.name, slot, now),)
    text = "; ".join(why)
    finding = Finding("guard.tripped", dataset.name, *in_words(snapshot, text))
    return (finding,), (
        BackupFigures(dataset.name, slot, replace(now, tripped=True)),
        Guarded(dataset.name, snapshot, at, text),
    )


def figures_of(snapshot: str, at: datetime, done: BackupDone) -> Figures:
    """A backup in figures."""
    changed = done.files_new + done.files_changed
    return Figures(snapshot, at, done.total_files, done.total_bytes, changed, done.data_unpacked)


def _counted(tools: Tools, dataset: Dataset, earlier: Sequence[BackupFigures]) -> list[Figures]:
    """The figures that say what is usual: since a person last accepted that it is otherwise."""
    accepted = [k.fact for k in tools.knowledge.facts(Guarded, dataset.name) if k.fact.accepted]
    since = max((fact.at for fact in accepted), default=None)
    names = {fact.snapshot for fact in accepted}
    return [
        replace(one, tripped=one.tripped and one.snapshot not in names)
        for one in (e.figures for e in earlier)
        if since is None or one.at >= since
    ]


def guarded(tools: Tools, dataset: Dataset) -> list[Guarded]:
    """The suspicious backups that nobody has accepted yet."""
    found = tools.knowledge.facts(Guarded, dataset.name)
    return [known.fact for known in found if not known.fact.accepted]


def shields(suspicious: Sequence[Guarded], at: datetime) -> tuple[str, ...]:
    """Why a snapshot of this time stays whatever retention's rules say: it, or one before it."""
    return tuple(
        f"kept since backup {one.snapshot[:8]} is suspicious: {one.why}"
        for one in suspicious
        if at <= one.at
    )


def _accept(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    snapshot, by = arguments.text("snapshot"), arguments.text("by")
    suspicious = guarded(tools, dataset)
    meant = next((one for one in suspicious if one.snapshot == snapshot), None)
    if meant is None:
        return failed(
            "not-suspicious",
            f"no suspicious backup of {dataset.name} with the id {snapshot[:8]} waits to be accepted",
            "see `drorch status`",
        )
    facts = tuple(replace(one, accepted=True, by=by) for one in suspicious if one.at <= meant.at)
    outputs: dict[str, Value] = {"dataset": dataset.name, "accepted": len(facts)}
    return passed(outputs, facts=facts)


SNAPSHOT_ACCEPT = make_action(
    ActionSpec(
        "snapshot.accept",
        "Accept a backup that the guard called suspicious, and those before it.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("snapshot", Kind.TEXT, doc="its id, all 64 digits"),
            Parameter("by", Kind.TEXT, doc="who says that all is as it should be"),
        ),
        ("dataset", "accepted"),
        repeatable=True,
    ),
    _accept,
)
