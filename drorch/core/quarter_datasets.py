"""What a quarter came to for each dataset: what was due and done, and how old its copies became.

A part of the quarter's document (core/quarter_document.py); None: not known, or nothing to say.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Missed:
    """So many moments at which something was due and nothing was done, for one reason."""

    why: str
    count: int


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work in the quarter, by the moments at which its schedule had it due.

    `due` of them were on time, late or missed: due = on_time + late + missed. Of those begun, `done`
    passed, `failed` did not (aborted ones included), `open` have no end yet. `by_hand` passed beside
    the schedule, `failed_by_hand` did not. `last_at` is when the newest one that passed ended, in
    the quarter or before it. `promised` is the schedule or age as configured; empty: none is.
    `estimated`: a gap of missed moments reaches over the quarter's border and its schedule is not
    known any more, so that it was divided evenly.
    """

    promised: str = ""
    due: int = 0
    on_time: int = 0
    late: int = 0
    missed: int = 0
    done: int = 0
    failed: int = 0
    open: int = 0
    by_hand: int = 0
    failed_by_hand: int = 0
    last_at: datetime | None = None
    missed_why: tuple[Missed, ...] = ()
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class CopyQuarter:
    """A dataset in one region. An age is that of the newest snapshot known to lie there.

    `role` is `primary`, `mirror`, `copy`, or `left`: the dataset is not to lie there any more.
    `worst_age` was reached at `worst_at`; `days` has the worst of each day of the document's `days`,
    None where nothing lay there yet, or any more, or where the day is still to come. `over_rpo` is how
    long the age was above the RPO, `without` how long the region held nothing after it had once held
    something, `broken_at` when the one or the other was first so in the quarter. `newest_at` and `age` are
    as of the document's `until`; what is owed and proven is as of when it was made, of a dataset that
    left: as last known. `first_at` is when the region is first known to have held something, in any
    quarter. A copy that never held anything, while others did, has not met
    its RPO.
    """

    region: str
    role: str
    jurisdiction: str | None
    rpo: timedelta | None
    rpo_met: bool | None
    worst_age: timedelta | None
    worst_at: datetime | None
    over_rpo: timedelta
    without: timedelta
    broken_at: datetime | None
    days: tuple[timedelta | None, ...]
    first_at: datetime | None
    newest_at: datetime | None
    age: timedelta | None
    owed: bool
    owed_since: datetime | None
    verified_at: datetime | None
    restore_tested_at: datetime | None


class Standing(StrEnum):
    """Whether a dataset was in the configuration over the quarter, as far as the journal knows."""

    STAYED = "stayed"
    ENTERED = "entered"
    LEFT = "left"
    CAME_AND_WENT = "came-and-went"


@dataclass(frozen=True, slots=True)
class DatasetQuarter:
    """A dataset. `configured`: it is in today's configuration; of one that is not, only what the
    journal tells is known. `first_at` is its first run in the journal, `last_at` the last.
    """

    dataset: str
    standing: Standing
    configured: bool
    tier: int | None
    site: str | None
    services: tuple[str, ...]
    rpo: timedelta | None
    residency: tuple[str, ...]
    first_at: datetime | None
    last_at: datetime | None
    backups: Work
    checks: Work
    scrubs: Work
    restore_tests: Work
    copies: tuple[CopyQuarter, ...]
