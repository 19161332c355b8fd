"""Copies that could not be made: owed, not lost."""

from drorch.actions.places import is_mirror
from drorch.core.errors import ResticError, StorageError
from drorch.core.model import Dataset
from drorch.core.posture import CopyFact, CopyFactKind, KnownCopy
from drorch.core.values import Finding
from drorch.ports import Tools


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
