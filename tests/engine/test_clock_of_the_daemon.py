"""A clock that was ahead and is set right: nobody waits for a time that is yet to come, nothing goes twice."""

from datetime import timedelta
from pathlib import Path

import pytest

from drorch.app.starting import begun, corrected
from drorch.app.unattended import UNSEEN, Unattended
from drorch.core.events import JobsSeen, RunStarted
from drorch.core.model import Configuration, Dataset, Region
from drorch.core.names import Mode, RunKind, SlotFate
from drorch.core.plan import Plan
from tests.engine.test_a_year_unattended import OWNER, Books, FakeProgram
from tests.fakes.clock import FakeClock
from tests.fakes.facts import stamped

JOB = "backup:docs"


@pytest.fixture
def daemon() -> Unattended:
    docs = Dataset("docs", "key", "mtl", paths=(Path("/srv"),), schedule="every 10m")
    regions = {"mtl": Region("mtl", "http://mtl.example", "b", "CA-QC")}
    configuration = Configuration(Path("/etc/drorch"), regions=regions, datasets={"docs": docs})
    program = FakeProgram(configuration, Books(), FakeClock())
    return begun(program, program.clock.now().at, "start")


def go(daemon: Unattended, minutes: int) -> int:
    """Let time pass minute by minute, and every run pass at once; how many were begun."""
    program, begins = daemon.program, 0
    for _ in range(minutes):
        program.clock.advance(timedelta(minutes=1))
        now = program.clock.now().at
        corrected(daemon, now)
        daemon.look(now)
        for started in daemon.begin(now):
            plan = Plan(RunKind.BACKUP, "docs", Mode.LIVE, f"run-{len(program.journal.rows())}", ())
            first = RunStarted(plan, OWNER, "drorch", "schedule", due_at=started.due.slot)
            program.journal.begin(
                plan.subject, stamped(first, *started.request.also), lambda row: None
            )
            daemon.taken(started)
            daemon.ended(JOB, now)
            begins += 1
    return begins


def seen(daemon: Unattended) -> int:
    journal = daemon.program.journal
    events = (r.event for row in journal.rows() for r in journal.read(row.run))
    return sum(isinstance(event, JobsSeen) for event in events)


def test_a_clock_that_was_hours_ahead_costs_no_backup(daemon: Unattended) -> None:
    daemon.program.clock.step(timedelta(hours=2))
    assert go(daemon, 61) == 7
    daemon.program.clock.step(-timedelta(hours=2))
    assert go(daemon, 60) == 6
    assert seen(daemon) == 2


def test_what_a_machine_slept_through_is_missed_and_says_so(daemon: Unattended) -> None:
    assert go(daemon, 15) == 1
    daemon.program.clock.advance(timedelta(hours=2))
    assert go(daemon, 1) == 1
    newest, gap, _ = daemon.program.journal.slots(job=JOB)
    assert (newest.fate, gap.count, gap.why) == (SlotFate.LATE, 11, UNSEEN)


def test_a_clock_that_was_a_little_ahead_is_waited_for(daemon: Unattended) -> None:
    assert go(daemon, 61) == 6
    daemon.program.clock.step(-timedelta(minutes=12))
    assert go(daemon, 12) == 0
    assert go(daemon, 60) == 6
    assert seen(daemon) == 1
    slots = [slot.first_at for slot in daemon.program.journal.slots(job=JOB)]
    assert len(slots) == len(set(slots)) == 12
