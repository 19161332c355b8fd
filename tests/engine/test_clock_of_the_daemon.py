"""A clock that was ahead and is set right, a journal that failed: nobody waits for a time that is yet to
come, nothing goes twice, and no slot is given up.
"""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from drorch.app.crew import Ended, conclude
from drorch.app.reasons import UNSEEN
from drorch.app.starting import begun, corrected
from drorch.app.unattended import Started, Unattended
from drorch.core.errors import SlotGone
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


def due(daemon: Unattended) -> Started:
    """What begins now, if it is one thing."""
    now = daemon.program.clock.now().at
    daemon.look(now)
    (started,) = daemon.begin(now)
    return started


def record(daemon: Unattended, run: str, started: Started) -> None:
    plan = Plan(RunKind.BACKUP, "docs", Mode.LIVE, run, ())
    first = RunStarted(plan, OWNER, "drorch", "schedule", due_at=started.due.slot)
    daemon.program.journal.begin(run, stamped(first, *started.request.also), lambda row: None)


def test_a_slot_is_not_given_up_because_the_one_before_it_was_recorded_unseen(
    daemon: Unattended,
) -> None:
    """The journal fails after a run has begun, so that its slot is thought to be still due; and the
    next one comes before it works again.
    """
    clock, quiet = daemon.program.clock, SimpleNamespace(info=told, warning=told, error=told)
    clock.advance(timedelta(minutes=11))
    first = due(daemon)
    record(daemon, "first", first)
    daemon.again(first, "the disk is full", clock.now().at)
    clock.advance(timedelta(minutes=10))
    second = due(daemon)
    assert second.due.missed is not None
    with pytest.raises(SlotGone) as gone:
        record(daemon, "second", second)
    conclude(Ended(second, gone.value), daemon, quiet, clock.now().at)
    third = due(daemon)
    assert (third.due.slot, third.due.missed) == (second.due.slot, None)
    record(daemon, "third", third)
    assert [row.count for row in daemon.program.journal.slots(job=JOB)] == [1, 1]


def told(*_said: object, **_facts: object) -> None:
    """A log that nobody reads."""
