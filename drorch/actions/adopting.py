"""The action that learns what regions hold and the journal does not know: after a recovery."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.owing import held_snapshot
from drorch.actions.places import (
    RUN_TAG,
    address_of,
    bucket_of,
    dataset_named,
    region_named,
    repository_folder,
    restic_of,
)
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import DrorchError
from drorch.core.facts import Forgotten
from drorch.core.model import Dataset, Region
from drorch.core.posture import CopyFact
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Tools
from drorch.restic.process import Attempt
from drorch.restic.results import Snapshot
from drorch.storage.layout import Kind as ObjectKind
from drorch.storage.layout import listed
from drorch.storage.probe import Depth, probe

#: The tag of every snapshot that drorch makes.
_OURS = "drorch"


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of a dataset: its snapshots by id, which of them are gone, and the runs that
    were seen to begin and not to end.
    """

    known: dict[tuple[str, str], bool]
    gone: frozenset[str]
    unfinished: frozenset[str]


def _adopt(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    look = _Look(
        {(c.region, c.snapshot): c.owed for c in tools.knowledge.copies(dataset.name)},
        frozenset(k.fact.snapshot for k in tools.knowledge.facts(Forgotten, dataset.name)),
        frozenset(str(run) for run in arguments.list("unfinished", ())),
    )
    facts: list[CopyFact] = []
    troubles: dict[str, DrorchError] = {}
    for name in dataset.regions:
        try:
            facts += _held(call, tools, dataset, region_named(tools, name), look)
        except DrorchError as error:
            troubles[name] = error
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "adopted": len({fact.snapshot for fact in facts}),
        "newest_at": max((f.snapshot_at.isoformat() for f in facts), default=None),
        "unasked": list(troubles),
    }
    findings = tuple(
        Finding("region.unasked", f"{dataset.name} in {name}", error.message, error.hint)
        for name, error in troubles.items()
    )
    if len(troubles) == len(dataset.regions):
        first = next(iter(troubles.values()))
        return failed("unreachable", first.message, first.hint, outputs=outputs, findings=findings)
    return passed(outputs, copies=tuple(facts), findings=findings)


def _held(
    call: Call, tools: Tools, dataset: Dataset, region: Region, look: _Look
) -> list[CopyFact]:
    """What the region holds of the dataset and is not known to hold, oldest first."""
    bucket = bucket_of(tools, region)
    error = probe(bucket, Depth.REACHABLE).error
    if error is not None:
        raise error
    there = {one.id for one in listed(bucket, repository_folder(dataset), ObjectKind.SNAPSHOTS)}
    new = {s for s in there if look.known.get((region.name, s), True) and s not in look.gone}
    if not new:
        return []
    shown = restic_of(tools).snapshots(
        address_of(tools, dataset, region), locks=False, attempt=Attempt(call.cancel)
    )
    return [
        held_snapshot(dataset.name, region.name, one)
        for one in shown
        if _adoptable(one, new, look, tools)
    ]


def _adoptable(snapshot: Snapshot, new: Collection[str], look: _Look, tools: Tools) -> bool:
    """Whether a backup made it that ended well, as far as is known: restic writes a snapshot last of
    all. One of a run that the journal saw fail stays what it was.
    """
    if snapshot.id not in new or _OURS not in snapshot.tags:
        return False
    runs = _runs(snapshot.tags)
    return all(run in look.unfinished or not tools.knowledge.recorded(run) for run in runs) or any(
        known == snapshot.id for _, known in look.known
    )


def _runs(tags: Iterable[str]) -> list[str]:
    return [tag.removeprefix(RUN_TAG) for tag in tags if tag.startswith(RUN_TAG)]


COPIES_ADOPT = make_action(
    ActionSpec(
        "copies.adopt",
        "Learn which snapshots a dataset's regions hold that the journal does not know.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter(
                "unfinished",
                Kind.LIST,
                required=False,
                doc="runs whose end the journal has not seen, and whose snapshots count",
            ),
        ),
        ("dataset", "adopted", "newest_at", "unasked"),
        repeatable=True,
    ),
    _adopt,
)
