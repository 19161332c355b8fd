"""People in a run: who may answer, what their silence means, and what they do to a run that goes on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.core.document import run_document
from drorch.core.events import (
    AbortRequested,
    AttemptLost,
    PersonAnswered,
    RetryRequested,
    RunContinued,
    RunPaused,
    SkipRequested,
    StepSettled,
    StepSkipped,
)
from drorch.core.findings import all_findings
from drorch.core.names import Mode, OnFailure, Outcome, Phase, RunState, StepStatus
from drorch.core.timing import time_run
from tests.engine.stage import (
    FAIL,
    PASS,
    RUN,
    Stage,
    a_check,
    a_cleanup,
    a_question,
    a_retry,
    a_step,
    an_undo,
    an_until,
    lasting,
)
from tests.fakes.world import CutJournal, MovingClock, PowerCut, an_owner

ASK = OnFailure.ASK


def yes(by: str, *groups: str, step: str = "ask") -> PersonAnswered:
    return PersonAnswered(step, True, by, "seen", groups)


def answered(*answers: PersonAnswered, mode: Mode = Mode.LIVE, **arguments: object) -> Stage:
    """A run that asks, was started by `tester`, and is answered so."""
    stage = Stage((a_question("ask", **arguments), a_step("go")), mode=mode)
    stage.run()
    stage.say(*answers)
    return stage


def passed(stage: Stage) -> bool:
    return stage.state().steps["ask"].status is StepStatus.PASSED


def test_for_real_who_declared_it_does_not_approve_it_alone():
    """Pain 6: the approver is not the submitter."""
    stage = answered(yes("tester"))
    assert not passed(stage)
    stage.say(yes("alice"))
    assert passed(stage)
    assert stage.state().outputs["ask"]["by"] == ["alice", "tester"]


def test_in_an_exercise_one_may_and_for_real_if_the_runbook_says_so():
    assert passed(answered(yes("tester"), mode=Mode.DRILL))
    assert passed(answered(yes("tester"), requester="alone"))
    assert not passed(answered(yes("tester"), mode=Mode.DRILL, requester="not-alone"))


def test_never_means_that_the_requester_does_not_count():
    stage = answered(yes("tester"), yes("alice"), requester="never", quorum=2)
    assert not passed(stage)
    stage.say(yes("bob"))
    assert passed(stage)


def test_a_quorum_counts_people_not_answers():
    """Pain 6: multiple approvers."""
    stage = answered(yes("alice"), yes("alice"), quorum=2)
    assert not passed(stage)
    stage.say(yes("tester"))
    assert passed(stage)


def test_only_those_named_may_answer_or_a_member_of_a_group():
    stage = answered(yes("mallory"), yes("mallory", "staff"), by=["alice"], groups=["dr"])
    assert not passed(stage)
    no = PersonAnswered("ask", False, "mallory", "never")
    stage.say(no)
    assert stage.state().steps["ask"].status is StepStatus.WAITING_FOR_PERSON
    stage.say(yes("bob", "dr"))
    assert passed(stage)
    assert passed(answered(yes("alice"), by=["alice"]))


@pytest.mark.parametrize(
    ("otherwise", "outcome", "done"),
    [
        ("fail", Outcome.FAILED, []),
        ("abort", Outcome.ABORTED, []),
        ("continue", Outcome.PASSED, ["go"]),
    ],
)
def test_when_nobody_answers_the_runbook_says_what_then(otherwise, outcome, done):
    """Pain 6: a timeout action."""
    question = a_question("ask", within="10m", otherwise=otherwise)
    stage = Stage((question, a_step("go", needs=("ask",))), wait_for_people=True)
    state = stage.run()
    assert state.finished.outcome is outcome
    assert stage.done == done
    assert stage.clock.ticks - state.started.ticks == pytest.approx(600, abs=2)
    if otherwise == "abort":
        assert state.abort.by == "drorch"
        assert "nobody answered" in state.abort.reason


def test_an_approval_cannot_be_skipped_nor_can_a_gate_or_cleanup():
    steps = (a_question("ask"), a_step("go"), a_cleanup("sweep"))
    stage = Stage((a_step("gate", Phase.FENCE, do="deed"), *steps))
    stage.run()
    stage.say(*(SkipRequested(s, "tester", "no time") for s in ("ask", "gate", "sweep")))
    state = stage.state()
    assert state.overrides == []
    assert state.steps["ask"].status is StepStatus.WAITING_FOR_PERSON


def test_a_failed_step_asks_and_is_tried_again():
    """Pain 2: a failed step does not mean starting all over."""
    steps = (
        a_step("one"),
        a_step("two", on_failure=ASK, needs=("one",)),
        a_step("three", needs=("two",)),
    )
    stage = Stage(steps, {"two": [FAIL, FAIL, PASS]})
    state = stage.run()
    assert state.finished is None
    assert state.steps["two"].failed_and_asks
    assert "Try it again" in state.steps["two"].question.asked.prompt
    stage.say(RetryRequested("two", "alice", "disk is back"))
    assert stage.resume().finished is None  # failed once more, asks once more
    stage.say(RetryRequested("two", "alice", "now it is"))
    state = stage.resume()
    assert state.finished.outcome is Outcome.PASSED
    assert stage.done == ["one", "two", "two", "two", "three"]


def test_tried_again_by_a_person_it_has_all_its_attempts_anew():
    """Pain 3: retries are a step's own."""
    steps = (a_step("one", on_failure=ASK, retry=a_retry(2)),)
    stage = Stage(steps, {"one": [FAIL, FAIL, FAIL, PASS]})
    assert stage.run().steps["one"].failed_and_asks
    stage.say(RetryRequested("one", "alice", "again"))
    assert stage.resume().finished.outcome is Outcome.PASSED
    assert len(stage.done) == 4


def test_a_failed_step_is_left_out_and_what_needs_it_goes_on_and_it_is_undone():
    steps = (a_step("one", on_failure=ASK), a_step("two", needs=("one",)), an_undo("one"))
    stage = Stage(steps, {"one": [FAIL]})
    stage.run()
    stage.say(SkipRequested("one", "alice", "done by hand"))
    state = stage.resume()
    assert state.finished.outcome is Outcome.PASSED
    assert stage.done == ["one", "two", "undo:one"]
    found = [f for _, f in all_findings(state, time_run(state, state.latest))]
    (override,) = [f for f in found if f.what == "override.skip"]
    assert "alice" in override.message
    assert "done by hand" in override.message


def test_ended_instead_of_tried_again_the_run_has_failed():
    stage = Stage((a_step("one", on_failure=ASK),), {"one": [FAIL]})
    stage.run()
    stage.say(AbortRequested("alice", "enough"))
    state = stage.resume()
    assert state.finished.outcome is Outcome.FAILED
    assert state.failed_step == "one"


def test_beside_a_step_that_asks_the_others_go_on():
    steps = (a_step("one", on_failure=ASK), a_step("two"), a_step("three", needs=("two",)))
    stage = Stage(steps, {"one": [FAIL]})
    stage.run()
    assert sorted(stage.done) == ["one", "three", "two"]


def test_a_step_that_waits_to_be_tried_again_is_tried_at_once():
    stage = Stage((a_step("one", retry=a_retry(2, delay=3600)),), {"one": [FAIL, PASS]})
    word = RetryRequested("one", "alice", "it is there")
    state = stage.run(during=[lambda: None, lambda: stage.kept.post(RUN, word)])
    assert state.finished.outcome is Outcome.PASSED
    assert stage.clock.ticks - state.started.ticks < 10
    assert [w.reason for _, w in state.overrides] == ["it is there"]


def test_a_paused_run_starts_nothing_and_what_runs_comes_to_its_end():
    clock = MovingClock()
    steps = (a_step("one"), a_step("two", needs=("one",)))
    stage = Stage(steps, {"one": [lasting(5, clock)]}, clock=clock)
    state = stage.run(during=[lambda: stage.kept.post(RUN, RunPaused("alice", "hold"))])
    assert state.finished is None
    assert stage.kept.find(RUN).state is RunState.PAUSED
    assert stage.done == ["one"]
    stage.say(RunContinued("alice"))
    assert stage.resume().finished.outcome is Outcome.PASSED


def test_who_lets_a_run_go_on_ends_a_pause_that_its_dead_owner_never_heard_of():
    stage = Stage((a_step("one"),))
    stage.journal = CutJournal(stage.kept, [(1, True)])
    with pytest.raises(PowerCut):
        stage.run()
    stage.journal = None
    stage.kept.post(RUN, RunPaused("alice", "hold"))
    stage.say(AttemptLost("one", 1), StepSettled("one", False, "alice", "looked"))
    engine = stage.engine()
    state = engine.resume(RUN, an_owner(2), "tester", word=RunContinued("bob"))
    assert state.finished.outcome is Outcome.PASSED
    assert [(p.asked.by, p.by) for p in state.pauses] == [("alice", "bob")]


def test_the_time_of_a_pause_is_peoples_and_not_the_machines():
    """Pain 7: the wait for a human does not pollute the timing."""
    clock = MovingClock()
    steps = (a_step("one"), a_step("two", needs=("one",)))
    stage = Stage(steps, {"one": [lasting(5, clock)], "two": [lasting(5, clock)]}, clock=clock)
    stage.run(during=[lambda: stage.kept.post(RUN, RunPaused("alice", "hold"))])
    clock.pass_by(1000)
    stage.say(RunContinued("alice"))
    state = stage.resume()
    timing = time_run(state, state.latest)
    assert timing.person.total_seconds() == pytest.approx(1000, abs=3)
    assert timing.machine.total_seconds() == pytest.approx(10, abs=4)


def test_deadlines_stand_still_while_the_run_is_paused():
    stage = Stage((a_question("ask", within="10m"), a_step("go")))
    stage.run()
    stage.say(RunPaused("alice", "hold"))
    stage.clock.pass_by(3600)
    stage.say(RunContinued("alice"))
    assert stage.resume().finished is None
    stage.say(yes("alice"))
    assert stage.resume().finished.outcome is Outcome.PASSED


def test_an_until_has_its_whole_time_again_after_a_pause():
    clock = MovingClock()
    stage = Stage((a_check("look", until=an_until(5)),), {"look": [FAIL, FAIL, PASS]}, clock=clock)
    stage.run(during=[lambda: None, lambda: stage.kept.post(RUN, RunPaused("alice", "hold"))])
    clock.pass_by(3600)
    stage.say(RunContinued("alice"))
    assert stage.resume().finished.outcome is Outcome.PASSED


def test_an_abort_ends_a_pause_and_cleanup_is_done():
    """Pain 11: cleanup is not left out when it is needed."""
    clock = MovingClock()
    steps = (a_step("one"), a_step("two", needs=("one",)), a_cleanup("sweep"))
    stage = Stage(steps, {"one": [lasting(3, clock)]}, clock=clock)
    stage.run(during=[lambda: stage.kept.post(RUN, RunPaused("alice", "hold"))])
    stage.say(AbortRequested("alice", "enough"))
    state = stage.resume()
    assert state.finished.outcome is Outcome.ABORTED
    assert stage.done == ["one", "sweep"]


def test_words_for_steps_that_there_are_not_change_nothing():
    words = [SkipRequested("nobody", "alice", "x"), RetryRequested("nobody", "alice", "x")]
    stage = Stage((a_step("one"),))
    state = stage.run(during=[lambda: [stage.kept.post(RUN, w) for w in words]])
    assert state.finished.outcome is Outcome.PASSED
    assert not stage.events(SkipRequested)


@pytest.mark.parametrize(
    ("word", "told"),
    [
        (yes("bob"), "bob answered ask at 03:00:00 UTC, which changed nothing: it waits for no"),
        (StepSettled("ask", True, "bob", "x"), "bob settled ask"),
        (RetryRequested("go", "bob", "x"), "bob wanted to try again go"),
        (SkipRequested("go", "bob", "x"), "bob wanted to leave out go"),
        (RunPaused("bob", "x"), "bob wanted to pause the run"),
        (RunContinued("bob"), "bob wanted to let go on the run"),
    ],
)
def test_a_word_that_came_too_late_is_told_with_the_reason(word, told):
    """Pain 17: no silent refusal."""
    stage = answered(yes("alice"))
    pause = RunPaused("alice", "hold")
    stage.say(*([pause] if isinstance(word, RunPaused) else []), word)
    state = stage.state()
    (unheeded,) = state.unheeded
    assert unheeded[1] == word
    found = [f for _, f in all_findings(state, time_run(state, state.latest))]
    (said,) = [f for f in found if f.what == "word.unheeded"]
    assert said.message.startswith(told)
    assert unheeded[2] in said.message


def test_the_document_tells_of_overrides_pauses_and_what_is_still_wanted():
    stage = answered(yes("tester"))
    stage.say(RunPaused("alice", "hold"))
    state = stage.state()
    told = run_document(
        state, run=RUN, journal_head="00", state_word=RunState.PAUSED, now=stage.clock.now()
    )
    (question,) = told["steps"][0]["questions"]
    assert question["requester"] == "not-alone"
    assert question["wanting"] == "somebody other than tester, who started the run, must agree too"
    assert told["pauses"][0]["reason"] == "hold"
    assert told["overrides"] == []


@pytest.mark.parametrize("step_by", [3600.0, -3600.0], ids=["forward", "back"])
def test_a_clock_that_is_set_while_a_run_goes_on_changes_no_duration(step_by):
    clock = MovingClock()
    steps = (a_step("one"), a_step("two", needs=("one",)), a_check("look"))
    deeds = {"one": [lasting(5, clock)], "two": [lasting(7, clock)]}
    stage = Stage(steps, deeds, clock=clock, mode=Mode.DRILL)
    stage.plan = replace(
        stage.plan, objectives=replace(stage.plan.objectives, rto=timedelta(minutes=1))
    )

    def lie() -> None:
        clock.at += timedelta(seconds=step_by)

    state = stage.run(during=[lambda: None, lambda: None, lie])
    timing = time_run(state, state.latest)
    assert timing.rto.actual.total_seconds() == pytest.approx(12, abs=4)
    assert timing.rto.met
    assert sum(s.attempts[0].elapsed.total_seconds() for s in state.steps.values()) < 20
    (moved,) = [f for _, f in all_findings(state, timing) if f.what == "clock.moved"]
    assert ("forward" if step_by > 0 else "back") in moved.message
    assert not stage.events(StepSkipped)
