"""The report of a drill whose process was killed right after the drill's end is made up."""

import json
import os

import pytest

from drorch.app import drills
from drorch.app.runs import Control, Request, carry_out
from drorch.app.unwritten import BACK, PATIENCE, Unwritten, unwritten
from drorch.core.names import Mode
from tests.forked import run
from tests.integration.app import seeing
from tests.integration.app.house import House, RunningClock

RUNBOOK = """
runbook: move
steps:
  - {step: look, do: command, with: {argv: ["true"]}}
"""


class Lines:
    """What the daemon logs."""

    def __init__(self):
        self.said = []

    def info(self, event, message, **_):
        self.said.append((event, message))

    warning = info


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    made.clock = RunningClock(made.clock.now().at)
    (tmp_path / "runbooks" / "move.yaml").write_text(RUNBOOK)
    return made


@pytest.fixture
def drilled(house):
    """The program and the run: the drill has ended, and nobody wrote its report."""
    program = house.program()
    plan = drills.compile_plan(program, "move", Mode.DRILL, {})
    yield program, carry_out(program, plan, Request(), control=Control()).run
    program.journal.close()


def reports(house):
    return sorted(str(p.relative_to(house.folder)) for p in house.folder.glob("reports/*/report.*"))


def test_it_is_written_once_after_a_while_with_what_the_run_told(house, drilled):
    program, run = drilled
    log = Lines()
    round_ = Unwritten(program, log)
    round_.go()
    assert reports(house) == [], "who carried it may be writing it"
    house.clock.advance(PATIENCE)
    round_.go()
    assert reports(house) == [f"reports/{run}/report.{one}" for one in ("html", "json", "md")]
    assert [event for event, _ in log.said] == ["report.made-up"]
    written = json.loads((house.folder / "reports" / run / "report.json").read_text())
    assert (written["run"], written["outcome"]) == (run, "passed")
    (house.folder / "reports" / run / "report.json").unlink()
    round_.go()
    assert len(reports(house)) == 2, "one that is not whole is tried again, but not at once"
    assert [row.run for row in unwritten(program, house.clock.now().at)] == [run]


def test_one_that_was_removed_long_after_stays_away(house, drilled):
    program, _ = drilled
    house.clock.advance(BACK + PATIENCE)
    Unwritten(program, Lines()).go()
    assert reports(house) == []


def test_one_that_cannot_be_written_is_told_once_an_hour(house, drilled):
    program, _ = drilled
    (house.folder / "reports").write_text("in the way")
    house.clock.advance(PATIENCE)
    log = Lines()
    round_ = Unwritten(program, log)
    round_.go()
    round_.go()
    assert [event for event, _ in log.said] == ["report.unwritten"]


def test_a_drill_whose_report_cannot_be_written_is_told_all_the_same(house):
    (house.folder / "reports").write_text("in the way")
    house.program().journal.close()
    argv = ["--config", str(house.folder / "drorch.yaml"), "drill", "move"]
    code, out, errors = run(argv, dict(os.environ), house.folder, seeing.PATIENCE)
    assert code == 0, errors
    assert "drill move: passed" in out
    assert "report:" not in out
    assert f"warning: the report cannot be written to {house.folder}/reports/" in errors
    assert "then: drorch report run " in errors
    (house.folder / "reports").unlink()
    again = errors.split("then: drorch ")[1].split()
    code, _, errors = run([*argv[:2], *again], dict(os.environ), house.folder, seeing.PATIENCE)
    assert (code, len(reports(house))) == (0, 3), errors
