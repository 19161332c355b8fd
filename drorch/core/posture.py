"""How each dataset stands in each region: the facts attempts report, and what they add up to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from drorch.core.names import Mode, Outcome, RunKind, RunState, SlotFate


class CopyFactKind(StrEnum):
    """What an attempt learned of a snapshot in a region."""

    HELD = "held"
    OWED = "owed"
    VERIFIED = "verified"
    RESTORE_TESTED = "restore-tested"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class CopyFact:
    """One fact about one snapshot of a dataset in one region.

    `snapshot` is restic's full 64-digit id, `snapshot_at` the time restic gave it (aware UTC);
    `files` and `bytes` count what the snapshot holds, where known.
    """

    fact: CopyFactKind
    dataset: str
    region: str
    snapshot: str
    snapshot_at: datetime
    files: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class KnownCopy:
    """One row of the posture: the newest knowledge of a snapshot in a region."""

    dataset: str
    region: str
    snapshot: str
    snapshot_at: datetime
    files: int | None
    bytes: int | None
    owed: bool
    recorded_at: datetime
    verified_at: datetime | None = None
    restore_tested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stock:
    """What a region holds of a dataset, in short, and what it is owed.

    Of the snapshots it holds: the newest one's id, time, files and bytes, the oldest's time, and
    when one of them was last verified and restored for trial. `owed_at` is the time of the newest snapshot
    it is owed, `owed_since` when that was recorded. None: there is none.
    """

    dataset: str
    region: str
    snapshot: str | None = None
    newest_at: datetime | None = None
    oldest_at: datetime | None = None
    verified_at: datetime | None = None
    restore_tested_at: datetime | None = None
    owed_at: datetime | None = None
    owed_since: datetime | None = None
    files: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in short, as a projection keeps it; `state` without looking whether the owner lives."""

    run: str
    kind: RunKind
    name: str
    subject: str
    mode: Mode
    trigger: str
    by: str
    started_at: datetime
    finished_at: datetime | None
    state: RunState
    outcome: Outcome | None
    dirty: bool
    seq: int
    head: str
    owner_host: str
    owner_pid: int
    owner_started: int
    owner_boot: str
    owner_token: str


@dataclass(frozen=True, slots=True)
class SlotRow:
    """What became of a job's slot, or of `count` slots that were missed one after the other.

    `run` is what was fired, or recorded that nothing was; `last_at` is `first_at` of a single one.
    """

    job: str
    first_at: datetime
    last_at: datetime
    count: int
    fate: SlotFate
    why: str
    run: str
