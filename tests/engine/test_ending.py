"""The rules of a run's end: lost attempts, undo, cleanup, abort, people."""

import itertools

import pytest

from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    PersonAnswered,
    PersonAsked,
    StepGivenUp,
    StepSettled,
    StepSkipped,
)
from drorch.core.names import OnFailure, Outcome, Phase
from drorch.core.run import LOST_LIMIT
from tests.engine.stage import (
    FAIL,
    RUN,
    Stage,
    a_check,
    a_cleanup,
    a_question,
    a_retry,
    a_step,
    an_undo,
    how_it_ended,
    lasting,
)
from tests.fakes.world import CutJournal, MovingClock, PowerCut, an_owner

PRE = Phase.PRECONDITIONS
ABORT = AbortRequested("ana", "enough")


def lose(stage: Stage, write: int = 1, *, resuming: bool = False) -> None:
    """The owner dies right after that write: what it had started is lost."""
    stage.journal = CutJournal(stage.kept, [(write, True)])
    with pytest.raises(PowerCut):
        stage.resume() if resuming else stage.run()
    stage.journal = None


def yes(step: str, by: str) -> PersonAnswered:
    return PersonAnswered(step, approved=True, by=by, reason="fine")


# Lost attempts


def test_a_lost_attempt_of_a_repeatable_step_goes_again():
    stage = Stage((a_step("it", repeatable=True),))
    lose(stage)
    state = stage.resume()
    assert state.finished.outcome is Outcome.PASSED
    assert [(a.number, a.lost) for a in state.steps["it"].attempts] == [(1, True), (2, False)]


def test_a_lost_attempt_does_not_count_against_retry():
    stage = Stage((a_step("it", repeatable=True, retry=a_retry(2)),), {"it": [FAIL]})
    lose(stage)
    assert stage.resume().finished.outcome is Outcome.PASSED
    assert stage.done == ["it", "it"]
    assert len(stage.events(AttemptStarted)) == 3


def test_a_repeatable_step_that_is_lost_too_often_has_failed_and_cleanup_is_done():
    stage = Stage((a_step("it", repeatable=True), an_undo("it", repeatable=True)))
    lose(stage)
    for _ in range(LOST_LIMIT - 1):
        lose(stage, 1, resuming=True)
    state = stage.resume()
    assert state.finished.outcome is Outcome.FAILED
    assert (state.steps["it"].cause, len(stage.events(AttemptLost))) == ("lost", LOST_LIMIT)
    assert stage.done == ["undo:it"]


def _lost_and_asked() -> Stage:
    stage = Stage((a_step("it"), an_undo("it"), a_check("proof")))
    lose(stage)
    state = stage.resume()
    assert state.finished is None
    (asked,) = stage.events(PersonAsked)
    assert (asked.step, asked.question) == ("it", "settle")
    assert stage.done == []
    return stage


@pytest.mark.parametrize(
    ("answer", "done", "outcome"),
    [
        (StepSettled("it", True, "ana", "saw it"), ["proof", "undo:it"], Outcome.PASSED),
        (StepSettled("it", False, "ana", "gone"), ["it", "proof", "undo:it"], Outcome.PASSED),
        (ABORT, ["undo:it"], Outcome.ABORTED),
    ],
)
def test_a_lost_attempt_of_any_other_step_waits_for_a_persons_word(answer, done, outcome):
    stage = _lost_and_asked()
    stage.say(answer)
    assert stage.resume().finished.outcome is outcome
    assert stage.done == done


def test_what_waits_for_a_persons_word_waits_through_further_restarts():
    stage = _lost_and_asked()
    for _ in range(5):
        assert stage.resume().finished is None
    assert len(stage.events(PersonAsked)) == 1
    assert stage.done == []


def test_an_approval_does_not_settle_what_is_unknown():
    stage = _lost_and_asked()
    stage.say(yes("it", "ana"))
    assert stage.resume().finished is None
    assert stage.statuses["it"] == "waiting-for-person"


def test_a_step_said_not_to_have_happened_needs_no_undo_when_the_run_ends_there():
    stage = _lost_and_asked()
    stage.say(StepSettled("it", False, "ana", "looked"), ABORT)
    stage.resume()
    assert stage.done == []
    assert {e.step for e in stage.events(StepSkipped)} >= {"undo:it"}


def test_what_is_settled_twice_or_not_asked_changes_nothing():
    stage = _lost_and_asked()
    stage.say(StepSettled("proof", True, "ana", "?"), StepSettled("it", True, "ana", "saw it"))
    stage.say(StepSettled("it", False, "bob", "no"))
    assert stage.resume().finished.outcome is Outcome.PASSED
    assert stage.done == ["proof", "undo:it"]


def test_an_unknown_outcome_in_the_cleanup_of_an_aborted_run_is_named_as_left_behind():
    stage = Stage((a_step("it"), a_cleanup("sweep"), a_cleanup("rest", needs=("sweep",))))
    during = [lambda: None, lambda: stage.inbox.put(ABORT)]
    stage.actions.told = {"it": [lasting(9, stage.clock)]}
    stage.journal = CutJournal(stage.kept, [(3, True)])
    with pytest.raises(PowerCut):
        stage.run(during=during)
    stage.journal = None
    state = stage.resume()
    assert how_it_ended(state) == (Outcome.ABORTED, ("sweep",))
    assert stage.events(PersonAsked) == []
    assert stage.done == ["it", "rest"]


# Undo and cleanup


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_undo_goes_in_the_reverse_of_the_order_of_start_then_cleanup_as_written(order):
    # The plan's order is a, b, c; `order` is the order in which they come to start.
    needs = {order[0]: (), order[1]: (order[0],), order[2]: (order[1],)}
    steps = tuple(a_step(n, needs=needs[n]) for n in "abc")
    undo = tuple(an_undo(n) for n in "abc")
    cleanup = (a_cleanup("first"), a_cleanup("second", needs=("first",)), a_cleanup("free"))
    stage = Stage((*steps, *cleanup, *undo))
    stage.run()
    undone = [f"undo:{n}" for n in reversed(order)]
    assert stage.done == [*order, *undone, "first", "free", "second"]


def test_undo_is_one_after_the_other_and_cleanup_waits_for_the_last():
    clock = MovingClock()
    steps = (a_step("a"), a_step("b"), an_undo("a"), an_undo("b"), a_cleanup("sweep"))
    deeds = {"undo:a": [lasting(3, clock)], "undo:b": [lasting(5, clock)]}
    stage = Stage(steps, deeds, clock=clock)
    stage.run()
    begun = dict(zip(stage.done, stage.actions.moments, strict=True))
    assert begun["undo:a"] - begun["undo:b"] == 5
    assert begun["sweep"] - begun["undo:a"] == 3


def test_only_what_may_have_happened_is_undone():
    steps = (
        a_step("good"),
        a_step("bad", needs=("good",)),
        a_step("never", needs=("bad",)),
        a_check("looked", Phase.STEPS),
        *(an_undo(n) for n in ("good", "bad", "never", "looked")),
    )
    stage = Stage(steps, {"bad": [FAIL]})
    assert stage.run().finished.outcome is Outcome.FAILED
    assert [s for s in stage.done if s.startswith("undo")] == ["undo:bad", "undo:good"]
    assert stage.statuses["undo:never"] == stage.statuses["undo:looked"] == "skipped"


def test_a_cleanup_that_fails_is_named_and_the_others_are_done_all_the_same():
    steps = (
        *(a_step("a"), an_undo("a"), a_cleanup("one"), a_cleanup("two", needs=("one",))),
        a_cleanup("three", needs=("two",), retry=a_retry(2)),
    )
    stage = Stage(steps, {"undo:a": [FAIL], "one": [FAIL], "three": [FAIL]})
    state = stage.run()
    assert how_it_ended(state) == (Outcome.PASSED, ("undo:a", "one"))
    assert stage.done == ["a", "undo:a", "one", "two", "three", "three"]


def test_cleanup_of_what_never_came_to_be_is_skipped_and_not_dirty():
    steps = (
        a_step("start"),
        a_cleanup("stop", arguments={"service": "{start.service}"}),
        a_cleanup("sweep", needs=("stop",)),
    )
    stage = Stage(steps, {"start": [FAIL]})
    state = stage.run()
    assert how_it_ended(state) == (Outcome.FAILED, ())
    assert stage.statuses == {"start": "failed", "stop": "skipped", "sweep": "passed"}


def test_cleanup_is_skipped_when_only_checks_ran():
    stage = Stage((a_check("look", Phase.STEPS), a_cleanup("sweep")))
    stage.run()
    assert stage.done == ["look"]


# Abort


def _aborted_when(started: str) -> Stage:
    """A run aborted while that step goes on."""
    steps = (
        a_check("pre", PRE),
        a_step("work"),
        a_step("next", needs=("work",)),
        an_undo("work"),
        a_check("proof"),
        a_cleanup("sweep"),
    )
    stage = Stage(steps)
    stage.actions.told = {started: [lasting(50, stage.clock)]}

    def abort_when_it_goes_on() -> None:
        if stage.done and stage.done[-1] == started:
            stage.inbox.put(ABORT)
            stage.inbox.before_wait.clear()

    stage.run(during=[abort_when_it_goes_on] * 60)
    return stage


@pytest.mark.parametrize(
    ("when", "done", "outcome"),
    [
        ("pre", ["pre"], Outcome.ABORTED),
        ("work", ["pre", "work", "undo:work", "sweep"], Outcome.ABORTED),
        ("next", ["pre", "work", "next", "undo:work", "sweep"], Outcome.ABORTED),
        ("proof", ["pre", "work", "next", "proof", "undo:work", "sweep"], Outcome.ABORTED),
        # Once everything is proven an abort ends nothing but the waiting.
        ("sweep", ["pre", "work", "next", "proof", "undo:work", "sweep"], Outcome.PASSED),
    ],
)
def test_an_abort_starts_nothing_new_and_cleans_up_whatever_the_phase(when, done, outcome):
    stage = _aborted_when(when)
    assert how_it_ended(stage.state()) == (outcome, ())
    assert stage.done == done
    stopped = [e.step for e in stage.events(AttemptFinished) if e.cause == "cancelled"]
    assert stopped == ([] if when == "sweep" else [when])


def test_an_abort_takes_no_failure_back():
    """A drill that has failed stays failed: nobody can abort it into saying nothing."""
    clock = MovingClock()
    stage = Stage((a_step("bad"), a_step("slow")), clock=clock)
    stage.actions.told = {"bad": [FAIL], "slow": [lasting(50, clock)]}
    during = [lambda: None, lambda: None, lambda: stage.inbox.put(ABORT)]
    state = stage.run(during=during)
    assert (state.finished.outcome, state.failed_step) == (Outcome.FAILED, "bad")
    assert stage.statuses["slow"] == "failed"


def test_an_abort_by_the_next_owner_starts_nothing_but_cleanup():
    stage = Stage((a_step("it"), a_step("next", needs=("it",)), an_undo("it")))
    lose(stage)
    state = stage.engine().resume(RUN, an_owner(9), "ana", word=ABORT)
    assert state.finished.outcome is Outcome.ABORTED
    assert stage.done == ["undo:it"]
    assert [e.cause for e in stage.events(StepGivenUp)] == ["unknown-outcome"]


# People


@pytest.mark.parametrize(
    ("arguments", "answers", "status"),
    [
        ({}, [yes("ask", "ana")], "passed"),
        ({}, [PersonAnswered("ask", False, "ana", "too early")], "failed"),
        ({"quorum": 2}, [yes("ask", "ana")], "waiting-for-person"),
        ({"quorum": 2}, [yes("ask", "ana"), yes("ask", "ana")], "waiting-for-person"),
        ({"quorum": 2}, [yes("ask", "ana"), yes("ask", "bob")], "passed"),
        ({"quorum": 2}, [yes("ask", "ana"), PersonAnswered("ask", False, "bob", "no")], "failed"),
    ],
)
def test_approval(arguments, answers, status):
    stage = Stage((a_question("ask", **arguments), a_step("after", needs=("ask",))))
    assert stage.run().finished is None
    stage.say(*answers)
    state = stage.resume()
    assert stage.statuses["ask"] == status
    assert (stage.done == ["after"]) == (status == "passed")
    if status == "passed":
        assert state.steps["ask"].outputs["by"] == sorted({a.by for a in answers})
    if status == "failed":
        assert state.steps["ask"].cause == "refused"


def test_a_refusal_after_the_answer_was_given_comes_too_late():
    stage = Stage((a_question("ask"), a_step("after", needs=("ask",))))
    stage.run()
    stage.say(yes("ask", "ana"), PersonAnswered("ask", False, "bob", "no"))
    assert stage.resume().finished.outcome is Outcome.PASSED


@pytest.mark.parametrize("on_failure", list(OnFailure))
def test_nobody_answers_in_time(on_failure):
    ask = a_step(
        "ask", do="approve", person=True, arguments={"within": "10m"}, on_failure=on_failure
    )
    stage = Stage((ask, a_step("after", needs=("ask",))), wait_for_people=True)
    state = stage.run()
    assert state.steps["ask"].cause == "no-answer"
    assert state.steps["ask"].closed.ticks - state.started.ticks == pytest.approx(600, abs=0.1)
    assert (stage.done == ["after"]) == (on_failure is OnFailure.CONTINUE)


def test_what_needs_nobody_goes_on_while_a_person_is_waited_for():
    clock = MovingClock()
    steps = (a_question("ask"), a_step("work"), a_step("again", retry=a_retry(3, 60)))
    stage = Stage(steps, {"work": [lasting(30, clock)], "again": [FAIL, FAIL]}, clock=clock)
    state = stage.run()
    assert state.finished is None
    assert stage.statuses == {"ask": "waiting-for-person", "work": "passed", "again": "passed"}


def test_a_question_takes_no_place_among_those_that_run_side_by_side():
    stage = Stage((a_question("ask"), a_step("work")), parallel=1)
    stage.run()
    assert stage.done == ["work"]


def test_who_leaves_when_only_people_are_waited_for_is_not_kept_by_a_wait_that_is_over():
    """A step was to go again when another failure ended the run; then cleanup asks."""
    clock = MovingClock()
    steps = (
        a_step("again", retry=a_retry(3, 600)),
        a_step("bad", retry=a_retry(2, 1)),
        a_question("ask", Phase.CLEANUP),
    )
    stage = Stage(steps, {"again": [FAIL], "bad": [FAIL, FAIL]}, clock=clock)
    assert stage.run().finished is None
    assert stage.statuses["ask"] == "waiting-for-person"
    assert clock.ticks < 1100


def test_requests_left_for_a_living_owner_are_taken_once_and_removed_with_their_record():
    stage = Stage((a_question("ask", quorum=2), a_step("after", needs=("ask",))))
    stage.wait_for_people = True

    def leave() -> None:
        stage.kept.post(RUN, yes("ask", "ana"))
        stage.kept.post(RUN, yes("ask", "bob"))

    assert stage.run(during=[leave]).finished.outcome is Outcome.PASSED
    assert [e.by for e in stage.events(PersonAnswered)] == ["ana", "bob"]
    assert stage.kept.take_posted(RUN, 0) == []


def test_requests_taken_but_not_recorded_are_taken_again_by_the_next_owner():
    stage = Stage((a_question("ask"), a_step("after", needs=("ask",))), wait_for_people=True)
    stage.journal = CutJournal(stage.kept, [(2, False)])
    with pytest.raises(PowerCut):
        stage.run(during=[lambda: stage.kept.post(RUN, yes("ask", "ana"))])
    assert stage.events(PersonAnswered) == []
    stage.journal, stage.wait_for_people = None, False
    assert stage.resume().finished.outcome is Outcome.PASSED
    assert len(stage.events(PersonAnswered)) == 1
    assert stage.kept.take_posted(RUN, 0) == []


def test_an_abort_left_for_an_owner_that_died_holds_before_anything_is_started():
    stage = Stage((a_step("it", repeatable=True), an_undo("it")))
    lose(stage)
    stage.kept.post(RUN, ABORT)
    assert stage.resume().finished.outcome is Outcome.ABORTED
    assert stage.done == ["undo:it"]


def test_a_request_that_makes_no_sense_stops_nothing():
    stage = Stage((a_step("it", retry=a_retry(2)),), {"it": [FAIL]})

    def leave() -> None:
        stage.kept.post(RUN, yes("no-such-step", "ana"))
        stage.kept.post(RUN, AttemptLost("it", 1))
        stage.kept.post(RUN, yes("it", "ana"))

    assert stage.run(during=[leave]).finished.outcome is Outcome.PASSED
    assert stage.done == ["it", "it"]
    assert [e.step for e in stage.events(PersonAnswered)] == ["it"]


def test_what_a_lost_attempt_began_and_nobody_saw_is_left_behind_and_named():
    serve = a_step("serve")
    stop = an_undo("serve", arguments={"service": "{serve.value}"})
    stage = Stage((serve, stop))
    lose(stage)
    assert stage.resume().finished is None
    stage.say(StepSettled("serve", True, "ana", "it listens"))
    state = stage.resume()
    assert how_it_ended(state) == (Outcome.PASSED, ("undo:serve",))
    assert "may still be there" in state.steps["undo:serve"].why


def test_undo_of_a_step_that_failed_without_outputs_is_skipped_and_nothing_is_dirty():
    stop = an_undo("serve", arguments={"service": "{serve.value}"})
    stage = Stage((a_step("serve"), stop), {"serve": [FAIL]})
    assert how_it_ended(stage.run()) == (Outcome.FAILED, ())
