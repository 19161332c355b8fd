"""The wall clock is set while real processes carry a run, one killed and the next going on."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from drorch.app.reports import run_report
from drorch.core.names import StepStatus
from drorch.core.state import RunFold
from drorch.reports.run import ReportFormat
from tests.agreeing import figures_agree
from tests.e2e.carried import PATIENCE, QUIETLY, SOURCE, Carried

#: Each step goes on until it is let go.
HOLD = """\
#!/bin/sh
while ! test -e "let-go-$DRORCH_STEP"; do sleep 0.02; done
"""

RUNBOOK = """\
runbook: lies
objectives: {rto: 10m}
steps:
  - {step: one, do: command, with: {argv: [./hold]}, timeout: 5m}
  - {step: two, do: command, with: {argv: [./hold]}}
  - {step: three, do: command, with: {argv: [./hold]}, repeatable: true}
"""


@dataclass
class Machine:
    """A place where the wall clock is what it was set to."""

    carried: Carried

    def is_set(self, seconds: float) -> None:
        # Whole or not at all: somebody reads it all the time.
        new = self.carried.folder / "clock.new"
        new.write_text(str(seconds))
        new.replace(self.carried.folder / "clock")

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        folder = self.carried.folder
        program = [sys.executable, "-m", "tests.e2e.lying", str(folder / "clock")]
        return subprocess.Popen(
            [*program, "--config", str(folder / "drorch.yaml"), *words, *QUIETLY],
            cwd=SOURCE,
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def until(self, wanted: Callable[[RunFold], bool]) -> str:
        """Wait for the run to stand so; its id."""
        until = time.monotonic() + PATIENCE
        while not (self.carried.count() and wanted(self.carried.seen(self.newest()).state)):
            assert time.monotonic() < until
        return self.newest()

    def newest(self) -> str:
        return self.carried.newest()

    def let_go(self, step: str) -> None:
        (self.carried.folder / f"let-go-{step}").touch()


def under_way(step: str) -> Callable[[RunFold], bool]:
    return lambda state: state.steps[step].status is StepStatus.RUNNING


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    carried = Carried.prepared(tmp_path)
    (tmp_path / "runbooks" / "lies.yaml").write_text(RUNBOOK)
    (tmp_path / "hold").write_text(HOLD)
    (tmp_path / "hold").chmod(0o755)
    machine = Machine(carried)
    machine.is_set(0)
    return machine


def test_durations_hold_and_the_report_says_when_the_wall_clock_was_set_and_by_how_much(
    machine: Machine,
) -> None:
    begun = time.monotonic()
    with machine.start("drill", "lies") as owner:
        run = machine.until(under_way("one"))
        machine.is_set(3600)
        machine.let_go("one")
        machine.until(under_way("two"))
        machine.is_set(-3600)
        machine.let_go("two")
        machine.until(under_way("three"))
        owner.kill()
    machine.is_set(600)
    with machine.start("run", "resume", run) as owner:
        machine.let_go("three")
        assert owner.wait(PATIENCE) == 0
    lasted = time.monotonic() - begun

    document = machine.carried.seen(run).document
    figures_agree(document)
    moved = [step["by_s"] for step in document["clock_moved"]]
    assert moved == pytest.approx([3600, -7200, 4200], abs=0.1)
    assert 0 < document["elapsed_s"] <= lasted
    assert document["objectives"]["rto"]["met"]
    program = machine.carried.program()
    with program.journal:
        text = run_report(program, run, ReportFormat.MARKDOWN).decode()
    for words in ("set forward by 1h at", "set back by 2h at", "set forward by 1h 10m at"):
        assert words in text
