"""What may go wrong around the engine: actions with bugs, deaf ones, lost fences, secrets, links."""

import json
from collections import deque
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.core.codec import encode
from drorch.core.errors import AlreadyRunning, ExitCode, FenceLost, StorageError
from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptStarted,
    PersonAsked,
    RetryScheduled,
    RunStarted,
    RunTaken,
    Stamped,
)
from drorch.core.model import Configuration, Protected
from drorch.core.moment import Moment
from drorch.core.names import Mode, Outcome, StepStatus
from drorch.core.values import Finding, Result
from drorch.engine.inbox import Leave
from drorch.engine.loop import Interrupted
from drorch.ports import Progress
from tests.engine.stage import (
    ERROR,
    FAIL,
    PASS,
    RUN,
    Stage,
    a_cleanup,
    a_question,
    a_retry,
    a_step,
    an_undo,
    deaf,
    how_it_ended,
    lasting,
)
from tests.fakes.world import CutJournal, MovingClock, PowerCut, an_owner

SECRET = "s3cr3t-passphrase"


class OneSecret:
    """Knows one secret, and takes it out wherever it is shown."""

    def get(self, name: str, *, anew: bool = False) -> str:
        return SECRET

    def redact(self, text: str) -> str:
        return text.replace(SECRET, "***")


class OddText(str):
    """Text of a class of its own, as YAML readers and libraries have them."""

    __slots__ = ()


# Actions with bugs


@pytest.mark.parametrize(
    ("deed", "cause", "words"),
    [
        (ValueError("no such thing"), "crash", "deed broke: ValueError: no such thing"),
        (lambda call, tools: None, "crash", "deed broke: AttributeError"),
        (lambda call, tools: exit(3), "crash", "deed broke: SystemExit: 3"),
        (Result(PASS, {"at": Path("/x")}), "crash", "PosixPath is no JSON value"),
        (Result(PASS, {"raw": b"x"}), "crash", "bytes is no JSON value"),
        (Result(PASS, {"map": {1: "x"}}), "crash", "int is no key of a JSON value"),
        (
            StorageError("mtl is dead", "wait", "region-unreachable"),
            "region-unreachable",
            "mtl is dead",
        ),
    ],
)
def test_whatever_an_action_does_its_attempt_comes_to_a_result(deed, cause, words):
    stage = Stage((a_step("it"), a_cleanup("sweep")), {"it": [deed]})
    state = stage.run()
    attempt = state.steps["it"].attempts[0]
    assert (attempt.verdict, attempt.cause) == (ERROR, cause)
    assert words in attempt.message
    assert attempt.hint
    assert state.finished.outcome is Outcome.FAILED
    assert stage.statuses["sweep"] == "passed"


def test_an_action_that_nobody_brought():
    stage = Stage((a_step("it", do="unheard-of"),))
    assert stage.run().steps["it"].cause == "no-action"
    assert stage.done == []


def test_text_of_any_class_and_numbers_of_any_size_can_be_kept():
    outputs = {"text": OddText("x"), "many": (1, 2.5), "huge": float("inf"), "none": None}
    stage = Stage((a_step("it"),), {"it": [Result(PASS, outputs)]})
    assert stage.run().finished.outcome is Outcome.PASSED
    assert stage.state().steps["it"].outputs["many"] == [1, 2.5]


# Deaf and slow ones


def test_who_does_not_stop_when_its_time_is_up_is_told_and_then_abandoned():
    stage = Stage((a_step("it", timeout=timedelta(seconds=100)), an_undo("it")), {"it": [deaf]})
    state = stage.run()
    attempt = state.steps["it"].attempts[0]
    assert (attempt.verdict, attempt.cause) == (ERROR, "abandoned")
    # 30 s to see its own deadline, 30 s more to obey, and a look every second.
    assert 160 <= attempt.elapsed.total_seconds() <= 163
    assert stage.done == ["it", "undo:it"]


def test_an_abandoned_attempt_is_never_followed_by_another():
    step = a_step("it", timeout=timedelta(seconds=1), retry=a_retry(5), repeatable=True)
    stage = Stage((step,), {"it": [deaf]})
    assert stage.run().finished.outcome is Outcome.FAILED
    assert stage.done == ["it"]
    assert stage.events(RetryScheduled) == []


def test_an_abort_does_not_wait_for_ever_for_the_deaf():
    stage = Stage((a_step("it"), an_undo("it")), {"it": [deaf]})
    state = stage.run(during=[lambda: stage.inbox.put(AbortRequested("ana", "now"))])
    assert state.finished.outcome is Outcome.ABORTED
    assert state.steps["it"].cause == "abandoned"
    assert "the run was aborted" in state.steps["it"].message
    assert state.latest.ticks - state.started.ticks < 35
    assert stage.done == ["it", "undo:it"]


def test_who_is_late_but_listens_has_timed_out_and_may_go_again():
    clock = MovingClock()
    step = a_step("it", timeout=timedelta(seconds=10), retry=a_retry(2))
    stage = Stage((step,), {"it": [lasting(1000, clock)]}, clock=clock)
    state = stage.run()
    assert [a.cause for a in state.steps["it"].attempts] == ["timeout", ""]
    assert state.finished.outcome is Outcome.PASSED


def test_what_an_abandoned_attempt_comes_to_later_changes_nothing():
    late: deque[bool] = deque()
    clock = MovingClock()

    def wakes_up_late(call, tools):
        if not late:
            return deaf(call, tools)
        return Result(PASS, {"value": "late"})

    steps = (a_step("it", timeout=timedelta(seconds=1)), a_cleanup("sweep"))
    stage = Stage(steps, {"it": [wakes_up_late], "sweep": [lasting(20, clock)]}, clock=clock)
    during = [lambda: None] * 65 + [lambda: late.append(True)]
    state = stage.run(during=during)
    assert late
    assert state.steps["it"].status is StepStatus.FAILED
    assert "it" not in state.outputs


# Fences and leaving


class Stolen:
    """A journal that somebody else appends to before a given write of ours."""

    def __init__(self, stage: Stage, before: int) -> None:
        self._kept = stage.kept
        self._clock = stage.clock
        self._left = before

    def __getattr__(self, name: str) -> object:
        return getattr(self._kept, name)

    def append(self, run, after, events, taken=0):
        self._left -= 1
        if self._left == 0:
            row = self._kept.find(run)
            taking = Stamped(self._clock.now(), RunTaken(an_owner(99), "other"))
            self._kept.append(run, row.seq, [taking])
        return self._kept.append(run, after, events, taken)


def test_who_loses_the_fence_stops_what_runs_and_does_nothing_more():
    clock = MovingClock()
    told: list[str] = []

    def goes_on(call, tools):
        call.cancel.on_cancel(lambda: told.append(call.cancel.reason))
        return lasting(500, clock)(call, tools)

    steps = (a_step("quick"), a_step("slow"), a_step("next", needs=("quick",)), a_cleanup("sweep"))
    stage = Stage(steps, {"slow": [goes_on]}, clock=clock)
    stage.journal = Stolen(stage, 1)
    with pytest.raises(FenceLost) as lost:
        stage.run()
    assert lost.value.exit_code is ExitCode.ALREADY_RUNNING
    assert told
    assert stage.done == ["quick", "slow"]
    assert stage.inbox.held == []
    assert isinstance(stage.events()[-1], RunTaken)


def test_two_that_take_over_one_run_and_only_one_of_them_starts_anything():
    stage = Stage((a_step("it", repeatable=True),))
    stage.journal = CutJournal(stage.kept, [(1, True)])
    with pytest.raises(PowerCut):
        stage.run()
    stage.journal = Stolen(stage, 1)
    with pytest.raises(FenceLost):
        stage.resume()
    assert stage.done == []


def test_who_comes_after_another_has_taken_a_run_over_leaves_its_children_alone():
    """It looked while the run's owner was dead; what it then reads says that somebody lives."""
    stage = Stage((a_step("it", repeatable=True),))
    stage.journal = CutJournal(stage.kept, [(1, True)])
    with pytest.raises(PowerCut):
        stage.run()
    stage.say(RunTaken(an_owner(99), "other"))
    engine = stage.engine()
    reaped: list[str] = []
    engine.bench.tools.commands.reap = reaped.append
    with pytest.raises(FenceLost):
        engine.resume(RUN, an_owner(2), "tester", gone=an_owner(1).token)
    assert (stage.done, reaped) == ([], [])
    assert isinstance(stage.events()[-1], RunTaken)


def test_a_run_that_may_not_begin_leaves_nothing_behind():
    stage = Stage((a_step("it"),))
    stage.run()
    other = Stage((a_step("it"),))
    other.kept = stage.kept

    def refuse(row):
        raise AlreadyRunning("it runs", "watch it")

    started = RunStarted(replace(other.plan, subject="stage"), an_owner(), "tester", "test")
    stage.kept.begin("open", [Stamped(stage.clock.now(), started)], lambda row: None)
    with pytest.raises(AlreadyRunning):
        other.engine().begin("another", started, refuse)
    assert other.done == []
    assert {r.run for r in stage.kept.rows()} == {RUN, "open"}


def test_leaving_keeps_what_came_through_and_the_rest_is_lost_not_failed():
    clock = MovingClock()
    steps = (a_step("through"), a_step("stopped", repeatable=True), a_cleanup("sweep"))
    stage = Stage(steps, {"stopped": [lasting(50, clock)]}, clock=clock)
    stage.actions.told = {
        "stopped": [lasting(50, clock)],
        "through": [
            lambda call, tools: Result(PASS) if call.cancel.cancelled else deaf(call, tools)
        ],
    }
    with pytest.raises(Interrupted) as left:
        stage.run(during=[lambda: None, lambda: stage.inbox.put(Leave("SIGTERM"))])
    assert left.value.exit_code is ExitCode.INTERRUPTED
    assert stage.statuses == {"through": "passed", "stopped": "running", "sweep": "waiting"}
    assert stage.resume().finished.outcome is Outcome.PASSED
    assert stage.done == ["through", "stopped", "stopped", "sweep"]


def test_a_result_that_came_with_the_wish_to_leave_is_kept():
    stage = Stage((a_step("it"), a_step("next", needs=("it",))))
    # Before the first wait nothing has been carried out; the wish lies in front of the result.
    with pytest.raises(Interrupted):
        stage.run(during=[lambda: stage.inbox.put(Leave("SIGTERM"))])
    assert stage.statuses == {"it": "passed", "next": "waiting"}
    assert stage.resume().finished.outcome is Outcome.PASSED
    assert stage.done == ["it", "next"]


# Secrets


def test_secrets_are_taken_out_of_everything_that_is_recorded():
    """Pain 21: no secret leaks into a journal."""
    result = Result(
        FAIL,
        {"text": f"key={SECRET}", SECRET: [{"deep": (SECRET, 1)}]},
        "scripted",
        f"said {SECRET}",
        f"not {SECRET}",
        (Finding("x.y", f"of {SECRET}", f"{SECRET}!", f"{SECRET}?"),),
    )
    steps = (
        a_step("crash", arguments={"key": SECRET}),
        a_step("known", arguments={"all": "{input}"}),
        a_question("ask", prompt=f"is {SECRET} right?"),
    )
    deeds = {"crash": [RuntimeError(f"bad key {SECRET}")], "known": [result]}
    stage = Stage(steps, deeds, inputs={"input": "x"}, secrets=OneSecret())
    # The plan itself is the configuration's matter: values never come into it.
    stage.run()
    told = [e for e in stage.events() if not isinstance(e, RunStarted)]
    assert any(isinstance(e, PersonAsked) for e in told)
    assert any(isinstance(e, AttemptStarted) and e.arguments for e in told)
    text = json.dumps([encode(e) for e in told])
    assert SECRET not in text
    assert text.count("***") >= 9
    # The action itself gets what it was given.
    assert stage.actions.arguments["crash"] == {"key": SECRET}


# What a drill must not touch


@pytest.mark.parametrize(("mode", "done"), [(Mode.DRILL, []), (Mode.LIVE, ["it"])])
def test_a_link_made_after_the_plan_leads_no_drill_to_what_is_protected(tmp_path, mode, done):
    (tmp_path / "srv").mkdir()
    (tmp_path / "work").symlink_to(tmp_path / "srv")
    configuration = Configuration(tmp_path, protected=Protected(paths=(tmp_path / "srv",)))
    stage = Stage(
        (a_step("it", arguments={"path": "work/x"}),), mode=mode, configuration=configuration
    )
    state = stage.run()
    assert stage.done == done
    assert (state.steps["it"].cause == "protected") == (mode is Mode.DRILL)


def test_a_path_that_leads_in_circles_breaks_the_attempt_and_not_the_run(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    configuration = Configuration(tmp_path, protected=Protected(paths=(tmp_path / "srv",)))
    steps = (a_step("it", arguments={"path": "a/x"}),)
    stage = Stage(steps, mode=Mode.DRILL, configuration=configuration)
    assert stage.run().finished is not None
    assert stage.statuses["it"] in {"failed", "passed"}


# Those who look on


class Gone:
    """Looks on until its output is gone."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.seen: list[object] = []

    def happened(self, state: object, event: object, at: Moment) -> None:
        self._write(event)

    def progress(self, step: str, progress: Progress) -> None:
        self._write(progress)

    def _write(self, what: object) -> None:
        if not self.left:
            raise BrokenPipeError
        self.left -= 1
        self.seen.append(what)


def tells(call, tools):
    call.progress(Progress(1))
    return Result(PASS)


@pytest.mark.parametrize("after", [0, 1, 2, 3, 99])
def test_a_closed_terminal_stops_no_run(after):
    gone, stays = Gone(after), Gone(999)
    stage = Stage((a_step("it"), a_cleanup("sweep")), {"it": [tells]}, watchers=(gone, stays))
    assert how_it_ended(stage.run()) == (Outcome.PASSED, ())
    assert len(gone.seen) == min(after, len(stays.seen))
    assert [type(e) for e in stays.seen[:4]] == [
        RunStarted,
        AttemptStarted,
        Progress,
        AttemptFinished,
    ]
