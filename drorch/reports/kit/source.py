"""What the recovery kit is made from: the configuration, what the journal knows of keys, and the
commands, which others have written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from drorch.core.kit import Known, NeededSecret
from drorch.core.model import Configuration


@dataclass(frozen=True, slots=True)
class RegionByHand:
    """One region: lines that let restic in, and the command that recovers from it, if it can."""

    region: str
    opening: tuple[str, ...]
    recover: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restoring:
    """Lines that bring back one repository by restic alone; `dataset` is empty for drorch's records.

    `regions` are those in which it is that repository. `loading` are lines that load the dump, and
    `path` is where what matters then lies.
    """

    dataset: str
    regions: tuple[str, ...]
    lines: tuple[str, ...]
    path: str
    loading: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shared:
    """The secrets as sealed lines that stand in `file`, too; `needed` of so many holders open them.

    `joined` recovers drorch by them, `opened` opens them without it, by `program`.
    """

    lines: tuple[str, ...]
    holders: int
    needed: int
    file: str
    program: str
    joined: tuple[str, ...]
    opened: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One kit to be printed. `values` are those of the secrets, by file; empty: none are printed.
    With `shared` they are sealed. `left_out` are secrets that are not in it, and why.

    `after` are the commands once drorch is recovered.
    """

    configuration: Configuration
    known: Known
    printed: datetime
    by: str
    version: str
    restic: str
    fingerprint: str
    secrets: tuple[NeededSecret, ...]
    regions: tuple[RegionByHand, ...]
    restoring: tuple[Restoring, ...]
    preparing: tuple[str, ...]
    giving: tuple[str, ...]
    after: tuple[tuple[str, ...], ...]
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    left_out: Mapping[str, str] = field(default_factory=dict)
    shared: Shared | None = None
