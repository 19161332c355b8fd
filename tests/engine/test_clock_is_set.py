"""The wall clock is set, while a run goes on or nobody carries it: durations hold, the report says so."""

from datetime import timedelta

import pytest

from drorch.core.document import run_document
from drorch.core.names import Outcome, RunState
from drorch.core.state import RunFold
from tests.agreeing import figures_agree
from tests.engine.stage import FAIL, RUN, Stage, a_check, a_question, a_retry, a_step, lasting
from tests.fakes.world import CutJournal, MovingClock, PowerCut

HOUR = timedelta(hours=1)


def told(stage: Stage, state: RunFold) -> dict:
    document = run_document(
        state, run=RUN, journal_head="00", state_word=RunState.FINISHED, now=stage.clock.now()
    )
    figures_agree(document)
    return document


def findings(document: dict) -> list[str]:
    return [f["message"] for f in document["findings"] if f["what"] == "clock.moved"]


def cut_in_the_second_step(clock: MovingClock) -> Stage:
    """A run of two steps and a check, five seconds each, whose process dies as the second begins."""
    steps = (
        a_step("one"),
        a_step("two", needs=("one",), repeatable=True),
        a_check("look"),
    )
    deeds = {name: [lasting(5, clock)] for name in ("one", "two", "look")}
    stage = Stage(steps, deeds, clock=clock)
    stage.journal = CutJournal(stage.kept, [(2, True)])
    with pytest.raises(PowerCut):
        stage.run()
    stage.journal = None
    return stage


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])
def test_set_while_nobody_carries_the_run_by_the_next_process_of_the_same_boot(by):
    clock = MovingClock()
    stage = cut_in_the_second_step(clock)
    clock.pass_by(100)
    clock.at += by
    state = stage.resume()
    assert state.finished.outcome is Outcome.PASSED
    document = told(stage, state)
    assert document["elapsed_s"] == pytest.approx(115, abs=4)
    assert [moved["by_s"] for moved in document["clock_moved"]] == [by.total_seconds()]
    (said,) = findings(document)
    assert said.startswith(
        f"the wall clock was set {'forward' if by > timedelta() else 'back'} by 1h"
    )


def test_set_back_across_a_reboot_it_is_told_as_far_as_it_can_be():
    clock = MovingClock()
    stage = cut_in_the_second_step(clock)
    before = clock.at
    clock.pass_by(100)
    clock.reboot()
    clock.at = before - HOUR
    state = stage.resume()
    document = told(stage, state)
    # How long it was away is not known; what was seen is never counted away.
    assert document["elapsed_s"] == pytest.approx(15, abs=4)
    (moved,) = document["clock_moved"]
    assert moved["by_s"] == pytest.approx(-3600, abs=1)
    (said,) = findings(document)
    assert "under another boot" in said
    assert "the wall clock read 1h less than it had before" in said


def test_across_a_reboot_with_an_honest_clock_nothing_is_told():
    clock = MovingClock()
    stage = cut_in_the_second_step(clock)
    clock.pass_by(100)
    clock.reboot()
    document = told(stage, stage.resume())
    assert document["elapsed_s"] == pytest.approx(115, abs=4)
    assert document["clock_moved"] == []


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])
def test_set_while_a_retry_and_a_person_are_waited_for_neither_wait_changes(by):
    clock = MovingClock()
    steps = (
        a_question("ask", within="10m", otherwise="continue"),
        a_step("again", retry=a_retry(2, delay=300)),
    )
    stage = Stage(steps, {"again": [FAIL]}, clock=clock, wait_for_people=True)

    def is_set() -> None:
        clock.at += by

    state = stage.run(during=[lambda: None] * 20 + [is_set])
    first, second = stage.actions.moments
    assert second - first == pytest.approx(300, abs=1)
    (question,) = state.steps["ask"].questions
    assert question.closed.ticks - question.at.ticks == pytest.approx(600, abs=1)
    document = told(stage, state)
    assert [moved["by_s"] for moved in document["clock_moved"]] == [by.total_seconds()]
