"""What the moving table shows of a run, and that it costs the same in any size of plan.

For pain 17: always say what is being waited on and since when.
"""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from drorch.cli.board import Board, Paused
from drorch.cli.drawing import Frame, drawn_board
from drorch.cli.live import Screen
from drorch.core.events import (
    AttemptLost,
    RunContinued,
    RunPaused,
    SkipRequested,
    StepSettled,
)
from drorch.core.moment import Moment
from drorch.core.names import Mode, OnFailure, Phase, RunKind, StepStatus, Verdict
from drorch.core.run import apply, opening
from drorch.core.runbook import Retry, Until
from drorch.ports import Progress
from tests.fakes import runs


class Boot:
    """A clock that stands where it is put, in seconds since the tale began."""

    def __init__(self) -> None:
        self.now = 0.0
        self.boot = "boot-1"
        self.skew = 0.0

    def __call__(self) -> Moment:
        at = runs.DAWN + timedelta(seconds=self.now)
        return Moment(at, self.boot, 5000.0 + self.skew + self.now)


@pytest.fixture
def clock():
    return Boot()


def shown_on(
    board: Board, tale: runs.Tale, clock: Boot | None = None, upto: int | None = None
) -> Board:
    """The board after the tale's first so many events, each seen when it happens; without a clock
    to move, all of them at once.
    """
    first, state = tale.events[0][0], None
    for at, event in tale.events[:upto]:
        if clock is not None:
            clock.now = at.ticks - first.ticks
        if state is None:
            state = opening(event, at)
        else:
            apply(state, event, at)
        board.happened(state, event, at)
    return board


def drawn(board: Board, width: int = 100, height: int = 24, **more) -> list[str]:
    return [line.plain for line in drawn_board(board, Frame(width, height, **more))]


def lines(board: Board, most: int = 50) -> dict:
    return {line.step: line for line in board.look(most).lines}


def test_a_running_step_shows_how_far_it_is_how_fast_and_how_long_still(clock):
    board = Board("ehr", clock=clock)
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
    board = Board("ehr", clock=clock)
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
    clock.now = 4.0
    (row,) = [row for row in drawn(board) if row.startswith("restore")]
    assert row.split() == [
        "restore",
        "retrying",
        "1/2",
        "2.0s",
        "again",
        "in",
        "3s:",
        "the",
        "line",
        "went",
        "dead",
    ]
    board.progress("restore", Progress(bytes_done=950))
    assert lines(board)["restore"].progress is None


def test_a_waiting_step_says_for_which_steps(clock):
    steps = [runs.step(n) for n in ("a", "b", "c", "d")]
    last = runs.step("last", needs=("a", "b", "c", "d"))
    tale = runs.Tale(runs.plan(*steps, last)).do(1, 2, "b")
    board = shown_on(Board("ehr", clock=clock), tale, clock)
    assert lines(board)["last"].waits_for == "for a, c, d"


def test_a_step_that_could_begin_says_what_keeps_it():
    many = [runs.step(n) for n in ("a", "b")]
    tale = runs.Tale(runs.plan(*many, runs.step("v", Phase.VERIFY), parallel=1)).start(1, "a")
    board = shown_on(Board("ehr"), tale)
    assert lines(board)["b"].waits_for == "for a free place"
    assert lines(board)["v"].waits_for == "after steps"
    shown_on(board, tale.tell(2, RunPaused("ann", "look first")))
    assert lines(board)["b"].waits_for == "until the run goes on"


def test_a_question_shows_who_is_asked_what_is_wanting_how_to_answer_and_until_when(clock):
    """pains 6."""
    step = runs.step("go", do="approve", person=True)
    tale = runs.Tale(runs.plan(step))
    within = timedelta(minutes=30)
    terms = {"quorum": 2, "within": within, "by": ("bob",), "groups": ("dr",)}
    tale.ask(1, "go", "approve", "Switch the clinics?", **terms).answer(5, "go", "bob")
    tale.state.run = "2026-11-23T03-00-00Z-ehr-7f3a"
    board = Board("ehr", clock=clock)
    clock.now = 61
    board.happened(tale.state, tale.events[-1][1], tale.events[-1][0])
    asked = "1 of 2 agreed; asks bob, group dr; until 22:30:01 (29m left): Switch the clinics?"
    for width in (60, 80, 120, 160):
        told = drawn(board, width=width, zone="America/Toronto")
        assert max(map(len, told)) <= width
        assert asked in " ".join(" ".join(told).split())
        assert told[-1] == "    answer: drorch run approve 7f3a go --reason TEXT"
        (row,) = [row for row in told if row.startswith("go ")]
        assert row.split()[1:3] == ["waiting-for-person", "1m"]


def test_a_question_that_asks_anybody_says_so(clock):
    board = shown_on(Board("ehr", clock=clock), runs.waiting_failover(), clock)
    line = lines(board)["go-ahead"]
    assert line.status is StepStatus.WAITING_FOR_PERSON
    told = " ".join(" ".join(drawn(board)).split())
    assert "Switch the clinics to Québec?" in told


def test_a_pause_shows_who_why_and_since_when_and_holds_deadlines_back(clock):
    step = runs.step("go", do="approve", person=True)
    tale = runs.Tale(runs.plan(step))
    tale.ask(0, "go", "approve", "Go?", within=timedelta(minutes=10))
    tale.tell(60, RunPaused("ann", "the network people look first"))
    board = shown_on(Board("ehr", clock=clock), tale, clock)
    clock.now = 180
    assert board.look(5).paused == Paused("ann", "the network people look first", 5060.0)
    told = drawn(board)
    assert told[1] == "PAUSED for 2m by ann: the network people look first"
    assert any("asks anybody; its deadline stands still: Go?" in row for row in told)
    shown_on(board, tale.tell(360, RunContinued("ann")), clock)
    assert board.look(5).paused is None
    assert any("until 03:15:00 (9m left): Go?" in row for row in drawn(board))


def test_a_check_that_is_repeated_says_how_often_it_passed_and_how_long_it_may(clock):
    until = Until(timedelta(seconds=60), timedelta(seconds=1), 3)
    tale = runs.Tale(runs.plan(runs.step("up", check=True, until=until)))
    tale.do(10, 11, "up").retry(11, "up", 1)
    board = shown_on(Board("ehr", clock=clock), tale, clock)
    clock.now = 11.5
    (row,) = [row for row in drawn(board) if row.startswith("up")]
    assert row.endswith("again in 0s, passed 1 of 3, for 58.5s more")


def test_what_failed_and_was_left_out_or_was_lost_and_settled_says_so(clock):
    steps = runs.step("left", on_failure=OnFailure.ASK), runs.step("lost")
    tale = runs.Tale(runs.plan(*steps)).do(1, 2, "left", verdict=Verdict.FAIL, message="no licence")
    tale.tell(3, SkipRequested("left", "ann", "by hand")).start(3, "lost")
    tale.tell(4, AttemptLost("lost", 1)).tell(5, StepSettled("lost", True, "ann", "I looked"))
    board = shown_on(Board("ehr", clock=clock), tale, clock)
    left, lost = drawn(board)[-2:]
    assert left.endswith("1.0s  left out by ann: by hand")
    assert lost.split() == ["lost", "passed"]


def test_who_looks_later_or_from_elsewhere_sees_the_same_times(clock):
    """`run watch`: the whole journal at once, a minute after the last event."""
    tale = runs.Tale(runs.plan(runs.step("a"), runs.step("b"))).do(10, 25, "a").start(30, "b")
    there, here = Board("ehr", clock=clock), Board("ehr", clock=clock)
    shown_on(there, tale, clock)
    clock.now = 90
    shown_on(here, tale)
    assert drawn(here) == drawn(there)
    assert here.look(5).running_for == pytest.approx(80)
    assert [row.split()[-1] for row in drawn(here)[-2:]] == ["15.0s", "1m"]


def test_of_another_boot_the_wall_clock_has_to_do(clock):
    tale = runs.Tale(runs.plan(runs.step("a"))).start(10, "a")
    clock.now, clock.boot, clock.skew = 100, "boot-2", -4000
    assert shown_on(Board("ehr", clock=clock), tale).look(5).running_for == pytest.approx(90)


def test_the_clock_runs_from_the_first_step_of_a_drill_until_cleanup(clock):
    board, tale = Board("ehr", clock=clock), runs.passed_drill()
    shown_on(board, tale, clock)
    shown = board.look(50)
    measured = shown.running_for
    clock.now += 1000
    assert board.look(50).running_for == measured
    assert shown.target == timedelta(hours=1)
    # The tale's own figure: from its first step to the last pass of verify.
    actual = runs.document_of(tale)["objectives"]["rto"]["actual_s"]
    assert measured == pytest.approx(actual, abs=0.1)


def test_a_declared_run_counts_from_its_declaration_a_drill_does_not(clock):
    live = runs.plan(runs.step("a"), kind=RunKind.FAILOVER, mode=Mode.LIVE)
    board = shown_on(Board("ehr", clock=clock), runs.Tale(live, declared=-30.0), clock)
    assert board.look(5).running_for == pytest.approx(30.0)
    drill = runs.Tale(runs.plan(runs.step("a")), declared=-30.0)
    assert shown_on(Board("ehr", clock=clock), drill, clock).look(5).running_for is None


def test_of_a_wide_plan_only_what_fits_is_shown_and_what_runs_is_always_there(clock):
    tale = runs.wide_drill(400)
    board = shown_on(Board("ehr", clock=clock), tale, clock, upto=len(tale.events) // 2)
    shown = board.look(20)
    assert len(shown.lines) <= 20
    assert shown.total == 400
    running = {s for s in lines(board, 500) if lines(board, 500)[s].status is StepStatus.RUNNING}
    assert running <= {line.step for line in shown.lines}
    order = [line.step for line in shown.lines]
    assert order == sorted(order)
    hidden = shown.hidden_over + shown.hidden_busy + shown.hidden_coming
    assert len(shown.lines) + hidden == 400
    told = drawn(board, height=20)
    assert len(told) == 20
    assert told[-1].startswith("not shown: ")


def test_skipped_and_failed_steps_say_why(clock):
    board = shown_on(Board("ehr", clock=clock), runs.passed_drill(), clock)
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
    tale = runs.Tale(runs.plan(runs.step("restore-documents"), runs.step("replicate-to-quebec")))
    tale.start(1, "restore-documents")
    board = shown_on(Board("ehr", clock=clock), tale, clock)
    board.progress("restore-documents", Progress(50 << 20, 200 << 20, 2314, 3001))
    wide, narrow, ascii_ = (
        next(row for row in drawn(board, width=w, bars=bars) if row.startswith("restore"))
        for w, bars in ((120, True), (70, True), (70, False))
    )
    assert "━━━━──────────── 2314 of 3001 files, 50.0 MiB of 200.0 MiB (25%)" in wide
    assert narrow.split()[:2] == ["restore-documents", "running"]
    assert narrow.endswith("━━────── 25%")
    assert ascii_.endswith("##------ 25%")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
@pytest.mark.parametrize("height", [4, 6, 10, 24])
def test_whatever_the_size_nothing_is_wider_or_higher_and_no_column_vanishes(width, height, clock):
    """A long message once took the clock's and the attempts' place."""
    steps = [
        runs.step(f"a-step-of-quite-a-long-name-{n:02}", retry=Retry(attempts=9)) for n in range(30)
    ]
    tale = runs.Tale(runs.plan(*steps))
    for n in range(3):
        tale.start(1, steps[n].id)
    tale.end(2, steps[0].id, Verdict.FAIL, message="the disk of the standby is full " * 9)
    tale.retry(2, steps[0].id, 30)
    board = shown_on(Board("a-title-that-is-long", clock=clock), tale, clock)
    told = drawn(board, width=width, height=height)
    assert max(map(len, told)) <= width
    assert len(told) <= height
    if width >= 60:
        titles = next(row for row in told if row.startswith("step"))
        assert titles.split() == ["step", "state", "try", "for"]


def test_a_terminal_that_changed_its_size_begins_on_an_empty_screen(clock):
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=90, height=24, _environ={})
    screen = Screen(console)
    shown_on(screen.board("ehr"), runs.passed_drill(), clock)
    console.print(screen)
    console.print(screen)
    assert "\x1b[2J" not in out.getvalue()
    console.size = console.size._replace(width=60)
    console.print(screen)
    assert out.getvalue().count("\x1b[2J\x1b[H") == 1


def test_a_backup_is_not_held_against_the_recovery_time(clock):
    board = shown_on(Board("backup", clock=clock), runs.backup_with_owed_copy(), clock)
    assert board.look(5).target is None
