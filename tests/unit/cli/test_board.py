"""What the moving table shows of a run, and that it costs the same in any size of plan."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from drorch.cli.board import Board
from drorch.cli.live import Screen
from drorch.core.names import Phase, StepStatus, Verdict
from drorch.core.run import apply, opening
from drorch.core.runbook import Retry
from drorch.ports import Progress
from tests.fakes import runs


class Seconds:
    """A monotonic clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Seconds()


def shown_on(board: Board, tale: runs.Tale, clock: Seconds, upto: int | None = None) -> Board:
    """The board after the tale's first so many events, its clock moved along."""
    first, start = tale.events[0][0], clock.now
    state = None
    for at, event in tale.events[:upto]:
        clock.now = start + at.ticks - first.ticks
        if state is None:
            state = opening(event, at)
        else:
            apply(state, event, at)
        board.happened(state, event, at)
    return board


def lines(board: Board, most: int = 50) -> dict:
    return {line.step: line for line in board.look(most).lines}


def test_a_running_step_shows_how_far_it_is_how_fast_and_how_long_still(clock):
    board = Board("ehr", monotonic=clock)
    tale = runs.Tale(runs.plan(runs.step("restore"))).start(1, "restore")
    shown_on(board, tale, clock)
    board.progress("restore", Progress(bytes_done=0, bytes_total=1000))
    clock.now += 2
    board.progress("restore", Progress(bytes_done=200, bytes_total=1000))
    line = lines(board)["restore"]
    assert line.status is StepStatus.RUNNING
    assert line.rate == 100
    assert line.remaining == 8


def test_progress_of_an_attempt_that_is_over_is_forgotten(clock):
    board = Board("ehr", monotonic=clock)
    tale = runs.Tale(runs.plan(runs.step("restore", retry=Retry(attempts=2))))
    tale.start(1, "restore")
    shown_on(board, tale, clock)
    board.progress("restore", Progress(bytes_done=900, bytes_total=1000))
    tale.end(2, "restore", Verdict.FAIL, message="the line went dead").retry(2, "restore", 5)
    state = tale.state
    at, event = tale.events[-1]
    board.happened(state, event, at)
    line = lines(board)["restore"]
    assert line.status is StepStatus.RETRYING
    assert line.progress is None
    assert line.waits_for == "again in 5s, the line went dead"
    board.progress("restore", Progress(bytes_done=950))
    assert lines(board)["restore"].progress is None


def test_a_waiting_step_says_for_which_steps(clock):
    steps = [runs.step(n) for n in ("a", "b", "c", "d")]
    last = runs.step("last", needs=("a", "b", "c", "d"))
    tale = runs.Tale(runs.plan(*steps, last)).do(1, 2, "b")
    board = shown_on(Board("ehr", monotonic=clock), tale, clock)
    assert lines(board)["last"].waits_for == "for a, c, d"


def test_a_question_shows_what_a_person_is_asked(clock):
    board = shown_on(Board("ehr", monotonic=clock), runs.waiting_failover(), clock)
    line = lines(board)["go-ahead"]
    assert line.status is StepStatus.WAITING_FOR_PERSON
    assert line.waits_for == "a person: Switch the clinics to Québec?"


def test_the_clock_runs_from_the_first_step_of_a_drill_until_cleanup(clock):
    board, tale = Board("ehr", monotonic=clock), runs.passed_drill()
    shown_on(board, tale, clock)
    shown = board.look(50)
    measured = shown.running_for
    clock.now += 1000
    assert board.look(50).running_for == measured
    assert shown.target == timedelta(hours=1)
    # The tale's own figure: from its first step to the last pass of verify.
    actual = runs.document_of(tale)["objectives"]["rto"]["actual_s"]
    assert measured == pytest.approx(actual, abs=0.1)


def test_a_declared_run_counts_from_its_declaration(clock):
    tale = runs.Tale(runs.plan(runs.step("a")), declared=-30.0)
    board = shown_on(Board("ehr", monotonic=clock), tale, clock)
    assert board.look(5).running_for == pytest.approx(30.0)


def test_of_a_wide_plan_only_what_fits_is_shown_and_what_runs_is_always_there(clock):
    tale = runs.wide_drill(400)
    board = shown_on(Board("ehr", monotonic=clock), tale, clock, upto=len(tale.events) // 2)
    shown = board.look(20)
    assert len(shown.lines) <= 20
    assert shown.total == 400
    running = {s for s in lines(board, 500) if lines(board, 500)[s].status is StepStatus.RUNNING}
    assert running <= {line.step for line in shown.lines}
    order = [line.step for line in shown.lines]
    assert order == sorted(order)


def test_skipped_and_failed_steps_say_why(clock):
    board = shown_on(Board("ehr", monotonic=clock), runs.passed_drill(), clock)
    line = lines(board)["go-ahead"]
    assert (line.status, line.phase) == (StepStatus.SKIPPED, Phase.STEPS)
    assert line.waits_for == runs.LIVE_ONLY


@pytest.mark.parametrize("height", [8, 24, 60])
@pytest.mark.parametrize(
    "tale", [runs.passed_drill, runs.failed_drill, runs.waiting_failover], ids=lambda t: t.__name__
)
def test_the_screen_is_never_higher_than_the_terminal(tale, height, clock):
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=90, height=height, _environ={})
    screen = Screen(console)
    shown_on(screen.board("ehr-failover"), tale(), clock)
    screen.board("not begun yet")
    screen.note = "stopping"
    console.print(screen)
    drawn = out.getvalue()
    assert "ehr-failover" in drawn
    assert "is about to begin" in drawn
    assert "stopping" in drawn
    assert drawn.count("\n") <= max(height, 12)


def test_names_with_brackets_are_shown_as_they_are(clock):
    out = io.StringIO()
    console = Console(file=out, width=90, height=24, _environ={})
    screen = Screen(console)
    tale = runs.Tale(runs.plan(runs.step("a"))).do(
        1, 2, "a", verdict=Verdict.FAIL, message="[red]no[/red]"
    )
    shown_on(screen.board("ehr"), tale, clock)
    console.print(screen)
    assert "[red]no[/red]" in out.getvalue()


def test_what_is_told_of_progress_does_not_squeeze_the_steps(clock):
    out = io.StringIO()
    screen = Screen(Console(file=out, width=70, height=24, _environ={}))
    tale = runs.Tale(runs.plan(runs.step("restore-documents"), runs.step("replicate-to-quebec")))
    tale.start(1, "restore-documents")
    board = shown_on(screen.board("ehr"), tale, clock)
    board.progress("restore-documents", Progress(10 << 20, 200 << 20, 2314, 3001))
    Console(file=out, width=70, height=24, _environ={}).print(screen)
    (line,) = [row for row in out.getvalue().splitlines() if "2314 of 3001" in row]
    assert "restore-documents" in line
    assert "running" in line
    assert "replicate-to-quebec" in out.getvalue()


def test_a_backup_is_not_held_against_the_recovery_time(clock):
    board = shown_on(Board("backup", monotonic=clock), runs.backup_with_owed_copy(), clock)
    assert board.look(5).target is None
