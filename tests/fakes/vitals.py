"""A program as those who look from outside see it: whatever a test says it is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from drorch.core.moment import Moment
from drorch.core.names import Outcome, RunKind
from drorch.core.values import Value
from drorch.core.vitals import Counted, DaemonState, EndedRuns, Overview

DAWN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def moment(second: float = 0) -> Moment:
    return Moment(DAWN + timedelta(seconds=second), "boot-1", 5000.0 + second)


class FakeVitals:
    """metrics.source.Vitals; `now` is where the clock stands, in seconds after dawn."""

    def __init__(self, overview: Overview | None = None, **state: Any) -> None:
        self.now = 0.0
        self._overview = overview
        self._state = DaemonState(moment(), moment(), moment(), **state)

    def state(self) -> DaemonState:
        return replace(self._state, at=moment(self.now))

    def overview(self) -> Overview | None:
        return self._overview

    def become(self, overview: Overview | None = None, **state: Any) -> None:
        self._overview = overview or self._overview
        self._state = replace(self._state, **state)


def copy_of(region: str, **more: Value) -> dict[str, Value]:
    """One copy as `status --json` has it: ten minutes old and good."""
    return {
        "region": region,
        "role": "primary",
        "snapshot": "1a2b" * 16,
        "snapshot_at": "2026-11-23T02:50:00Z",
        "age_s": 600.0,
        "rpo_met": True,
        "owed": False,
        "verified_at": "2026-11-22T03:00:00Z",
        "restore_tested_at": None,
        "jurisdiction": "CA-QC",
        "inside_residency": True,
        "scrubbed_at": None,
        "scrubbed_age_s": None,
        "scrubbed_share": 0.5,
        "damaged": 0,
        "prune_owed": False,
    } | more


def posture(
    copies: Mapping[str, Sequence[dict[str, Value]]], alarms: Sequence[Value] = ()
) -> dict[str, Value]:
    """The document of `status --json` with these datasets."""
    return {
        "at": "2026-11-23T03:00:00Z",
        "datasets": [
            {"dataset": name, "tier": 1, "rpo_s": 1800.0, "copies": list(held)}
            for name, held in copies.items()
        ],
        "services": [],
        "drills": [
            {
                "runbook": "ehr-failover",
                "last_run": "RUN",
                "last_outcome": "failed",
                "due_at": "2027-01-01T04:00:00Z",
                "overdue": False,
                "needs_verification": True,
                "why": ["the last drill failed"],
                "readiness_proven_at": "2026-11-23T02:00:00Z",
            },
            {"runbook": "never-practised", "last_outcome": None, "due_at": None, "overdue": None},
        ],
        "alarms": list(alarms),
    }


def alarm(what: str, subject: str, since: str | None = None) -> dict[str, Value]:
    return {"what": what, "subject": subject, "since": since, "message": "m", "hint": "h"}


def hospital() -> Overview:
    """Two datasets, one region that is owed a copy, some runs, some slots."""
    owed = copy_of("qc", role="mirror", owed=True, rpo_met=False, age_s=4000.5)
    never = copy_of("tor", role="copy", snapshot=None, snapshot_at=None, age_s=None, rpo_met=False)
    document = posture(
        {"ehr-db": [copy_of("mtl"), owed], "ehr-documents": [copy_of("mtl"), never]},
        [
            alarm("copy.owed", "ehr-db in qc", "2026-11-23T02:00:00Z"),
            alarm("copy.owed", "ehr-db in qc", "2026-11-23T02:00:00Z"),
            alarm("copy.missing", "ehr-documents in tor"),
        ],
    )
    at, later = DAWN - timedelta(minutes=10), DAWN - timedelta(minutes=9)
    runs = (
        EndedRuns(RunKind.BACKUP, "ehr-db", Outcome.PASSED, 41, at, later),
        EndedRuns(RunKind.BACKUP, "ehr-db", Outcome.FAILED, 2, at, at + timedelta(seconds=5)),
        EndedRuns(RunKind.BACKUP, "ehr-documents", Outcome.PASSED, 10, at, later),
        # The wall clock was set back while it ran.
        EndedRuns(RunKind.DRILL, "ehr-failover", Outcome.FAILED, 1, later, at),
    )
    slots = {("backup", "fired"): 50, ("backup", "late"): 3, ("check", "missed"): 1}
    return Overview(DAWN, document, Counted(1, runs, slots), {"notify-url": 7})
