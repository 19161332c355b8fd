"""Which snapshot of a dataset is brought back: what the journal knows, and what the region shows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from drorch.actions.places import (
    address_of,
    bucket_of,
    left_by_a_failure,
    repository_folder,
    restic_of,
)
from drorch.core.errors import StorageError
from drorch.core.facts import Forgotten
from drorch.core.model import Dataset, Region
from drorch.ports import Tools
from drorch.restic.process import Attempt
from drorch.storage.layout import Kind as ObjectKind
from drorch.storage.layout import listed


@dataclass(frozen=True, slots=True)
class Chosen:
    """The snapshot to bring back; counts None where nobody has told them."""

    id: str
    at: datetime
    files: int | None
    bytes: int | None


class SnapshotGone(StorageError):
    """The region does not show a snapshot that the journal knows to lie there."""

    def __init__(self, message: str, hint: str, region: str) -> None:
        super().__init__(message, hint, "snapshot-gone", region)


def foreseen(tools: Tools, dataset: Dataset, region: Region, at: datetime | None) -> Chosen | None:
    """The newest snapshot that the journal knows to lie there, or the newest not after `at`."""
    forgotten = {k.fact.snapshot for k in tools.knowledge.facts(Forgotten, dataset.name)}
    for c in tools.knowledge.copies(dataset.name):
        there = c.region == region.name and not c.owed and c.snapshot not in forgotten
        if there and _not_after(c.snapshot_at, at):
            return Chosen(c.snapshot, c.snapshot_at, c.files, c.bytes)
    return None


def gone_from(
    tools: Tools,
    dataset: Dataset,
    region: Region,
    at: datetime | None,
    there: Collection[str],
) -> SnapshotGone | None:
    """Whether the newest snapshot that the journal knows to lie there is not shown."""
    newest = foreseen(tools, dataset, region, at)
    if newest is None or newest.id in there:
        return None
    return SnapshotGone(
        f"region {region.name} does not show snapshot {newest.id[:8]} of "
        f"{newest.at:%Y-%m-%d %H:%M:%S} UTC, which the journal knows to lie there",
        "if nobody forgot it by hand, somebody has deleted it: look at the bucket's versions",
        region.name,
    )


def choose(
    tools: Tools,
    dataset: Dataset,
    region: Region,
    at: datetime | None,
    there: Collection[str],
    attempt: Attempt,
) -> Chosen:
    """The newest snapshot in the region, or the newest not after `at` in its own precision.

    `there` are those that the region shows. What the journal knows saves a start of restic; the region's own list has the last word: a
    snapshot that is not there is not chosen, and one the journal does not know makes restic tell.
    One of a run that the journal knows, but that it did not record as held, is what a failed or
    killed backup left behind: it may be incomplete, and is never chosen.
    """
    known = {
        c.snapshot: Chosen(c.snapshot, c.snapshot_at, c.files, c.bytes)
        for c in reversed(tools.knowledge.copies(dataset.name))
    }
    if set(there) - known.keys():
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


def shown_in(tools: Tools, dataset: Dataset, region: Region) -> set[str]:
    """The ids of the snapshots that the region lists now."""
    names = listed(bucket_of(tools, region), repository_folder(dataset), ObjectKind.SNAPSHOTS)
    return {named.id for named in names}
