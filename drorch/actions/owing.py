"""What regions hold and are owed: copies that were made, and those that could not be."""

from drorch.core.errors import ResticError, StorageError
from drorch.core.mirrors import is_mirror
from drorch.core.model import Dataset
from drorch.core.posture import CopyFact, CopyFactKind, KnownCopy
from drorch.core.values import Finding
from drorch.ports import Tools
from drorch.restic.results import Snapshot
from drorch.storage.mirror import MirrorDone


def owed_copy(
    tools: Tools, dataset: Dataset, region: str, error: StorageError | ResticError
) -> tuple[CopyFact | None, Finding]:
    """The copy is owed, not lost: what the region should hold and does not is put on record."""
    held = [c for c in tools.knowledge.copies(dataset.name) if not c.owed]
    newest = next((c for c in held if is_mirror(dataset, c.region)), None)
    there = next((c for c in held if c.region == region), None)
    behind = newest is not None and (there is None or there.snapshot_at < newest.snapshot_at)
    fact = fact_of(CopyFactKind.OWED, newest, region) if newest is not None and behind else None
    finding = Finding(
        "copy.owed",
        f"{dataset.name} in {region}",
        f"the copy could not be made: {error.message}",
        f"it is caught up by the next backup, or now with: drorch replicate --dataset {dataset.name}",
    )
    return fact, finding


def fact_of(kind: CopyFactKind, copy: KnownCopy, region: str) -> CopyFact:
    """A fact about a known copy's snapshot in another region."""
    return CopyFact(
        kind, copy.dataset, region, copy.snapshot, copy.snapshot_at, copy.files, copy.bytes
    )


def held_snapshot(dataset: str, region: str, snapshot: Snapshot) -> CopyFact:
    """The fact that a region holds a snapshot, as restic shows it there."""
    return CopyFact(
        CopyFactKind.HELD,
        dataset,
        region,
        snapshot.id,
        snapshot.time,
        snapshot.total_files,
        snapshot.total_bytes,
    )


def learned(tools: Tools, dataset: Dataset, region: str, done: MirrorDone) -> tuple[CopyFact, ...]:
    """Facts for what the region holds and the journal does not know it holds, and for what is
    held back.
    """
    known = tools.knowledge.copies(dataset.name)
    there = {c.snapshot for c in known if c.region == region and not c.owed}
    kinds = dict.fromkeys(set(done.snapshots_present) - there, CopyFactKind.HELD)
    kinds |= dict.fromkeys(done.held_back, CopyFactKind.OWED)
    of_mirrors = {c.snapshot: c for c in known if is_mirror(dataset, c.region) and not c.owed}
    # Oldest first: what is owed gives way to what is newer.
    return tuple(
        fact_of(kinds[c.snapshot], c, region)
        for c in sorted(of_mirrors.values(), key=lambda c: c.snapshot_at)
        if c.snapshot in kinds
    )
