"""A step closed by a halt stays closed when the last of what it needed ends after it."""

from dataclasses import replace
from datetime import timedelta

from drorch.core.decide import Finish, Skip, Start, decide
from drorch.core.events import AttemptFinished, AttemptStarted, StepSkipped
from drorch.core.names import Outcome, Phase, StepStatus, Verdict
from drorch.core.run import apply, opening
from tests.fakes.facts import at, started
from tests.fakes.runs import plan, step

SECOND = timedelta(seconds=1)


def test_what_a_halt_has_skipped_is_never_begun_by_what_ends_later():
    steps = (
        step("slow"),
        step("quick"),
        step("last", needs=("slow", "quick")),
        step("sweep", Phase.CLEANUP),
    )
    state = opening(replace(started(), plan=plan(*steps)), at(0))
    for event in (
        AttemptStarted("slow", 1, {}),
        AttemptStarted("quick", 1, {}),
        AttemptFinished("quick", 1, Verdict.FAIL, SECOND, {}),
    ):
        state = apply(state, event, at(1))
    assert decide(state, at(1)) == [Skip("last", "step quick failed")]
    state = apply(state, StepSkipped("last", "step quick failed"), at(1))
    assert decide(state, at(1)) == []
    state = apply(state, AttemptFinished("slow", 1, Verdict.PASS, SECOND, {}), at(2))
    assert state.steps["last"].status is StepStatus.SKIPPED
    assert decide(state, at(2)) == [Start("sweep", 1, {})]
    for event in (
        AttemptStarted("sweep", 1, {}),
        AttemptFinished("sweep", 1, Verdict.PASS, SECOND, {}),
    ):
        state = apply(state, event, at(3))
    assert decide(state, at(3)) == [Finish(Outcome.FAILED)]
