"""The actions that make copies: back a dataset up, and bring it to another region."""

from collections.abc import Sequence
from datetime import datetime

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.places import (
    RUN_TAG,
    address_of,
    bucket_of,
    dataset_named,
    is_mirror,
    left_by_a_failure,
    region_named,
    repository_folder,
    restic_of,
)
from drorch.actions.regions import Watched
from drorch.actions.surroundings import child_environment
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import ResticError, StorageError
from drorch.core.model import Dataset, Region
from drorch.core.posture import CopyFact, CopyFactKind, KnownCopy
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Cancellation, Tools
from drorch.restic.process import Attempt, DumpCommand
from drorch.restic.results import BackupDone, Snapshot
from drorch.storage.layout import resolve_snapshot
from drorch.storage.mirror import MirrorDone, mirror
from drorch.storage.probe import Depth, probe_all

#: How many unreadable files a finding names.
_NAMED = 10


def _backup(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    region = region_named(tools, arguments.text("region", dataset.primary))
    began = tools.clock.now().at
    with Watched(tools, region, call.cancel) as watched:
        try:
            done = _restic_backup(call, tools, dataset, region, watched.cancel)
        except ResticError:
            trouble = watched.trouble()
            if trouble is None:
                raise
            message = f"{trouble.message}; nothing was backed up"
            return failed(trouble.cause, message, trouble.hint)
    return _backed_up(tools, dataset, region, done, began)


def _restic_backup(
    call: Call, tools: Tools, dataset: Dataset, region: Region, cancel: Cancellation
) -> BackupDone:
    return restic_of(tools).backup(
        address_of(tools, dataset, region),
        host=dataset.site or dataset.name,
        paths=dataset.paths,
        dump=_dump(call, tools, dataset),
        exclude=dataset.exclude,
        tags=("drorch", f"{RUN_TAG}{call.run}"),
        limit_upload=dataset.window.limit_upload,
        attempt=Attempt(cancel, call.timeout, call.progress),
    )


def _dump(call: Call, tools: Tools, dataset: Dataset) -> DumpCommand | None:
    if dataset.dump is None:
        return None
    folder = tools.configuration.folder
    program, *rest = dataset.dump.command
    return DumpCommand(
        argv=(str(folder / program) if "/" in program else program, *rest),
        filename=dataset.dump.filename,
        env=child_environment(call, tools, {}),
        cwd=folder,
    )


def _backed_up(
    tools: Tools, dataset: Dataset, region: Region, done: BackupDone, began: datetime
) -> Result:
    snapshot = done.snapshot_id
    if done.short_id:
        bucket = bucket_of(tools, region)
        snapshot = resolve_snapshot(bucket, repository_folder(dataset), snapshot)
    # restic before 0.17 does not tell; our own start is never later than the snapshot's.
    at = done.snapshot_at or began
    fact = CopyFact(
        CopyFactKind.HELD,
        dataset.name,
        region.name,
        snapshot,
        at,
        done.total_files,
        done.total_bytes,
    )
    return passed(
        {
            "dataset": dataset.name,
            "region": region.name,
            "snapshot": snapshot,
            "snapshot_at": at.isoformat().replace("+00:00", "Z"),
            "files": done.total_files,
            "bytes": done.total_bytes,
            "files_new": done.files_new,
            "files_changed": done.files_changed,
            "bytes_added": done.data_added,
        },
        findings=_unreadable(dataset, done),
        copies=(fact,),
    )


def _unreadable(dataset: Dataset, done: BackupDone) -> tuple[Finding, ...]:
    if not done.partial:
        return ()
    named = "; ".join(f"{u.item}: {u.message}" for u in done.unreadable[:_NAMED])
    count = max(done.unreadable_count, len(done.unreadable))
    more = f" (and {count - _NAMED} more)" if count > _NAMED else ""
    return (
        Finding(
            "backup.partial",
            dataset.name,
            f"{count} item(s) could not be read and are not in the snapshot: {named}{more}",
            "let drorch read them, or exclude them if they are not wanted",
        ),
    )


BACKUP = make_action(
    ActionSpec(
        "backup",
        "Back a dataset up, encrypted, to a region.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, required=False, doc="default: the primary"),
        ),
        (
            "dataset",
            "region",
            "snapshot",
            "snapshot_at",
            "files",
            "bytes",
            "files_new",
            "files_changed",
            "bytes_added",
        ),
        repeatable=True,
    ),
    _backup,
)


def _replicate(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    region = region_named(tools, arguments.text("region"))
    source = region_named(tools, arguments.text("from", dataset.primary))
    healths = probe_all([bucket_of(tools, r) for r in (source, region)], Depth.REACHABLE)
    trouble = next((h.trouble for h in healths if h.trouble is not None), None)
    if trouble is not None:
        reason = StorageError(trouble.message, trouble.hint, trouble.cause)
        return _owed(tools, dataset, source, region, reason)
    try:
        if is_mirror(dataset, region.name):
            return _mirror(call, tools, dataset, source, region)
        return _copy(call, tools, dataset, source, region)
    except (StorageError, ResticError) as error:
        if call.cancel.cancelled:
            raise
        return _owed(tools, dataset, source, region, error)


def _owed(
    tools: Tools,
    dataset: Dataset,
    source: Region,
    region: Region,
    error: StorageError | ResticError,
) -> Result:
    """The copy is owed, not lost: what the region should hold and does not is put on record."""
    newest = _newest(tools, dataset, source)
    there = _newest(tools, dataset, region)
    behind = newest is not None and (there is None or there.snapshot_at < newest.snapshot_at)
    facts = (_fact(CopyFactKind.OWED, newest, region),) if newest is not None and behind else ()
    finding = Finding(
        "copy.owed",
        f"{dataset.name} in {region.name}",
        f"the copy could not be made: {error.message}",
        f"it is caught up by the next backup, or now with: drorch replicate --dataset {dataset.name}",
    )
    return failed(error.cause, error.message, error.hint, findings=(finding,), copies=facts)


def _newest(tools: Tools, dataset: Dataset, region: Region) -> KnownCopy | None:
    held = (c for c in tools.knowledge.copies(dataset.name) if c.region == region.name)
    return next((c for c in held if not c.owed), None)


def _fact(kind: CopyFactKind, copy: KnownCopy, region: Region) -> CopyFact:
    return CopyFact(
        kind,
        copy.dataset,
        region.name,
        copy.snapshot,
        copy.snapshot_at,
        copy.files,
        copy.bytes,
    )


def _mirror(call: Call, tools: Tools, dataset: Dataset, source: Region, region: Region) -> Result:
    done = mirror(
        bucket_of(tools, source),
        bucket_of(tools, region),
        repository_folder(dataset),
        progress=call.progress,
        cancel=call.cancel,
    )
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "region": region.name,
        "objects": done.copied,
        "bytes": done.bytes,
        "snapshots": len(done.snapshots_present),
    }
    facts = _learned(tools, dataset, source, region, done)
    if done.damaged or done.held_back:
        return failed(
            "damaged",
            f"{len(done.damaged)} object(s) in region {source.name} are not what their names say; "
            "they were not copied",
            "the replica stays at its last whole snapshot; check the repository with: "
            f"drorch check --dataset {dataset.name} --region {source.name} --read-data",
            outputs=outputs,
            findings=_damage(dataset, source, region, done),
            copies=facts,
        )
    return passed(outputs, copies=facts)


def _learned(
    tools: Tools, dataset: Dataset, source: Region, region: Region, done: MirrorDone
) -> tuple[CopyFact, ...]:
    """Facts for what the replica holds and the journal does not know it holds, and for what is
    held back.
    """
    known = tools.knowledge.copies(dataset.name)
    there = {c.snapshot for c in known if c.region == region.name and not c.owed}
    kinds = dict.fromkeys(set(done.snapshots_present) - there, CopyFactKind.HELD)
    kinds |= dict.fromkeys(done.held_back, CopyFactKind.OWED)
    # Oldest first: what is owed gives way to what is newer.
    return tuple(
        _fact(kinds[c.snapshot], c, region)
        for c in reversed(known)
        if c.region == source.name and not c.owed and c.snapshot in kinds
    )


def _damage(
    dataset: Dataset, source: Region, region: Region, done: MirrorDone
) -> tuple[Finding, ...]:
    named = ", ".join(done.damaged[:_NAMED])
    damaged = Finding(
        "object.damaged",
        f"{dataset.name} in {source.name}",
        f"{len(done.damaged)} object(s) are not what their names say: {named}",
        "restore this object's content from another region that has it whole",
    )
    owed = Finding(
        "copy.owed",
        f"{dataset.name} in {region.name}",
        f"{len(done.held_back)} snapshot(s) are held back, as they may rest on what is damaged",
        "mend the damage, then run: drorch replicate",
    )
    return (damaged, owed)


def _copy(call: Call, tools: Tools, dataset: Dataset, source: Region, region: Region) -> Result:
    restic = restic_of(tools)
    attempt = Attempt(call.cancel, call.timeout, call.progress)
    there = address_of(tools, dataset, region)
    copied = restic.copy(address_of(tools, dataset, source), there, attempt=attempt)
    made = sum(1 for c in copied if not c.already)
    listed = restic.snapshots(there, attempt=attempt)
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "region": region.name,
        "copied": made,
        "snapshots": len(listed),
    }
    return passed(outputs, copies=_unknown(tools, dataset, region, listed))


def _listed_fact(dataset: Dataset, region: Region, snapshot: Snapshot) -> CopyFact:
    return CopyFact(
        CopyFactKind.HELD,
        dataset.name,
        region.name,
        snapshot.id,
        snapshot.time,
        snapshot.total_files,
        snapshot.total_bytes,
    )


def _unknown(
    tools: Tools, dataset: Dataset, region: Region, listed: Sequence[Snapshot]
) -> tuple[CopyFact, ...]:
    """Facts for copies that the journal does not know, but not of what a failed backup left."""
    known = tools.knowledge.copies(dataset.name)
    there = {c.snapshot for c in known if c.region == region.name and not c.owed}
    good = {c.snapshot for c in known if not c.owed}
    return tuple(
        _listed_fact(dataset, region, s)
        for s in listed
        if s.id not in there and (s.original in good or not left_by_a_failure(tools, s))
    )


REPLICATE = make_action(
    ActionSpec(
        "replicate",
        "Bring a dataset's snapshots from one region to another.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, doc="where to"),
            Parameter("from", Kind.REGION, required=False, doc="default: the primary"),
        ),
        ("dataset", "region", "objects", "bytes", "snapshots", "copied"),
        repeatable=True,
    ),
    _replicate,
)
