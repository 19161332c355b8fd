"""A run whose process cannot be seen from here: left alone, until somebody says that it is gone."""

from dataclasses import replace
from pathlib import Path

import pytest

from drorch.app.drills import compile_plan
from drorch.core.events import AttemptStarted, Owner, RunStarted, Stamped
from drorch.core.names import Mode, Outcome, RunKind
from tests.e2e.carried import QUIETLY, Carried, ended_right

RUN = "2026-11-23T03-00-00Z-campaign-7f3a"
ELSEWHERE = Owner("another-host", 4711, 123456, "another-boot", "root", "t0k3n", "0.1.0")


@pytest.fixture
def carried(tmp_path: Path) -> Carried:
    """A drill that a process on another host has begun."""
    carried = Carried.prepared(tmp_path)
    program = carried.program()
    plan = compile_plan(program, "campaign", Mode.DRILL, {})
    assert plan.kind is RunKind.DRILL
    now = program.clock.now()
    begun = [
        Stamped(now, RunStarted(plan, ELSEWHERE, "m.tremblay", "operator")),
        Stamped(now, AttemptStarted("place-is-there", 1)),
    ]
    with program.journal as journal:
        journal.begin(RUN, begun, lambda row: None)
    return carried


def test_it_is_taken_over_only_on_a_persons_word_which_is_recorded(carried: Carried) -> None:
    for line in (("drill", "campaign"), ("run", "resume", RUN)):
        code, errors = carried.finish(carried.start(*QUIETLY, *line))
        assert code == 4
        assert "process 4711 on another-host" in errors
        assert f"drorch run resume {RUN} --gone" in errors
    assert carried.finish(carried.start(*QUIETLY, "run", "resume", RUN, "--gone")) == (0, "")
    seen = carried.seen(RUN)
    (taken,) = seen.document["taken_over"]
    assert taken["on_word"]
    (said,) = [f for f in seen.document["findings"] if f["what"] == "run.taken-over"]
    assert said["message"].endswith(
        "saying that the process that carried the run, elsewhere, was gone"
    )
    ended_right(carried, RUN)


@pytest.fixture
def carried_here(tmp_path: Path) -> Carried:
    """A drill that a process on this host carries, which is seen to live: it is ours."""
    folder = tmp_path / "here"
    folder.mkdir()
    carried = Carried.prepared(folder)
    program = carried.program()
    plan = compile_plan(program, "campaign", Mode.DRILL, {})
    ours = replace(program.owner, token="of-this-test")
    started = RunStarted(plan, ours, "m.tremblay", "operator")
    with program.journal as journal:
        journal.begin(RUN, [Stamped(program.clock.now(), started)], lambda row: None)
    return carried


def test_ending_it_waits_for_its_process_unless_that_is_said_to_be_gone(
    carried: Carried, carried_here: Carried
) -> None:
    """And on nobody's word for one that is seen to live. Both are waited for at once."""
    told = carried.start(*QUIETLY, "run", "abort", RUN)
    told_here = carried_here.start(*QUIETLY, "run", "abort", RUN, "--gone")
    for one, process in ((carried, told), (carried_here, told_here)):
        assert one.finish(process) == (0, "")
        assert one.seen(RUN).state.finished is None
    assert carried.finish(carried.start(*QUIETLY, "run", "abort", RUN, "--gone")) == (0, "")
    finished = carried.seen(RUN).state.finished
    assert finished is not None
    assert finished.outcome is Outcome.ABORTED


def test_a_process_that_is_seen_to_live_is_taken_for_gone_on_nobodys_word(
    carried_here: Carried,
) -> None:
    line = carried_here.start(*QUIETLY, "run", "resume", RUN, "--gone")
    code, errors = carried_here.finish(line)
    assert (code, "--gone" in errors) == (4, False)
