"""What differs between two plans of a runbook."""

from dataclasses import replace
from datetime import timedelta

from drorch.core.changes import PlanChanges, plan_changes
from drorch.core.model import Objectives
from drorch.core.names import Mode, OnFailure, Phase
from tests.fakes.runs import plan, step

BEFORE = plan(step("a"), step("b", needs=("a",)), inputs={"port": "1", "gone": "x"})


def test_nothing_has_changed():
    assert plan_changes(BEFORE, BEFORE) == PlanChanges()
    assert not plan_changes(BEFORE, BEFORE).any


def test_everything_has_changed():
    after = replace(
        BEFORE,
        steps=(step("b", needs=("c",)), step("c")),
        inputs={"port": "2", "new": "y"},
        objectives=Objectives(timedelta(minutes=1)),
        runbook_digest="0" * 64,
    )
    found = plan_changes(BEFORE, after)
    assert found == PlanChanges(
        text=True,
        objectives=True,
        steps_added=("c",),
        steps_removed=("a",),
        steps_changed=("b",),
        inputs_changed=("port", "gone", "new"),
    )
    assert found.any


def test_what_the_mode_and_ask_on_failure_do_is_no_change():
    gate = step("fence", Phase.FENCE, "fence.check", check=True)
    drilled = plan(step("a", skip="live only", on_failure=OnFailure.ASK), step("b"))
    live = replace(drilled, mode=Mode.LIVE, steps=(gate, step("a"), step("b")))
    assert plan_changes(drilled, live) == PlanChanges()
    assert plan_changes(live, drilled) == PlanChanges()


def test_a_fence_that_is_new_is_told_between_runs_of_one_mode():
    after = replace(BEFORE, steps=(step("fence", Phase.FENCE), *BEFORE.steps))
    assert plan_changes(BEFORE, after).steps_added == ("fence",)
