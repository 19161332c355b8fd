"""The quarter's report as values: what was promised, what was measured, what was not tested.

`core/documenting.py` makes the published JSON of it (docs/schema/quarter.json). Everything in it is a
fold of the journal, held against the configuration and the runbooks as they are when it is made.
Texts that runs recorded are as recorded. It draws no conclusion about any law.
"""

from dataclasses import dataclass
from datetime import date, datetime

from drorch.core.quarter_controls import Control
from drorch.core.quarter_datasets import DatasetQuarter, Work
from drorch.core.quarter_drills import Coverage, DrillQuarter, DrillSchedule, ServiceQuarter
from drorch.core.quarter_loss import OwnRecords
from drorch.core.quarter_records import (
    ActionQuarter,
    CopyPlace,
    FindingQuarter,
    RestoreQuarter,
    TargetPlace,
)

#: Raised when a key changes its meaning; new keys do not raise it.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Notice:
    """What a reader must allow for: `what` is a stable word, `message` the same in English."""

    what: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Headline:
    """What the first line says. `no_drill`: no drill, failover or failback ended in the quarter."""

    no_drill: bool
    drills: int
    drills_passed: int
    promises: int
    promises_kept: int
    promises_broken: int
    promises_unjudged: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The quarter in numbers; the works are sums over all datasets and drills of the configuration."""

    datasets: int
    services: int
    runs: int
    backups: Work
    checks: Work
    scrubs: Work
    restore_tests: Work
    drills: Work
    drills_passed: int
    drills_failed: int
    drills_aborted: int
    restores: int
    findings: int
    actions_open: int
    actions_overdue: int
    actions_closed: int


@dataclass(frozen=True, slots=True)
class PromiseQuarter:
    """One promise and how it was kept: `promise` is a stable word (`rpo`, `backup`, `check`, `scrub`,
    `restore-test`, `drill`, `rto`, `drill-rpo`, `key`, `residency`, `destruction`), `promised` and `measured`
    are as configured and as found, in words or seconds (`…_s`). `kept` is None where the quarter
    cannot judge, and `why` says why, or what broke it. `runs` are the first few that show it.
    """

    promise: str
    subject: str
    promised: str
    measured: str
    kept: bool | None
    why: str
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verifying:
    """How a reader can check the journal that all of this is from: where its ledger ends (SHA-256),
    after how many entries, and the command that looks at all of it. `sealed`: what drorch keeps as
    evidence is signed by the organisation's key; else `why_not`.
    """

    ledger_head: str
    ledger_entries: int
    command: str
    sealed: bool
    why_not: str


@dataclass(frozen=True, slots=True)
class Signing:
    """Somebody who is to sign the report."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class QuarterDocument:
    """A quarter, from its first instant to the first after it (`to`). Figures reach up to `until`: that
    end, or when the document was made where the quarter is not over. `days` are its local days:
    the axis of every copy's worst ages. `controls` is filled by core/controls.py.
    """

    format: int
    quarter: str
    organization: str
    timezone: str
    from_: datetime
    to: datetime
    until: datetime
    over: bool
    made_at: datetime
    version: str
    journal_begins: datetime | None
    headline: Headline
    notices: tuple[Notice, ...]
    totals: Totals
    promises: tuple[PromiseQuarter, ...]
    services: tuple[ServiceQuarter, ...]
    days: tuple[date, ...]
    datasets: tuple[DatasetQuarter, ...]
    drill_schedules: tuple[DrillSchedule, ...]
    drills: tuple[DrillQuarter, ...]
    coverage: Coverage
    own_records: OwnRecords
    findings: tuple[FindingQuarter, ...]
    actions: tuple[ActionQuarter, ...]
    residency: tuple[CopyPlace, ...]
    targets: tuple[TargetPlace, ...]
    restores: tuple[RestoreQuarter, ...]
    controls: tuple[Control, ...]
    retention_until: date | None
    verifying: Verifying
    sign_off: tuple[Signing, ...]
