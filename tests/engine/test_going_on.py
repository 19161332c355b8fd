"""The rules of a run on its way: phases, needs, parallel, retry, until, when, on_failure."""

from datetime import timedelta

import pytest

from drorch.core.events import AttemptStarted, RetryScheduled, StepGivenUp, StepSkipped
from drorch.core.names import OnFailure, Outcome, Phase, StepStatus
from drorch.core.runbook import When, WhenTest
from drorch.core.values import Result
from tests.engine.stage import (
    ERROR,
    FAIL,
    PASS,
    RUN,
    Stage,
    a_check,
    a_cleanup,
    a_retry,
    a_step,
    an_undo,
    an_until,
    lasting,
)
from tests.fakes.world import CutJournal, MovingClock, PowerCut

PRE = Phase.PRECONDITIONS


def cut_off(stage: Stage) -> None:
    """Carry until the power fails."""
    with pytest.raises(PowerCut):
        stage.run()


def test_one_failed_precondition_and_nothing_is_touched_but_all_are_looked_at():
    steps = (a_check("one", PRE), a_check("two", PRE), a_check("three", PRE, needs=("one",)))
    rest = (a_step("work"), an_undo("work"), a_check("proof"), a_cleanup("sweep"))
    stage = Stage(steps + rest, {"one": [FAIL]})
    state = stage.run()
    assert state.finished.outcome is Outcome.ABORTED
    assert sorted(stage.done) == ["one", "three", "two"]
    assert {stage.statuses[s.id] for s in rest} == {"skipped"}
    why = {e.step: e.why for e in stage.events(StepSkipped)}
    assert why["work"] == "a precondition failed"
    assert why["sweep"] == "nothing was started"


@pytest.mark.parametrize(("parallel", "seconds"), [(1, 6), (2, 4), (3, 2), (8, 2)])
def test_independent_steps_run_side_by_side_up_to_parallel(parallel, seconds):
    clock = MovingClock()
    deeds = {name: [lasting(2, clock)] for name in "abc"}
    stage = Stage(tuple(a_step(n) for n in "abc"), deeds, parallel=parallel, clock=clock)
    state = stage.run()
    assert state.finished.outcome is Outcome.PASSED
    assert round(clock.ticks - state.started.ticks) == seconds


def test_a_step_starts_when_all_it_needs_is_final_and_no_sooner():
    clock = MovingClock()
    steps = (a_step("slow"), a_step("quick"), a_step("after", needs=("slow", "quick")))
    stage = Stage(steps, {"slow": [lasting(5, clock)]}, clock=clock)
    stage.run()
    assert stage.done == ["slow", "quick", "after"]
    assert stage.actions.moments[2] - stage.actions.moments[0] == 5


def test_phases_follow_each_other_and_are_not_mixed():
    steps = (a_cleanup("d"), a_check("c"), a_step("b"), a_check("a", PRE))
    stage = Stage(steps)
    stage.run()
    assert stage.done == ["a", "b", "c", "d"]


def test_retry_waits_twice_as_long_each_time_and_no_longer_than_its_limit():
    retry = a_retry(6, 2, limit=timedelta(seconds=7))
    stage = Stage((a_step("it", retry=retry),), {"it": [FAIL] * 5})
    assert stage.run().finished.outcome is Outcome.PASSED
    assert [e.delay.total_seconds() for e in stage.events(RetryScheduled)] == [2, 4, 7, 7, 7]
    gaps = [b - a for a, b in zip(stage.actions.moments, stage.actions.moments[1:], strict=False)]
    assert [round(g, 3) for g in gaps] == [2, 4, 7, 7, 7]


def test_jitter_spreads_the_wait_by_its_share_and_the_same_wait_is_journalled_and_waited():
    retry = a_retry(40, 10, backoff=1.0, jitter=0.5)
    stage = Stage((a_step("it", retry=retry),), {"it": [FAIL] * 39})
    stage.run()
    delays = [e.delay.total_seconds() for e in stage.events(RetryScheduled)]
    assert all(5 <= d <= 15 for d in delays)
    assert min(delays) < 8
    assert max(delays) > 12
    gaps = [b - a for a, b in zip(stage.actions.moments, stage.actions.moments[1:], strict=False)]
    assert [round(g, 2) for g in gaps] == [round(d, 2) for d in delays]


@pytest.mark.parametrize(
    ("attempts", "only", "deeds", "made", "outcome"),
    [
        (3, (), [FAIL, ERROR, PASS], 3, Outcome.PASSED),
        (3, (), [FAIL, FAIL, FAIL, PASS], 3, Outcome.FAILED),
        (1, (), [FAIL, PASS], 1, Outcome.FAILED),
        (3, ("scripted",), [FAIL, PASS], 2, Outcome.PASSED),
        (3, ("timeout",), [FAIL, PASS], 1, Outcome.FAILED),
    ],
)
def test_a_step_is_tried_as_often_as_declared(attempts, only, deeds, made, outcome):
    retry = a_retry(attempts, only=only)
    stage = Stage((a_step("it", retry=retry),), {"it": deeds})
    assert stage.run().finished.outcome is outcome
    assert len(stage.done) == made


def _reboot_with(clock: MovingClock, down: float, wall_step: float = 0.0) -> None:
    clock.pass_by(down)
    clock.reboot()
    clock.at += timedelta(seconds=wall_step)


@pytest.mark.parametrize(
    ("away", "rest"),
    [
        (lambda clock: None, 100),
        (lambda clock: clock.pass_by(30), 70),
        (lambda clock: clock.pass_by(500), 0),
        (lambda clock: _reboot_with(clock, 30), 70),
        (lambda clock: _reboot_with(clock, 500), 0),
        # The wall clock was set back by a day across the reboot: never longer than declared.
        (lambda clock: _reboot_with(clock, 30, wall_step=-86_400), 100),
    ],
)
def test_a_restart_waits_the_rest_of_the_journalled_time(away, rest):
    stage = Stage((a_step("it", retry=a_retry(2, 100)),), {"it": [FAIL]})
    stage.journal = CutJournal(stage.kept, [(2, True)])
    cut_off(stage)
    assert isinstance(stage.events()[-1], RetryScheduled)
    away(stage.clock)
    back = stage.clock.ticks
    stage.journal = None
    assert stage.resume().finished.outcome is Outcome.PASSED
    assert stage.done == ["it", "it"]
    assert round(stage.actions.moments[1] - back) == rest


@pytest.mark.parametrize(
    ("until", "deeds", "looks", "outcome"),
    [
        (an_until(10), [FAIL, FAIL, PASS], 3, Outcome.PASSED),
        (an_until(10, successes=3), [PASS] * 3, 3, Outcome.PASSED),
        # A failure in between, and the counting begins anew.
        (an_until(10, successes=3), [PASS, PASS, FAIL, PASS, PASS, PASS], 6, Outcome.PASSED),
        # Its time is over: the last look is no later than `within`.
        (an_until(3), [FAIL] * 9, 4, Outcome.FAILED),
        (an_until(3, every=2), [FAIL] * 9, 2, Outcome.FAILED),
        (an_until(0.5), [FAIL] * 9, 1, Outcome.FAILED),
        # Passing at last is not enough when it did not pass often enough in a row.
        (an_until(3, successes=3), [FAIL, FAIL, PASS, PASS], 4, Outcome.FAILED),
        (an_until(0.5, successes=2), [PASS], 1, Outcome.FAILED),
    ],
)
def test_until_looks_again_until_it_passed_often_enough_in_a_row(until, deeds, looks, outcome):
    """Pain 8: waited until healthy, not for a fixed time."""
    stage = Stage((a_step("work"), a_check("it", until=until)), {"it": deeds})
    assert stage.run().finished.outcome is outcome
    assert stage.done.count("it") == looks
    gaps = {
        b - a for a, b in zip(stage.actions.moments[1:], stage.actions.moments[2:], strict=False)
    }
    assert gaps <= {until.every.total_seconds()}


def test_an_until_that_passed_too_seldom_says_so():
    stage = Stage((a_check("it", until=an_until(2, successes=5)),))
    step = stage.run().steps["it"]
    assert (step.cause, step.message) == (
        "unsteady",
        "passed 3 of the 5 times in a row that are wanted",
    )


def test_an_until_has_its_whole_time_again_after_its_owner_died():
    stage = Stage((a_check("it", until=an_until(5, successes=2)),), {"it": [PASS, FAIL]})
    stage.journal = CutJournal(stage.kept, [(2, True)])
    cut_off(stage)
    stage.journal = None
    stage.clock.pass_by(3600)
    assert stage.resume().finished.outcome is Outcome.PASSED
    # One pass before, a failure and two passes in a row after.
    assert stage.done == ["it"] * 4


@pytest.mark.parametrize(
    ("on_failure", "done", "outcome"),
    [
        (OnFailure.STOP, ["bad", "beside", "sweep"], Outcome.FAILED),
        (OnFailure.CONTINUE, ["bad", "beside", "after", "proof", "sweep"], Outcome.PASSED),
        (OnFailure.ISOLATE, ["bad", "beside", "proof", "sweep"], Outcome.FAILED),
    ],
)
def test_on_failure(on_failure, done, outcome):
    steps = (
        a_step("bad", on_failure=on_failure),
        a_step("beside"),
        a_step("after", needs=("bad", "beside")),
        a_check("proof"),
        a_cleanup("sweep"),
    )
    stage = Stage(steps, {"bad": [FAIL]})
    state = stage.run()
    assert (stage.done, state.finished.outcome) == (done, outcome)
    assert state.failed_step == ("" if on_failure is OnFailure.CONTINUE else "bad")


def test_only_what_needs_an_isolated_failure_is_left_out():
    """pains 13: of many that go side by side, one that fails takes no other with it."""
    steps = (
        a_step("bad", on_failure=OnFailure.ISOLATE),
        a_step("next", needs=("bad",)),
        a_step("last", needs=("next",)),
        a_step("good"),
        a_step("after-good", needs=("good",)),
        a_step("all", needs=("last", "after-good")),
    )
    stage = Stage(steps, {"bad": [FAIL]})
    state = stage.run()
    assert stage.done == ["bad", "good", "after-good"]
    assert state.finished.outcome is Outcome.FAILED
    for left_out in ("next", "last", "all"):
        step = state.steps[left_out]
        assert (step.status, step.why) == (StepStatus.SKIPPED, "it needs bad, which failed")


def test_a_failure_lets_what_runs_beside_it_come_to_its_end_but_not_go_again():
    clock = MovingClock()
    steps = (a_step("bad"), a_step("beside"), a_step("again", retry=a_retry(5)))
    deeds = {
        "bad": [FAIL],
        "beside": [lasting(9, clock)],
        "again": [FAIL] * 5,
    }
    stage = Stage(steps, deeds, clock=clock)
    assert stage.run().finished.outcome is Outcome.FAILED
    assert stage.statuses == {"bad": "failed", "beside": "passed", "again": "failed"}
    assert stage.done.count("again") == 1


def test_nothing_starts_beside_a_step_that_is_given_up_and_stops_the_run():
    hopeless = a_step("hopeless", needs=("quiet",), arguments={"of": "{quiet.nothing}"})
    ready_with_it = a_step("ready-with-it", needs=("quiet",))
    for steps in ((hopeless, ready_with_it), (ready_with_it, hopeless)):
        stage = Stage((a_step("quiet"), *steps), {"quiet": [Result(PASS)]})
        assert stage.run().finished.outcome is Outcome.FAILED
        assert stage.done == ["quiet"]
        assert stage.statuses["ready-with-it"] == "skipped"


def test_any_failed_check_of_verify_fails_the_run_and_all_are_looked_at():
    """Pain 9: a failed check fails the run."""
    steps = (a_step("work"), a_check("one"), a_check("two"), a_cleanup("sweep"))
    stage = Stage(steps, {"one": [FAIL]})
    assert stage.run().finished.outcome is Outcome.FAILED
    assert stage.done == ["work", "one", "two", "sweep"]


@pytest.mark.parametrize(
    ("when", "status"),
    [
        (When("{kind}", WhenTest.IS, "postgres"), "passed"),
        (When("{kind}", WhenTest.IS, "sqlite"), "skipped"),
        (When("{kind}", WhenTest.IS_NOT, "sqlite"), "passed"),
        (When("{kind}", WhenTest.IN, ["sqlite", "postgres"]), "passed"),
        (When("{kind}", WhenTest.IN, ["sqlite"]), "skipped"),
        (When("{first.value}", WhenTest.IS, "first"), "passed"),
        (When("{first.count}", WhenTest.IS, "3"), "passed"),
        (When("{first.never}", WhenTest.IS, "3"), "failed"),
    ],
)
def test_when(when, status):
    """Pain 22: conditionals."""
    steps = (a_step("first"), a_step("it", needs=("first",), when=when))
    result = Result(PASS, {"value": "first", "count": 3})
    stage = Stage(steps, {"first": [result]}, inputs={"kind": "postgres"})
    stage.run()
    assert stage.statuses["it"] == status
    assert ("it" in stage.done) == (status == "passed")


def test_outputs_and_inputs_are_put_in_whole_and_what_never_came_to_be_is_given_up():
    """Pain 12: what a step found out is the input of later ones."""
    arguments = {"all": "{first.table}", "text": "in {kind}", "deep": [{"n": "{first.count}"}]}
    steps = (a_step("first"), a_step("it", needs=("first",), arguments=arguments))
    result = Result(PASS, {"table": {"a": [1]}, "count": 3})
    stage = Stage(steps, {"first": [result]}, inputs={"kind": "lab"})
    stage.run()
    wanted = {"all": {"a": [1]}, "text": "in lab", "deep": [{"n": 3}]}
    assert stage.actions.arguments["it"] == wanted
    assert [e.arguments for e in stage.events(AttemptStarted) if e.step == "it"] == [wanted]
    missing = Stage(steps, {"first": [Result(PASS, {"count": 3})]}, inputs={"kind": "lab"})
    assert missing.run().finished.outcome is Outcome.FAILED
    (given_up,) = missing.events(StepGivenUp)
    assert (given_up.step, given_up.cause) == ("it", "missing-output")
    assert "{first.table} never came to be" in given_up.why


def test_a_step_left_out_by_plan_says_why_and_what_needs_it_goes_on():
    steps = (a_step("ask", skip="live only"), a_step("after", needs=("ask",)))
    stage = Stage(steps)
    assert stage.run().finished.outcome is Outcome.PASSED
    assert stage.statuses == {"ask": "skipped", "after": "passed"}
    assert [e.why for e in stage.events(StepSkipped)] == ["live only"]


def test_a_wall_clock_that_steps_changes_no_duration_and_is_told():
    clock = MovingClock()

    def step_the_clock(call, tools):
        clock.at -= timedelta(hours=3)
        return Result(PASS)

    retry = a_retry(2, 50)
    steps = (a_step("odd"), a_step("it", needs=("odd",), retry=retry))
    stage = Stage(steps, {"odd": [step_the_clock], "it": [FAIL]}, clock=clock)
    state = stage.run()
    assert [step.by for step in state.clock_steps] == [timedelta(hours=-3)]
    assert round(stage.actions.moments[2] - stage.actions.moments[1]) == 50
    assert all(a.elapsed >= timedelta() for s in state.steps.values() for a in s.attempts)
    assert stage.state().clock_steps == state.clock_steps


def test_the_journal_alone_gives_the_state_that_was_carried():
    steps = (a_check("ready", PRE), a_step("work", retry=a_retry(3)), an_undo("work"))
    stage = Stage(steps, {"work": [FAIL, ERROR]})
    carried = stage.run()
    assert stage.state() == carried
    assert stage.kept.find(RUN).outcome is Outcome.PASSED


def test_what_stands_earlier_in_the_file_goes_first():
    """So each of many comes to its own end before further ones are begun."""
    steps = [
        one
        for n in "abcd"
        for one in (a_step(f"take-{n}"), a_step(f"give-back-{n}", needs=(f"take-{n}",)))
    ]
    stage = Stage(tuple(steps), parallel=1)
    stage.run()
    assert stage.done == [f"{do}-{n}" for n in "abcd" for do in ("take", "give-back")]
