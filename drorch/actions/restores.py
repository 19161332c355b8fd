"""The action that brings data back.

restic takes a second to open a repository. Where the journal tells which snapshot it will be, that
second is not wasted on waiting for the regions: restic begins with it, they are asked meanwhile,
and nothing shows in the target unless they agree.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.choosing import Chosen, SnapshotGone, choose, foreseen, gone_from, shown_in
from drorch.actions.places import address_of, bucket_of, dataset_named, region_named, restic_of
from drorch.actions.proofs import known_damage
from drorch.actions.regions import Watched
from drorch.actions.unhindered import unhindered
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import DrorchError, ResticError, StorageError
from drorch.core.model import Dataset, Region
from drorch.core.names import Mode
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Cancellation, Tools
from drorch.restic.failure import Cause
from drorch.restic.landing import Needed
from drorch.restic.process import Attempt
from drorch.restic.results import RestoreDone
from drorch.storage.crew import Aside
from drorch.storage.probe import Depth, Observation, probe_all

#: What restic says when the region it reads from died, or when it was ended for that.
_BY_A_DEAD_REGION = frozenset({Cause.INTERRUPTED, Cause.UNREACHABLE, Cause.FAILED})


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be brought back, and where to."""

    call: Call
    tools: Tools
    dataset: Dataset
    regions: tuple[Region, ...]
    at: datetime | None
    target: Path
    include: tuple[PurePosixPath, ...]

    @classmethod
    def of(cls, call: Call, tools: Tools) -> "_Wish":
        arguments = Arguments.of(call, tools)
        dataset = dataset_named(tools, arguments.text("dataset"))
        names = (arguments.text("region"),) if arguments.has("region") else dataset.regions
        include = tuple(PurePosixPath(str(i)) for i in arguments.list("include", ()))
        target = arguments.path("to")
        zone = tools.configuration.timezone
        at = arguments.time("at", zone) if arguments.has("at") else None
        regions = [region_named(tools, name) for name in names]
        # Those of which damage is known come last.
        regions.sort(key=lambda region: known_damage(tools, dataset, region))
        return cls(call, tools, dataset, tuple(regions), at, target, include)

    def attempt(self, cancel: Cancellation) -> Attempt:
        """On whose behalf restic runs."""
        return Attempt(cancel, self.call.timeout, self.call.progress)


#: The regions that answer, in order; else why there is none.
_Living: TypeAlias = list[Region] | Observation


class _Otherwise(Exception):
    """What the journal foresaw is not what the regions say."""


def _restore(call: Call, tools: Tools) -> Result:
    wish = _Wish.of(call, tools)
    tools.creations.note(call.run, wish.target)
    names = [region.name for region in wish.regions]
    return unhindered(tools, wish.dataset, names, lambda: _restored(wish))


def _restored(wish: _Wish) -> Result:
    call, tools = wish.call, wish.tools
    asked = Aside(partial(_living, wish), "which-regions-live")
    begun = _begun(wish, asked)
    if isinstance(begun, Result):
        return begun
    found = asked.result()
    if isinstance(found, Observation):
        return failed(found.cause, found.message, found.hint)

    from drorch.actions.salvage import Strictness, salvaged  # and all that heals

    def once(region: Region, strictness: Strictness) -> Result:
        nonlocal begun
        if isinstance(begun, DrorchError):
            trouble, begun = begun, None
            raise trouble
        there = shown_in(tools, wish.dataset, region)
        gone = gone_from(tools, wish.dataset, region, wish.at, there)
        if gone and strictness is Strictness.STRICT:
            raise gone
        chosen = choose(tools, wish.dataset, region, wish.at, there, wish.attempt(call.cancel))
        result = _from(wish, region, chosen)
        return replace(result, findings=(*result.findings, *_told_of(gone, wish.dataset)))

    return salvaged(call, tools, wish.dataset, found, once)


def _living(wish: _Wish) -> _Living:
    healths = probe_all([bucket_of(wish.tools, r) for r in wish.regions], Depth.REACHABLE)
    troubles = [health.trouble for health in healths]
    living = [r for r, t in zip(wish.regions, troubles, strict=True) if t is None]
    return living or next(t for t in troubles if t is not None)


def _begun(wish: _Wish, asked: Aside[_Living]) -> Result | DrorchError | None:
    """A restore of what the journal foresees; None where the regions then say otherwise."""
    region = wish.regions[0]
    chosen = foreseen(wish.tools, wish.dataset, region, wish.at)
    if chosen is None or known_damage(wish.tools, wish.dataset, region):
        return None
    with Watched(wish.tools, region, wish.call.cancel, asked=True) as watched:
        agreed = Aside(partial(_agree, wish, asked, chosen, watched.cancel), "agree")
        try:
            done = _brought_back(wish, region, chosen, watched.cancel, confirm=agreed.result)
        except _Otherwise:
            return None
        except ResticError as error:
            with suppress(_Otherwise):
                if not wish.call.cancel.cancelled:
                    agreed.result()
                return _why(wish, watched, error)
            return None
    return _came_back(wish, region, chosen, done)


def _agree(wish: _Wish, asked: Aside[_Living], chosen: Chosen, cancel: Cancellation) -> None:
    """Make sure that the first region lives and shows that snapshot as the one to choose.

    Else `cancel`, and raise _Otherwise.
    """
    try:
        found = asked.result()
        if isinstance(found, list) and found[0] == wish.regions[0]:
            there = shown_in(wish.tools, wish.dataset, found[0])
            attempt = wish.attempt(wish.call.cancel)
            if chosen.id == choose(wish.tools, wish.dataset, found[0], wish.at, there, attempt).id:
                return
    except DrorchError:
        pass  # it will be told when it is asked again, in its turn
    cancel.cancel("the regions say otherwise than the journal")
    raise _Otherwise


def _from(wish: _Wish, region: Region, chosen: Chosen) -> Result:
    """Restore as long as the region lives; raises its StorageError when it dies meanwhile."""
    with Watched(wish.tools, region, wish.call.cancel) as watched:
        try:
            done = _brought_back(wish, region, chosen, watched.cancel)
        except ResticError as error:
            raise _why(wish, watched, error) from None
    return _came_back(wish, region, chosen, done)


def _why(wish: _Wish, watched: Watched, error: ResticError) -> ResticError | StorageError:
    """Why restic failed: perhaps because the region died."""
    if wish.call.cancel.cancelled or error.cause not in _BY_A_DEAD_REGION:
        return error
    return watched.trouble() or error


def _came_back(wish: _Wish, region: Region, chosen: Chosen, done: RestoreDone) -> Result:
    """What a restore came to."""
    dataset, whole = wish.dataset, not wish.include
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "region": region.name,
        "snapshot": chosen.id,
        "snapshot_at": chosen.at.isoformat().replace("+00:00", "Z"),
        "files": done.files,
        "bytes": done.bytes,
        "path": str(wish.target),
        "restic": str(restic_of(wish.tools).capabilities(wish.attempt(wish.call.cancel)).version),
    }
    if whole and chosen.files is not None:
        outputs["expected_files"] = chosen.files
    if whole and chosen.files is not None and done.files != chosen.files:
        return failed(
            "incomplete",
            f"{done.files} files came back of {chosen.files} that the snapshot holds",
            f"check the repository with: drorch check --dataset {dataset.name} "
            f"--region {region.name} --read-data",
            outputs=outputs,
        )
    fact = CopyFact(CopyFactKind.RESTORE_TESTED, dataset.name, region.name, chosen.id, chosen.at)
    proves = wish.call.mode is Mode.DRILL and whole
    return passed(
        outputs, copies=(fact,) if proves else (), findings=_missing(dataset, done.missing)
    )


def _told_of(gone: SnapshotGone | None, dataset: Dataset) -> tuple[Finding, ...]:
    if gone is None:
        return ()
    message = f"an older snapshot came back: {gone.message}"
    return (Finding("restore.older", dataset.name, message, gone.hint),)


def _brought_back(
    wish: _Wish,
    region: Region,
    chosen: Chosen,
    cancel: Cancellation,
    *,
    confirm: Callable[[], None] = lambda: None,
) -> RestoreDone:
    """Restore, from where the dataset's paths were when the snapshot was made."""
    restic = restic_of(wish.tools)
    address = address_of(wish.tools, wish.dataset, region)
    attempt, include = wish.attempt(cancel), wish.include

    def back(paths: Sequence[PurePosixPath]) -> RestoreDone:
        return restic.restore(
            address,
            chosen.id,
            paths,
            wish.target,
            needed=Needed() if include else Needed(chosen.bytes, chosen.files),
            include=include,
            confirm=confirm,
            attempt=attempt,
        )

    paths = source_paths(wish.dataset)
    try:
        return back(paths)
    except ResticError as error:
        if error.cause != Cause.NOT_FOUND:
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
        (
            "dataset",
            "region",
            "snapshot",
            "snapshot_at",
            "files",
            "expected_files",
            "bytes",
            "path",
            "restic",
        ),
        repeatable=True,
    ),
    _restore,
)
