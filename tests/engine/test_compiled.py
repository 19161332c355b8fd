"""Runbooks as they are compiled, carried to their end: what the compiler gives, the fold can end."""

from hypothesis import given, settings
from hypothesis import strategies as st

from drorch.core.action import ActionSpec
from drorch.core.compile import compile_runbook
from drorch.core.events import RunStarted
from drorch.core.model import Configuration
from drorch.core.names import Mode, Phase, StepStatus, Verdict
from drorch.core.runbook import ActionCall, Runbook, RunbookStep
from tests.fakes.journal import MemoryJournal
from tests.fakes.world import MovingClock, ScriptedActions, an_engine, an_owner

CALL = ActionCall("scripted")


@st.composite
def runbooks(draw: st.DrawFn) -> Runbook:
    count = draw(st.integers(1, 5))
    steps = [
        RunbookStep(
            f"s{n}",
            Phase.STEPS,
            CALL,
            needs=draw(st.sampled_from([None, ()])),
            undo=CALL if draw(st.booleans()) else None,
        )
        for n in range(count)
    ]
    cleanup = [
        RunbookStep(f"c{n}", Phase.CLEANUP, CALL, needs=draw(st.sampled_from([None, ()])))
        for n in range(draw(st.integers(0, 2)))
    ]
    return Runbook("any", steps=(*steps, *cleanup), parallel=draw(st.integers(1, 3)))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(runbook=runbooks(), failing=st.sets(st.sampled_from([f"s{n}" for n in range(5)])))
def test_every_compiled_drill_ends_with_its_steps_undone_in_reverse(
    runbook, failing, tmp_path_factory
):
    plan = compile_runbook(
        runbook,
        Configuration(tmp_path_factory.getbasetemp()),
        lambda name: ActionSpec(name, "scripted"),
        Mode.DRILL,
        {},
        lambda name: None,
    )
    clock = MovingClock()
    actions = ScriptedActions({s: [Verdict.FAIL] for s in failing}, clock)
    engine = an_engine(MemoryJournal(), actions, clock)
    state = engine.begin("run", RunStarted(plan, an_owner(), "tester", "test"), lambda row: None)
    assert state.finished is not None
    done = [step for step, _ in actions.effects]
    begun = [s for s in done if s.startswith("s")]
    undone = [s.removeprefix("undo:") for s in done if s.startswith("undo:")]
    undoable = {s.name for s in runbook.steps if s.undo is not None}
    assert undone == [s for s in reversed(begun) if s in undoable]
    tidied = [s for s in done if s.startswith("c")]
    assert sorted(tidied) == sorted(s.name for s in runbook.steps if s.phase is Phase.CLEANUP)
    assert done[len(done) - len(tidied) :] == tidied
    assert all(s.status is not StepStatus.WAITING for s in state.steps.values())
