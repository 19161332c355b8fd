"""The actions that end retention: delete in a region what was listed for it, and let the lock go."""

from collections.abc import Sequence

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.exclusive import clear, stands
from drorch.actions.gateways import buckets_of
from drorch.actions.lists import read_list
from drorch.actions.places import bucket_of, dataset_named, region_named, repository_folder
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import StorageError
from drorch.core.facts import Fact, Pruned, PruneOwed
from drorch.core.model import Dataset, Region
from drorch.core.names import Mode
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.core.values import Finding, Result, failed, passed
from drorch.ports import Call, Tools
from drorch.storage.probe import Depth, probe
from drorch.storage.removal import remove


def _delete(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    region = region_named(tools, arguments.text("region"))
    if call.mode is not Mode.LIVE:
        return failed("drill", "retention is not part of a drill", "apply it by itself")
    owed = arguments.within("owed")
    if owed.has(region.name):
        # Known before, and told: what is owed is no failure of this run.
        why = owed.text(region.name)
        message = f"nothing deleted in {region.name}: it is owed"
        return passed({"objects": 0}, message=message, findings=(_owed(dataset, region, why),))
    names = _names(call, tools, arguments, region)
    try:
        if names:
            _removed(call, tools, dataset, region, names, arguments.text("lock"))
    except StorageError as error:
        finding = _owed(dataset, region, error.message)
        return failed(error.cause, error.message, error.hint, findings=(finding,))
    left = arguments.within("left")
    freed = arguments.boolean("pruned") and left.has(region.name)
    return passed(
        {"objects": len(names)},
        message=f"{len(names)} object(s) deleted in {region.name}",
        copies=_gone(tools, dataset, region, names),
        facts=_freed(dataset, region, left.within(region.name)) if freed else (),
    )


def _names(call: Call, tools: Tools, arguments: Arguments, region: Region) -> list[str]:
    """What is to be deleted in the region."""
    lists = arguments.within("lists")
    if not lists.has(region.name):
        return []
    kept = lists.within(region.name)
    return read_list(tools, call.run, kept.text("name"), kept.text("sha256"))


def _removed(
    call: Call, tools: Tools, dataset: Dataset, region: Region, names: Sequence[str], lock: str
) -> None:
    """Delete what the list names, as long as the lock stands under which it was made."""
    bucket = bucket_of(tools, region)
    trouble = probe(bucket, Depth.REACHABLE).error
    if trouble is not None:
        raise trouble
    if not stands(dataset, bucket, lock):
        raise StorageError(
            f"the lock in region {region.name} is gone: somebody may have written there since",
            "what is left is owed: `drorch retention apply` looks again and goes on",
            "lock-lost",
            region.name,
        )
    folder = repository_folder(dataset)
    remove(bucket, folder, names, progress=call.progress, cancel=call.cancel)


def _owed(dataset: Dataset, region: Region, why: str) -> Finding:
    return Finding(
        "prune.owed",
        f"{dataset.name} in {region.name}",
        f"what was to be deleted is still there: {why}",
        f"it is done by the next `drorch retention apply --dataset {dataset.name}`",
    )


def _gone(
    tools: Tools, dataset: Dataset, region: Region, names: Sequence[str]
) -> tuple[CopyFact, ...]:
    """The copies that are no more."""
    ids = {name.partition("/")[2] for name in names if name.startswith("snapshots/")}
    return tuple(
        CopyFact(CopyFactKind.GONE, dataset.name, region.name, c.snapshot, c.snapshot_at)
        for c in tools.knowledge.copies(dataset.name)
        if c.region == region.name and c.snapshot in ids
    )


def _freed(dataset: Dataset, region: Region, left: Arguments) -> tuple[Fact, ...]:
    return (
        Pruned(dataset.name, region.name, left.integer("objects"), left.integer("bytes")),
        PruneOwed(dataset.name, region.name, "", paid=True),
    )


RETENTION_DELETE = make_action(
    ActionSpec(
        "retention.delete",
        "Delete in one region what retention.prepare has listed for it.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, doc="where"),
            Parameter("lock", Kind.TEXT, doc="the lock that must stand"),
            Parameter("lists", Kind.MAPPING, doc="by region, the evidence that names what goes"),
            Parameter("owed", Kind.MAPPING, doc="by region, why nothing can be done there now"),
            Parameter("left", Kind.MAPPING, doc="by region, what then remains"),
            Parameter("pruned", Kind.BOOLEAN, doc="whether space is freed, too"),
        ),
        ("objects",),
        repeatable=True,
    ),
    _delete,
)


def _release(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    names = [str(name) for name in arguments.list("regions")]
    buckets, _ = buckets_of(tools, [region_named(tools, name) for name in names])
    clear(tools, dataset, buckets)
    return passed({"regions": names})


RETENTION_RELEASE = make_action(
    ActionSpec(
        "retention.release",
        "Remove the locks that retention.prepare has left standing, also one that was killed.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("regions", Kind.LIST, doc="where they may stand"),
        ),
        ("regions",),
        repeatable=True,
    ),
    _release,
)
