"""Runs that account for slots: recorded with their start, or nothing is, and nothing is done."""

from datetime import UTC, datetime, timedelta

import pytest

from drorch.core.errors import SlotGone
from drorch.core.events import (
    ConfigurationTaken,
    Event,
    JobsSeen,
    RunStarted,
    SlotsMissed,
    SlotTaken,
)
from drorch.core.names import Mode, Outcome, RunKind
from drorch.core.plan import Plan
from drorch.core.run import replay
from tests.engine.stage import RUN, Stage, a_step
from tests.fakes.world import an_owner

SLOT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MISSED = SlotsMissed("backup:ehr", SLOT - timedelta(hours=3), SLOT - timedelta(hours=1), 3, "away")


def begin(stage: Stage, *also: Event, run: str = RUN):
    started = RunStarted(stage.plan, an_owner(1), "drorch", "daemon", due_at=SLOT)
    return stage.engine().begin(run, started, lambda row: None, also)


def test_a_run_is_what_its_slot_was_due_for():
    stage = Stage((a_step("backup"),))
    state = begin(stage, MISSED, SlotTaken("backup:ehr", SLOT))
    assert state.schedule == [MISSED, SlotTaken("backup:ehr", SLOT)]
    assert state.finished.outcome is Outcome.PASSED
    assert stage.done == ["backup"]
    assert stage.kept.accounted() == {"backup:ehr": SLOT}


def test_a_slot_that_somebody_else_has_taken_starts_nothing():
    stage = Stage((a_step("backup"),))
    begin(stage, SlotTaken("backup:ehr", SLOT))
    for also in ([SlotTaken("backup:ehr", SLOT)], [MISSED, SlotTaken("backup:ehr", SLOT)]):
        with pytest.raises(SlotGone):
            begin(stage, *also, run="another")
    assert stage.done == ["backup"]
    assert [row.run for row in stage.kept.rows()] == [RUN]


def test_a_run_without_steps_records_and_is_over_in_one_turn():
    stage = Stage(())
    stage.plan = Plan(RunKind.SCHEDULE, "schedule", Mode.LIVE, "schedule", ())
    seen = JobsSeen(("backup:ehr", "readiness"), SLOT)
    taken = ConfigurationTaken("/etc/drorch/drorch.yaml", "a" * 64, "the daemon was started")
    state = begin(stage, taken, seen, SlotsMissed("check:ehr", SLOT, SLOT, 1, "it still ran"))
    assert state.finished.outcome is Outcome.PASSED
    assert [type(r.event).__name__ for r in stage.kept.read(RUN)] == [
        "RunStarted", "ConfigurationTaken", "JobsSeen", "SlotsMissed", "RunFinished"]  # fmt: skip
    assert set(stage.kept.accounted()) == {"backup:ehr", "readiness", "check:ehr"}


def test_what_was_recorded_of_slots_is_there_after_a_kill():
    stage = Stage((a_step("backup"),))
    slot = SlotTaken("backup:ehr", SLOT, late=True, why="no room")
    begin(stage, MISSED, slot)
    assert replay(stage.kept.read(RUN)).schedule == [MISSED, slot]
