"""The actions that bring data back, and that look whether it could be brought back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.places import (
    address_of,
    bucket_of,
    dataset_named,
    left_by_a_failure,
    region_named,
    repository_folder,
    restic_of,
)
from drorch.actions.regions import Watched
from drorch.actions.salvage import SnapshotGone, Strictness, known_damage, salvaged
from drorch.actions.scrubs import proofs_of
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import ResticError, StorageError
from drorch.core.facts import Forgotten, Proven
from drorch.core.model import Dataset, Region
from drorch.core.names import Mode
from drorch.core.posture import CopyFact, CopyFactKind, KnownCopy
from drorch.core.scrubbing import with_damage
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Tools
from drorch.restic.failure import Cause
from drorch.restic.landing import Needed
from drorch.restic.process import Attempt
from drorch.restic.results import RestoreDone
from drorch.storage.layout import Kind as ObjectKind
from drorch.storage.layout import listed
from drorch.storage.probe import Depth, Observation, probe_all

#: What restic says when the region it reads from died, or when it was ended for that.
_BY_A_DEAD_REGION = frozenset({Cause.INTERRUPTED, Cause.UNREACHABLE, Cause.FAILED})


@dataclass(frozen=True, slots=True)
class Chosen:
    """The snapshot to bring back; counts None where nobody has told them."""

    id: str
    at: datetime
    files: int | None
    bytes: int | None


def _restore(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    target = arguments.path("to")
    include = [PurePosixPath(str(i)) for i in arguments.list("include", ())]
    found = _living(tools, dataset, arguments)
    if isinstance(found, Observation):
        return failed(found.cause, found.message, found.hint)
    attempt = Attempt(call.cancel, call.timeout, call.progress)
    zone = tools.configuration.timezone
    at = arguments.time("at", zone) if arguments.has("at") else None
    tools.creations.note(call.run, target)

    def once(region: Region, strictness: Strictness) -> Result:
        gone = _gone_from(tools, dataset, region, at)
        if gone and strictness is Strictness.STRICT:
            raise gone
        chosen = choose(tools, dataset, region, at, attempt)
        done = _watched(call, tools, dataset, region, chosen, target, include)
        result = _came_back(call, dataset, region, chosen, done, target, whole=not include)
        return replace(result, findings=(*result.findings, *_told_of(gone, dataset)))

    return salvaged(call, tools, dataset, found, once)


def _watched(
    call: Call,
    tools: Tools,
    dataset: Dataset,
    region: Region,
    chosen: Chosen,
    target: Path,
    include: Sequence[PurePosixPath],
) -> RestoreDone:
    """Restore as long as the region lives; raises its StorageError when it dies meanwhile."""
    with Watched(tools, region, call.cancel) as watched:
        attempt = Attempt(watched.cancel, call.timeout, call.progress)
        try:
            return _brought_back(tools, dataset, region, chosen, target, include, attempt)
        except ResticError as error:
            if call.cancel.cancelled or error.cause not in _BY_A_DEAD_REGION:
                raise
            raise watched.trouble() or error from None


def _came_back(
    call: Call,
    dataset: Dataset,
    region: Region,
    chosen: Chosen,
    done: RestoreDone,
    target: Path,
    *,
    whole: bool,
) -> Result:
    """What a restore came to; `whole`: not only some paths were asked for."""
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "region": region.name,
        "snapshot": chosen.id,
        "snapshot_at": chosen.at.isoformat().replace("+00:00", "Z"),
        "files": done.files,
        "bytes": done.bytes,
        "path": str(target),
    }
    if whole and chosen.files is not None and done.files != chosen.files:
        return failed(
            "incomplete",
            f"{done.files} files came back of {chosen.files} that the snapshot holds",
            f"check the repository with: drorch check --dataset {dataset.name} "
            f"--region {region.name} --read-data",
            outputs=outputs,
        )
    fact = CopyFact(CopyFactKind.RESTORE_TESTED, dataset.name, region.name, chosen.id, chosen.at)
    proves = call.mode is Mode.DRILL and whole
    return passed(
        outputs, copies=(fact,) if proves else (), findings=_missing(dataset, done.missing)
    )


def _living(tools: Tools, dataset: Dataset, arguments: Arguments) -> list[Region] | Observation:
    """The region named, or those of the dataset's that answer; else why there is none.

    Those of which damage is known come last.
    """
    names = (arguments.text("region"),) if arguments.has("region") else dataset.regions
    regions = [region_named(tools, name) for name in names]
    healths = probe_all([bucket_of(tools, region) for region in regions], Depth.REACHABLE)
    living = [r for r, h in zip(regions, healths, strict=True) if h.trouble is None]
    if living:
        return sorted(living, key=lambda r: known_damage(tools, dataset, r))
    return next(h.trouble for h in healths if h.trouble is not None)


def _gone_from(
    tools: Tools, dataset: Dataset, region: Region, at: datetime | None
) -> SnapshotGone | None:
    """Whether the newest snapshot that the journal knows to lie there is not shown."""
    forgotten = {k.fact.snapshot for k in tools.knowledge.facts(Forgotten, dataset.name)}
    known = (
        c
        for c in tools.knowledge.copies(dataset.name)
        if c.region == region.name and not c.owed and _not_after(c.snapshot_at, at)
    )
    newest = next((c for c in known if c.snapshot not in forgotten), None)
    if newest is None or newest.snapshot in _there(tools, dataset, region):
        return None
    return SnapshotGone(
        f"region {region.name} does not show snapshot {newest.snapshot[:8]} of "
        f"{newest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC, which the journal knows to lie there",
        "if nobody forgot it by hand, somebody has deleted it: look at the bucket's versions",
        region.name,
    )


def _told_of(gone: SnapshotGone | None, dataset: Dataset) -> tuple[Finding, ...]:
    if gone is None:
        return ()
    message = f"an older snapshot came back: {gone.message}"
    return (Finding("restore.older", dataset.name, message, gone.hint),)


def _brought_back(
    tools: Tools,
    dataset: Dataset,
    region: Region,
    chosen: Chosen,
    target: Path,
    include: Sequence[PurePosixPath],
    attempt: Attempt,
) -> RestoreDone:
    """Restore, from where the dataset's paths were when the snapshot was made."""
    restic = restic_of(tools)
    address = address_of(tools, dataset, region)

    def back(paths: Sequence[PurePosixPath]) -> RestoreDone:
        needed = Needed() if include else Needed(chosen.bytes, chosen.files)
        return restic.restore(
            address, chosen.id, paths, target, needed=needed, include=include, attempt=attempt
        )

    paths = source_paths(dataset)
    try:
        return back(paths)
    except ResticError as error:
        if error.cause != Cause.NOT_FOUND or include:
            raise
        listed = restic.snapshots(address, attempt=attempt)
        then = next((s.paths for s in listed if s.id == chosen.id), ())
        if not then or set(then) & set(paths):
            raise
        return replace(back(then), missing=paths)


def _missing(dataset: Dataset, missing: Sequence[PurePosixPath]) -> tuple[Finding, ...]:
    if not missing:
        return ()
    named = ", ".join(map(str, missing))
    return (
        Finding(
            "restore.path-missing",
            dataset.name,
            f"the snapshot does not hold {named}",
            "the dataset's paths have changed since; what the snapshot holds came back",
        ),
    )


def source_paths(dataset: Dataset) -> tuple[PurePosixPath, ...]:
    """The paths a snapshot of the dataset holds."""
    if dataset.dump is not None:
        return (PurePosixPath("/") / dataset.dump.filename,)
    return tuple(PurePosixPath(p) for p in dataset.paths)


def choose(
    tools: Tools, dataset: Dataset, region: Region, at: datetime | None, attempt: Attempt
) -> Chosen:
    """The newest snapshot in the region, or the newest not after `at` in its own precision.

    What the journal knows saves a start of restic; the region's own list has the last word: a
    snapshot that is not there is not chosen, and one the journal does not know makes restic tell.
    One of a run that the journal knows, but that it did not record as held, is what a failed or
    killed backup left behind: it may be incomplete, and is never chosen.
    """
    there = _there(tools, dataset, region)
    known = {
        c.snapshot: Chosen(c.snapshot, c.snapshot_at, c.files, c.bytes)
        for c in reversed(tools.knowledge.copies(dataset.name))
    }
    if there - known.keys():
        told = restic_of(tools).snapshots(address_of(tools, dataset, region), attempt=attempt)
        for s in told:
            if s.original in known or not left_by_a_failure(tools, s):
                known.setdefault(s.id, Chosen(s.id, s.time, s.total_files, s.total_bytes))
    usable = [c for c in known.values() if c.id in there and _not_after(c.at, at)]
    if not usable:
        when = f" from {at.isoformat()} or before" if at else ""
        raise StorageError(
            f"region {region.name} holds no snapshot of {dataset.name}{when}",
            f"see what there is with: drorch snapshots list {dataset.name}",
            "no-snapshot",
        )
    return max(usable, key=lambda c: c.at)


def _not_after(made: datetime, at: datetime | None) -> bool:
    """By the precision of `at`: people copy times from tables in seconds, scripts in milliseconds."""
    if at is None:
        return True
    unit = 1 if at.microsecond % 1000 else 1000 if at.microsecond else 1_000_000
    return made.replace(microsecond=made.microsecond // unit * unit) <= at


def _there(tools: Tools, dataset: Dataset, region: Region) -> set[str]:
    """The ids of the snapshots that the region lists now."""
    names = listed(bucket_of(tools, region), repository_folder(dataset), ObjectKind.SNAPSHOTS)
    return {named.id for named in names}


RESTORE = make_action(
    ActionSpec(
        "restore",
        "Bring a snapshot of a dataset back into an empty folder, wholly or not at all.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("to", Kind.WRITE_PATH, doc="an empty or new folder"),
            Parameter(
                "region",
                Kind.REGION,
                required=False,
                doc="default: the first of its regions that answers, the primary before others",
            ),
            Parameter("at", Kind.TIME, required=False, doc="newest snapshot not after this time"),
            Parameter("include", Kind.LIST, required=False, doc="only these paths"),
            Parameter("purpose", Kind.TEXT, required=False, doc="why, for the access log"),
        ),
        ("dataset", "region", "snapshot", "snapshot_at", "files", "bytes", "path"),
        repeatable=True,
    ),
    _restore,
)


def _check(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    region = region_named(tools, arguments.text("region", dataset.primary))
    read_data = arguments.boolean("read_data", default=False)
    # Before restic reads: what is added meanwhile is not proven.
    known = [c for c in tools.knowledge.copies(dataset.name) if c.region == region.name]
    with Watched(tools, region, call.cancel) as watched:
        try:
            done = restic_of(tools).check(
                address_of(tools, dataset, region),
                read_data=read_data,
                attempt=Attempt(watched.cancel, call.timeout, call.progress),
            )
        except ResticError:
            trouble = watched.trouble()
            if trouble is None:
                raise
            return failed(trouble.cause, trouble.message, trouble.hint)
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "region": region.name,
        "errors": list(done.errors[:20]),
    }
    if not done.clean:
        return failed(
            "damaged",
            f"the repository of {dataset.name} in {region.name} is damaged: "
            f"{done.errors[0] if done.errors else 'restic gives no details'}",
            f"mend it from the other regions: drorch heal --dataset {dataset.name}"
            + ("" if read_data else " --read-data"),
            outputs=outputs,
            facts=_broken(tools, dataset, region, done.broken_packs),
        )
    return passed(outputs, copies=_verified(tools, dataset, region, known) if read_data else ())


def _broken(
    tools: Tools, dataset: Dataset, region: Region, packs: Sequence[str]
) -> tuple[Proven, ...]:
    """What restic found damaged or missing stands until it is healed."""
    proofs = {p.part: p for p in proofs_of(tools.knowledge, dataset, region.name)}
    for pack in packs:
        part = f"data/{pack[:2]}"
        proofs[part] = with_damage(
            proofs.get(part), part, [f"{part}/{pack}"], dataset=dataset.name, region=region.name
        )
    return tuple(proofs[part] for part in sorted({f"data/{pack[:2]}" for pack in packs}))


def _verified(
    tools: Tools, dataset: Dataset, region: Region, known: Sequence[KnownCopy]
) -> tuple[CopyFact, ...]:
    """Every byte was read: of what the journal knew, what is really there is proven."""
    there = _there(tools, dataset, region)
    return tuple(
        CopyFact(CopyFactKind.VERIFIED, dataset.name, region.name, c.snapshot, c.snapshot_at)
        for c in known
        if not c.owed and c.snapshot in there
    )


REPOSITORY_CHECK = make_action(
    ActionSpec(
        "repository.check",
        "The repository in a region is whole; with read_data, every byte of it.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, required=False, doc="default: the primary"),
            Parameter("read_data", Kind.BOOLEAN, required=False, doc="read every byte"),
        ),
        ("dataset", "region", "errors"),
        check=True,
        repeatable=True,
    ),
    _check,
)
