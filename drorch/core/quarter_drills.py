"""What a quarter came to for each service: its drills, how they compare with those before, and what
was never drilled. A part of the quarter's document (core/quarter_document.py).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from drorch.core.quarter_datasets import Work


@dataclass(frozen=True, slots=True)
class Reached:
    """One objective of a drill: promised, measured; `met` is None where it cannot be said."""

    target: timedelta | None = None
    actual: timedelta | None = None
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class DrillQuarter:
    """A drill, failover or failback that began in the quarter. `due_at` is the moment of its
    schedule; None: somebody began it. `not_tested` are the steps that it left out by plan. `exercise` is
    its type (tabletop, component, isolated, live); empty: its runbook does not say.
    """

    run: str
    kind: str
    runbook: str
    title: str
    service: str
    trigger: str
    by: str
    reason: str
    due_at: datetime | None
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    dirty: bool
    rto: Reached
    rpo: Reached
    machine: timedelta
    person: timedelta
    datasets: tuple[str, ...]
    regions: tuple[str, ...]
    failed_step: str | None
    not_tested: tuple[str, ...]
    findings: int
    exercise: str
    runbook_digest: str | None
    journal_head: str


@dataclass(frozen=True, slots=True)
class Range:
    """What an objective was measured at over some drills that passed; None: it never was."""

    target: timedelta | None = None
    best: timedelta | None = None
    worst: timedelta | None = None
    last: timedelta | None = None
    met: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Trend:
    """A service's drills in one quarter; the last of a list is the document's own.

    The targets are those of the drills themselves, of the last one where they differ.
    """

    quarter: str
    drills: int
    passed: int
    failed: int
    aborted: int
    rto: Range
    rpo: Range


@dataclass(frozen=True, slots=True)
class DrillSchedule:
    """A drill of the configuration, or one that the journal knows slots of: `configured` tells which."""

    drill: str
    runbook: str | None
    service: str | None
    configured: bool
    drills: Work


@dataclass(frozen=True, slots=True)
class RunbookQuarter:
    """How far a runbook is proven, as the document is made. `changed` names what has changed, or is
    gone, since the newest drill that passed (`runbook ehr-failover`, `dataset ehr-db`); None: it
    never passed one.
    """

    runbook: str
    service: str | None
    tier: int | None
    drilled: int
    last_run: str | None
    last_at: datetime | None
    last_outcome: str | None
    passed_at: datetime | None
    changed: tuple[str, ...] | None
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceQuarter:
    """A service. `rto` and `rpo` are what is promised today; `trend` goes from the oldest quarter
    with records to this one, nine at the most. Its drills are those of its runbook.
    """

    service: str
    configured: bool
    tier: int | None
    runbook: str | None
    datasets: tuple[str, ...]
    rto: timedelta | None
    rpo: timedelta | None
    mtpd: timedelta | None
    drilled: int
    passed: int
    failed: int
    aborted: int
    measured_rto: Range
    measured_rpo: Range
    last_drill_at: datetime | None
    trend: tuple[Trend, ...]


@dataclass(frozen=True, slots=True)
class TierCoverage:
    """The services of a tier (None: they have none): drilled in the quarter, drilled before it only,
    never drilled, and without a runbook, which cannot be. A drill that was aborted does not count.
    """

    tier: int | None
    services: int
    drilled: tuple[str, ...]
    before: tuple[str, ...]
    never: tuple[str, ...]
    no_runbook: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What practice reached, by tier; datasets that were never restored, in a drill, restore test or
    otherwise, since the journal began; and how far each runbook is proven.
    """

    since: date | None
    tiers: tuple[TierCoverage, ...]
    never_restored: tuple[str, ...]
    not_restored: tuple[str, ...]
    runbooks: tuple[RunbookQuarter, ...]
