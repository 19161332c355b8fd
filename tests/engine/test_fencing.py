"""The fencing gate: a live run begins only if the primary is known to be down, or by a person's word."""

import pytest

from drorch.core.events import FenceForced, RunStarted
from drorch.core.findings import all_findings
from drorch.core.names import Outcome, Phase, StepStatus
from drorch.core.timing import exit_code, time_run
from tests.engine.stage import ERROR, FAIL, PASS, RUN, Stage, a_check, a_cleanup, a_step, an_undo
from tests.fakes.world import an_owner

GATE = a_check("gate", Phase.FENCE)
STEPS = (
    a_check("look", Phase.PRECONDITIONS),
    GATE,
    a_step("promote"),
    an_undo("promote"),
    a_cleanup("sweep"),
)


def forced(stage: Stage):
    engine = stage.engine()
    started = RunStarted(stage.plan, an_owner(1), "alice", "operator")
    also = (FenceForced("alice", "its power is cut"),)
    return engine.begin(RUN, started, lambda row: None, also)


@pytest.mark.parametrize("verdict", [FAIL, ERROR], ids=["up", "unknown"])
def test_up_and_unknown_refuse_and_nothing_is_touched(verdict):
    """Pain 10: that the checker cannot look is a result of its own, and is not `down`."""
    stage = Stage(STEPS, {"gate": [verdict]})
    state = stage.run()
    assert stage.done == ["look", "gate"]
    assert state.finished.outcome is Outcome.ABORTED
    assert int(exit_code(state)) == 6
    assert state.steps["promote"].why == "the primary is not known to be down or fenced"
    assert state.steps["sweep"].status is StepStatus.SKIPPED


def test_down_opens_the_gate_after_the_preconditions():
    stage = Stage(STEPS, {"gate": [PASS]})
    assert stage.run().finished.outcome is Outcome.PASSED
    assert stage.done[:3] == ["look", "gate", "promote"]


def test_nothing_is_fenced_when_a_precondition_failed():
    stage = Stage((*STEPS[:1], a_step("cut-the-power", Phase.FENCE), *STEPS[2:]), {"look": [FAIL]})
    assert stage.run().finished.outcome is Outcome.ABORTED
    assert stage.done == ["look"]


def test_who_forces_the_gate_is_named_with_what_was_found():
    stage = Stage(STEPS, {"gate": [ERROR]})
    state = forced(stage)
    assert state.finished.outcome is Outcome.PASSED
    assert "gate" in stage.done
    found = [f for _, f in all_findings(state, time_run(state, state.latest))]
    (override,) = [f for f in found if f.what == "override.unfenced"]
    assert "alice" in override.message
    assert "its power is cut" in override.message
    assert "gate" in override.message
    assert stage.state().forced == state.forced


def test_a_gate_that_was_forced_stays_open_after_the_owner_died():
    stage = Stage(STEPS, {"gate": [ERROR]})
    engine = stage.engine()
    stage.inbox.before_wait = [_power_cut]
    started = RunStarted(stage.plan, an_owner(1), "alice", "operator")
    with pytest.raises(KeyboardInterrupt):
        engine.begin(RUN, started, lambda row: None, (FenceForced("alice", "cut"),))
    assert stage.resume().finished.outcome is Outcome.PASSED


def _power_cut():
    raise KeyboardInterrupt
