"""The control plane: drorch's own records, and where copies of them may lie. Pure.

Its copies lie below `control-plane/` in each region's bucket (docs/control-plane.md has every byte):

    PLANE/                  a history of runs, named by the hash of its ledger's first entry
      VAULT/                what one passphrase opens
        key                 the vault's key, wrapped by the passphrase
        segments/STREAM/N   journal rows, a few at a time, in the order of N
        repository/         a restic repository of whole states
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from drorch.core.model import Configuration, Region, may_lie

#: Where everything of the control plane lies below a region's prefix.
FOLDER = "control-plane"

#: A whole state is taken so often, and besides when configuration or runbooks change.
WHOLE_EVERY = timedelta(days=1)

#: After so long without a segment that is due, or without a whole state, somebody has to see to it.
SEGMENT_LATE = timedelta(minutes=15)
WHOLE_LATE = timedelta(days=2)

#: In names of datasets no parentheses are allowed: no dataset is called so.
NAME = "(control plane)"


def plane_password(configuration: Configuration) -> str | None:
    """The name of the secret that seals the control plane; None if no one alone is meant."""
    if configuration.control_plane.password is not None:
        return configuration.control_plane.password
    named = {dataset.password for dataset in configuration.datasets.values()}
    return next(iter(named)) if len(named) == 1 else None


def plane_regions(configuration: Configuration) -> tuple[Region, ...]:
    """The regions that copies are to lie in: those named, else all that every dataset's residency
    allows. Those named are checked when the configuration is read. A copy that was recovered as an
    exercise is copied nowhere.
    """
    if configuration.exercise is not None:
        return ()
    regions = configuration.regions
    if configuration.control_plane.regions:
        return tuple(regions[name] for name in configuration.control_plane.regions)
    datasets = configuration.datasets.values()
    return tuple(r for r in regions.values() if all(may_lie(r, one) for one in datasets))


def damaged_wholes(names: Sequence[str]) -> str:
    """What is said of objects of a region's whole states that are whole nowhere."""
    more = f", and {len(names) - 1} more" if len(names) > 1 else ""
    return (
        f"{names[0]} of the whole states is damaged{more}, and no region that answers has it whole: those "
        "that need it do not come back from there"
    )


@dataclass(frozen=True, slots=True)
class Point:
    """How far a history has come: the number and hash of its last event; 0 before the first."""

    n: int = 0
    hash: str = ""


#: Before the first event.
BEGINNING = Point()
