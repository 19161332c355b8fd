"""A step whose condition does not hold needs none of what it refers to."""

from dataclasses import replace
from datetime import timedelta

from drorch.core.decide import GiveUp, Skip, Start, decide
from drorch.core.events import AttemptFinished, AttemptStarted, StepSkipped
from drorch.core.names import Verdict
from drorch.core.run import apply, opening
from drorch.core.runbook import When, WhenTest
from tests.fakes.facts import at, started
from tests.fakes.runs import plan, step


def told(kind: str):
    """The run so far: `look` gave this kind, and `load` was skipped for its condition."""
    loaded = When("{look.kind}", WhenTest.IS, "postgresql")
    steps = (
        step("look"),
        step("load", needs=("look",), when=loaded),
        step("point", needs=("load",), when=loaded, arguments={"url": "{load.url}"}),
        step("point-anyway", needs=("load",), arguments={"url": "{load.url}"}),
    )
    state = opening(replace(started(), plan=plan(*steps)), at(0))
    for event in (
        AttemptStarted("look", 1, {}),
        AttemptFinished("look", 1, Verdict.PASS, timedelta(seconds=1), {"kind": kind}),
    ):
        state = apply(state, event, at(1))
    return state


def test_a_step_left_out_by_its_condition_may_refer_to_another_left_out_by_it():
    state = told("sqlite")
    assert decide(state, at(1)) == [Skip("load", "its condition does not hold")]
    state = apply(state, StepSkipped("load", "its condition does not hold"), at(1))
    point, anyway = decide(state, at(1))
    assert point == Skip("point", "its condition does not hold")
    assert anyway == GiveUp("point-anyway", "missing-output", "{load.url} never came to be")


def test_where_the_condition_holds_the_reference_is_filled():
    state = told("postgresql")
    assert decide(state, at(1)) == [Start("load", 1, {})]
    for event in (
        AttemptStarted("load", 1, {}),
        AttemptFinished("load", 1, Verdict.PASS, timedelta(seconds=1), {"url": "postgresql:///x"}),
    ):
        state = apply(state, event, at(2))
    assert decide(state, at(2))[0] == Start("point", 1, {"url": "postgresql:///x"})


def test_a_condition_that_cannot_be_known_is_no_reason_to_go_on():
    asking = step("late", when=When("{load.url}", WhenTest.IS_NOT, ""))
    state = opening(replace(started(), plan=plan(asking)), at(0))
    assert decide(state, at(0)) == [
        GiveUp("late", "missing-output", "{load.url} never came to be"),
    ]
