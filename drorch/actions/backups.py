"""The action that backs a dataset up: to every mirror that lives, at once."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.gateways import Passage, through_gateway
from drorch.actions.genuine import first_contact
from drorch.actions.guarding import guard_backup
from drorch.actions.places import (
    RUN_TAG,
    dataset_named,
    region_named,
    restic_of,
)
from drorch.actions.sifting import Sifted, sift
from drorch.actions.staleness import lingering
from drorch.actions.surroundings import child_environment
from drorch.actions.unhindered import unhindered
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import ResticError
from drorch.core.facts import KeyKnown
from drorch.core.model import Dataset, Region
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.core.values import Finding, Result, failed, passed
from drorch.ports import Call, Tools
from drorch.restic.failure import Cause
from drorch.restic.process import Attempt, DumpCommand
from drorch.restic.results import BackupDone
from drorch.storage.crew import Aside
from drorch.storage.layout import Kind as ObjectKind

#: How many unreadable files a finding names.
_NAMED = 10


def _backup(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    first = region_named(tools, arguments.text("region", dataset.primary))
    regions = _regions(tools, dataset, first)
    names = [region.name for region in regions]
    return unhindered(
        tools, dataset, names, lambda: _whatever_was_planted(call, tools, dataset, first, regions)
    )


def _whatever_was_planted(
    call: Call, tools: Tools, dataset: Dataset, first: Region, regions: Sequence[Region]
) -> Result:
    try:
        return _through(call, tools, dataset, first, regions)
    except ResticError as error:
        if error.cause == Cause.LOCKED:
            raise
        sifted = sift(tools, dataset, [region.name for region in regions], error)
        return _past(call, tools, dataset, first, regions, sifted, error)


def _past(
    call: Call,
    tools: Tools,
    dataset: Dataset,
    first: Region,
    regions: Sequence[Region],
    sifted: Sifted,
    error: ResticError,
) -> Result:
    """Back up past what was planted in some region."""
    usable = [region for region in regions if region.name not in sifted.unusable]
    findings, facts = sifted.told(tools, dataset)
    if not usable:
        return failed(error.cause, error.message, error.hint, findings=findings, facts=facts)
    done = _through(call, tools, dataset, first, usable, hidden=sifted.ids)
    return replace(done, findings=(*findings, *done.findings), facts=(*done.facts, *facts))


def _through(
    call: Call,
    tools: Tools,
    dataset: Dataset,
    first: Region,
    regions: Sequence[Region],
    *,
    hidden: Collection[str] = (),
) -> Result:
    began = tools.clock.now().at
    with through_gateway(tools, dataset, regions, call.cancel, hidden=hidden) as passage:
        contact = Aside(partial(_first_contact, tools, dataset, passage), "first-contact")
        try:
            done = _restic_backup(call, tools, dataset, passage)
        except ResticError:
            lost = passage.lost
            if lost is None:
                raise
            message = f"{lost.message}; nothing was backed up"
            return failed(lost.cause, message, lost.hint)
        backed_up = _backed_up(dataset, first, passage, done, began)
        findings, facts = lingering(tools, dataset, passage.gateway.others)
    held = backed_up.copies[0]
    tripped, figures = guard_backup(tools, dataset, held.snapshot, held.snapshot_at, done)
    return replace(
        backed_up,
        findings=(*backed_up.findings, *tripped, *findings),
        facts=(*backed_up.facts, *facts, *figures, *contact.result()),
    )


def _first_contact(tools: Tools, dataset: Dataset, passage: Passage) -> tuple[KeyKnown, ...]:
    """The keys of a repository that is met for the first time, derived while restic works."""
    lead = passage.gateway.surveyed().lead
    return first_contact(tools, dataset, lead.region) if lead is not None else ()


def _regions(tools: Tools, dataset: Dataset, first: Region) -> list[Region]:
    """The region to begin with, and the others that hold the same repository."""
    mirrors = dataset.mirrors if first.name in dataset.mirrors else ()
    names = dict.fromkeys((first.name, *mirrors))
    return [region_named(tools, name) for name in names]


def _restic_backup(call: Call, tools: Tools, dataset: Dataset, passage: Passage) -> BackupDone:
    return restic_of(tools).backup(
        passage.address,
        host=dataset.site or dataset.name,
        paths=dataset.paths,
        dump=_dump(call, tools, dataset),
        exclude=dataset.exclude,
        tags=("drorch", f"{RUN_TAG}{call.run}"),
        attempt=Attempt(passage.cancel, call.timeout, call.progress, dataset.priority),
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
    dataset: Dataset, first: Region, passage: Passage, done: BackupDone, began: datetime
) -> Result:
    holders = [replica.region for replica in passage.holders]
    # restic 0.14 tells eight digits of the id; the gateway has seen the whole.
    seen = passage.gateway.traffic.of(ObjectKind.SNAPSHOTS)
    snapshot = next((name for name in seen if name.startswith(done.snapshot_id)), done.snapshot_id)
    # restic before 0.17 does not tell; our own start is never later than the snapshot's.
    at = done.snapshot_at or began
    facts = [
        CopyFact(
            CopyFactKind.HELD if region in holders else CopyFactKind.OWED,
            dataset.name,
            region,
            snapshot,
            at,
            done.total_files,
            done.total_bytes,
        )
        for region in (*holders, *_owed(dataset, first, holders))
    ]
    return passed(
        {
            "dataset": dataset.name,
            "region": holders[0],
            "regions": holders,
            "level": [replica.region for replica in passage.holders if replica.level],
            "snapshot": snapshot,
            "snapshot_at": at.isoformat().replace("+00:00", "Z"),
            "files": done.total_files,
            "bytes": done.total_bytes,
            "files_new": done.files_new,
            "files_changed": done.files_changed,
            "bytes_added": done.data_added,
        },
        findings=(*_unreadable(dataset, done), *_diverted(dataset, first, holders, passage)),
        copies=tuple(facts),
    )


def _owed(dataset: Dataset, first: Region, holders: Sequence[str]) -> list[str]:
    """The mirrors that should have the snapshot and do not."""
    if first.name not in dataset.mirrors:
        return []
    return [region for region in dataset.mirrors if region not in holders]


def _diverted(
    dataset: Dataset, first: Region, holders: Sequence[str], passage: Passage
) -> tuple[Finding, ...]:
    if first.name in holders:
        return ()
    trouble = passage.troubles.get(first.name)
    why = trouble.message if trouble else f"region {first.name} is behind the others"
    return (
        Finding(
            "backup.diverted",
            f"{dataset.name} in {first.name}",
            f"the backup went to {', '.join(holders)} instead: {why}",
            f"it is brought to {first.name} by the next backup, or now with: drorch replicate "
            f"--dataset {dataset.name} --region {first.name}",
        ),
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
        "Back a dataset up, encrypted, to its primary region and every mirror at once.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, required=False, doc="preferred; default: the primary"),
        ),
        (
            "dataset",
            "region",
            "regions",
            "level",
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
