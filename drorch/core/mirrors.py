"""Which regions of a dataset hold the very same repository. Pure."""

from drorch.core.model import CopyMode, Dataset


def is_mirror(dataset: Dataset, region: str) -> bool:
    """Whether the region holds the primary's very objects."""
    return all(c.mode is CopyMode.MIRROR for c in dataset.copies if c.region == region)


def same_repository(dataset: Dataset, region: str) -> tuple[str, ...]:
    """The regions that hold the very repository this one does: the primary and its mirrors, or
    alone the region that has a repository of its own. The first of them stands for all.
    """
    if not is_mirror(dataset, region):
        return (region,)
    return tuple(r for r in dataset.regions if is_mirror(dataset, r))
