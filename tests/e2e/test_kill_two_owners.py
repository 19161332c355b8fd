"""Two processes that both want one run: one carries it, the other has done nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.carried import PATIENCE, QUIETLY, SOURCE, Carried, ended_right


def killed_in_the_middle(carried: Carried) -> str:
    """A run whose process was killed after something had happened."""
    process = carried.start(*QUIETLY, "drill", "campaign", "--json")
    until = time.monotonic() + PATIENCE
    while not (carried.folder / "effects.log").read_text():
        assert time.monotonic() < until
        time.sleep(0.005)
    assert carried.kill_after(process, 0.0, of_the_run=False)
    run = carried.newest()
    carried.wait_until_alone(carried.seen(run).state.owner.token)
    return run


def rival(carried: Carried, run: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.rival", str(carried.folder / "drorch.yaml"), run],
        cwd=SOURCE,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_of_two_that_take_over_a_run_one_loses_the_fence_having_done_nothing(
    tmp_path: Path,
) -> None:
    carried = Carried.prepared(tmp_path)
    run = killed_in_the_middle(carried)
    carried.settle_what_is_unknown(run)
    rivals = [rival(carried, run), rival(carried, run)]
    for process in rivals:
        assert process.stdout is not None
        assert process.stdout.readline() == "looked\n"
    # Both have read the journal and believe that the run is theirs.
    said = {}
    for process in rivals:
        assert process.stdin is not None
        process.stdin.write("go on\n")
        process.stdin.flush()
    for process in rivals:
        _, errors = process.communicate(timeout=PATIENCE)
        said[process.returncode] = errors
    assert sorted(said) == [0, 4], said
    assert said[4].startswith("error: ")
    assert "\nhint: " in said[4]
    assert len(carried.seen(run).state.takings) == 1
    ended_right(carried, run)


def test_a_run_that_is_carried_is_neither_taken_over_nor_begun_again(tmp_path: Path) -> None:
    carried = Carried.prepared(tmp_path)
    owner = carried.start("--progress", "json", "drill", "campaign", "--json")
    assert owner.stderr is not None
    owner.stderr.readline()
    os.kill(owner.pid, signal.SIGSTOP)  # it lives, and will still live when the others look
    try:
        run = carried.newest()
        before = carried.effects(run)
        for line in (("drill", "campaign"), ("run", "resume", run)):
            code, errors = carried.finish(carried.start(*QUIETLY, *line))
            assert code == 4, errors
            assert f"run {run}" in errors
            assert "hint: " in errors
        assert len(carried.seen(run).state.takings) == 0
        assert carried.effects(run)[: len(before)] == before
    finally:
        os.kill(owner.pid, signal.SIGCONT)
    assert carried.finish(owner)[0] == 0
    assert carried.count() == 1
    ended_right(carried, run)
