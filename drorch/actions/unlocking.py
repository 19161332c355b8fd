"""The action that removes restic's stale locks, and never a live one."""

from collections.abc import Sequence

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.patience import pause
from drorch.actions.places import dataset_named, region_named
from drorch.actions.staleness import (
    FoundLock,
    Looked,
    look_at_locks,
    remove_locks,
    standing_findings,
)
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.staleness import Standing, due
from drorch.core.values import Result, Value, failed, passed
from drorch.ports import Call, Progress, Tools


def _unlock(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    regions = [arguments.text("region")] if arguments.has("region") else list(dataset.regions)
    for region in regions:
        region_named(tools, region)
    looked = look_at_locks(tools, dataset, regions)
    gone = remove_locks(tools, dataset, looked.standing(Standing.STALE))
    doubtful = looked.standing(Standing.DOUBTFUL)
    if doubtful and arguments.boolean("wait", True) and _waited(call, tools, doubtful):
        looked = look_at_locks(tools, dataset, regions, looked)
        gone += remove_locks(tools, dataset, looked.standing(Standing.STALE))
    rows = [_row(region, looked, gone) for region in regions]
    findings = standing_findings(dataset, looked.standing(Standing.DOUBTFUL))
    outputs: dict[str, Value] = {"dataset": dataset.name, "regions": rows, "removed": len(gone)}
    if looked.lost:
        first = next(iter(looked.lost.values()))
        message, hint = first.message, first.hint
        return failed(
            first.cause, message, hint, outputs=outputs, findings=findings, facts=looked.facts
        )
    return passed(outputs, findings=findings, facts=looked.facts)


def _waited(call: Call, tools: Tools, doubtful: Sequence[FoundLock]) -> bool:
    now = tools.clock.now()
    length = max(due(lock.seen, now) for lock in doubtful)
    told = f"{len(doubtful)} lock(s) could be stale: looking again in {format_duration(length)}"
    call.progress(Progress(message=told))
    return pause(call.cancel, length)


def _row(region: str, looked: Looked, gone: Sequence[FoundLock]) -> dict[str, Value]:
    """What came of one region: `none`, `unlocked`, `kept` or `failed`."""
    if region in looked.lost:
        error = looked.lost[region]
        return {"region": region, "result": "failed", "message": error.message, "hint": error.hint}
    removed = [lock for lock in gone if lock.region == region]
    ids = {lock.seen.lock for lock in removed}
    left = [f for f in looked.found if f.region == region and f.seen.lock not in ids]
    result = "unlocked" if removed else "kept" if left else "none"
    locks = [_lock(lock, removed=True) for lock in removed]
    locks += [_lock(lock, removed=False) for lock in left]
    return {
        "region": region,
        "result": result,
        "removed": len(removed),
        "left": len(left),
        "locks": list(locks),
    }


def _lock(lock: FoundLock, *, removed: bool) -> dict[str, Value]:
    says = lock.says
    return {
        "lock": lock.seen.lock,
        "standing": lock.standing.value,
        "why": lock.why,
        "removed": removed,
        "exclusive": says.exclusive if says else None,
        "host": says.host if says else None,
        "user": says.user if says else None,
        "pid": says.pid if says else None,
        "written_at": lock.seen.written.isoformat().replace("+00:00", "Z"),
    }


REPOSITORY_UNLOCK = make_action(
    ActionSpec(
        "repository.unlock",
        "Remove restic's locks that are proven stale, never a live one.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, required=False, doc="only there; default: all"),
            Parameter(
                "wait",
                Kind.BOOLEAN,
                required=False,
                doc="wait up to 6 minutes for a second look at old locks; default: true",
            ),
        ),
        ("dataset", "regions", "removed"),
        repeatable=True,
    ),
    _unlock,
)
