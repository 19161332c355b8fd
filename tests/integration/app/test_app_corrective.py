"""Corrective actions: opened, moved, closed with proof; overdue ones are alarms; nothing is lost."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from drorch.app.corrective import Wanted, add, change, corrective_actions, find, listing
from drorch.app.quarters import quarter_values
from drorch.app.runs import Control
from drorch.core.alarms import RunEnded
from drorch.core.corrective import ChangeKind
from drorch.core.errors import ConfigurationError, UsageError
from drorch.core.events import FindingRecorded, RunFinished
from drorch.core.names import Outcome, RunKind
from drorch.core.quarter import Quarter
from drorch.core.quarter_findings import of_quarter
from drorch.core.values import Finding
from tests.integration.app.house import DAY, House

BEFORE, AFTER = "2000-01-01", "2999-12-31"
CONTROL = Control()


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture
def program(house):
    made = house.program()
    yield made
    made.journal.close()


def opened(program, title="Look again", due=AFTER, **more):
    action, seen = add(program, title, Wanted("anne", due, **more), control=CONTROL)
    assert action is not None
    assert seen.document["outcome"] == "passed"
    return action


def became(program, what, reason="because", **wanted):
    return change(program, "A1", what, reason, Wanted(**wanted), control=CONTROL)[0]


def failed(house, kind=RunKind.DRILL, name="ehr"):
    """A run that failed, with a finding and a remark."""
    told = [FindingRecorded(Finding(what, "ehr", "so")) for what in ("copy.owed", "plan.notice")]
    return ended(house, kind, name, Outcome.FAILED, also=told)


def ended(house, kind=RunKind.DRILL, name="ehr", outcome=Outcome.PASSED, also=()):
    """A run that came to this, as the engine records it."""
    run = f"{house.clock.now().at:%Y-%m-%dT%H-%M-%SZ}-{name}-{house.runs + 1:04x}"
    fact = RunEnded(kind.value, name, run, outcome is Outcome.PASSED, outcome.value)
    finished = RunFinished(outcome, facts=(fact,))
    assert house.record(kind=kind, name=name, ended=finished, also=also) == run
    return run


def test_an_action_is_opened_moved_closed_and_opened_again(program):
    assert opened(program).id == "A1"
    assert opened(program).id == "A2"
    assert became(program, ChangeKind.CHANGED, due="2999-01-01", owner="bob").owner == "bob"
    assert became(program, ChangeKind.CLOSED).status == "closed"
    with pytest.raises(UsageError, match="action A1 was closed by"):
        became(program, ChangeKind.CHANGED, owner="eve")
    whole = became(program, ChangeKind.REOPENED, "came back")
    assert (whole.status, whole.owner, whole.due) == ("open", "bob", "2999-01-01")
    assert [one.what.value for one in whole.changes] == ["changed", "closed", "reopened"]
    assert [one.id for one in corrective_actions(program)] == ["A1", "A2"]
    assert find(program, "a1") == whole
    kinds = {row.kind for row in program.journal.rows()}
    assert kinds == {RunKind.CORRECTIVE}


def test_everything_that_is_wrong_is_said_at_once(program):
    with pytest.raises(ConfigurationError) as caught:
        add(program, " ", Wanted("a\nb", "soon", "run"), finding="run/1", control=CONTROL)
    assert [problem.message for problem in caught.value.problems] == [
        "the title is empty",
        "the owner is more than one line of 200 characters",
        "'soon' is no day",
        "--finding names its run already",
    ]
    for day in ("2026-2-3", "20261231", "2026-02-30", "2026-12-31T00:00", ""):
        with pytest.raises(ConfigurationError, match="is no day"):
            opened(program, due=day)
    assert corrective_actions(program) == []


def test_an_overdue_action_is_an_alarm_until_it_is_closed_or_moved(house, program):
    with pytest.raises(ConfigurationError, match=f"{BEFORE} is over"):
        opened(program, due=BEFORE)
    opened(program, due=BEFORE, overdue=True)
    opened(program)
    house.record()
    assert ("action.overdue", "A1") in house.alarms()
    assert ("action.overdue", "A2") not in house.alarms()
    became(program, ChangeKind.CHANGED, due=AFTER)
    assert ("action.overdue", "A1") not in house.alarms()
    became(program, ChangeKind.CHANGED, due=BEFORE, overdue=True)
    assert ("action.overdue", "A1") in house.alarms()
    became(program, ChangeKind.CLOSED)
    assert ("action.overdue", "A1") not in house.alarms()


def test_a_run_that_proves_it_must_have_passed(house, program):
    opened(program)
    bad, good = failed(house), ended(house)
    with pytest.raises(UsageError, match=r"failed: it does not prove it"):
        became(program, ChangeKind.CLOSED, run=bad)
    with pytest.raises(UsageError, match=r"there is no run"):
        became(program, ChangeKind.CLOSED, run="nowhere")
    recorded = program.journal.rows(name="corrective-action")[0].run
    with pytest.raises(UsageError, match=r"is a corrective-action: it proves nothing"):
        became(program, ChangeKind.CLOSED, run=recorded)
    assert became(program, ChangeKind.CLOSED, run=good).closed_by_run == good


def test_a_finding_may_have_several_actions_and_one_without_is_listed(house, program):
    run = failed(house)
    (finding,) = listing(program, only_open=True)["findings"]
    assert finding["id"] == f"{run}/1"
    first, second = (
        add(program, "x", Wanted("anne", AFTER), finding=finding["id"], control=CONTROL)[0]
        for _ in range(2)
    )
    assert first.finding == second.finding == f"{run}/1"
    assert listing(program, only_open=True)["findings"] == []
    with pytest.raises(UsageError, match=r"has no finding 3: it has 2"):
        add(program, "x", Wanted("anne", AFTER), finding=f"{run}/3", control=CONTROL)
    with pytest.raises(UsageError, match=r"names no finding"):
        add(program, "x", Wanted("anne", AFTER), finding=run, control=CONTROL)


def test_what_a_quarter_adds_up_to_is_taken_up_and_stays_so_in_the_next(house, program):
    ended(house, RunKind.BACKUP, "docs")
    first = Quarter.of(house.clock.now().at, ZoneInfo("UTC"))
    lasting = "dataset.never-restored/docs"
    action = opened(program, title="x")
    assert taken_up(program, first)[lasting] == (None, False)
    with pytest.raises(UsageError, match=f"the report of {first} has no finding"):
        add(program, "y", Wanted("anne", AFTER), finding=f"{first}/{lasting}2", control=CONTROL)
    with pytest.raises(UsageError, match="2099Q1 has not begun"):
        add(program, "y", Wanted("anne", AFTER), finding=f"2099Q1/{lasting}", control=CONTROL)
    made = add(program, "y", Wanted("anne", AFTER), finding=f"{first}/{lasting}", control=CONTROL)
    assert made[0] is not None
    assert made[0].finding == f"{first}/{lasting}"
    house.clock.advance(timedelta(minutes=1))
    assert taken_up(program, first)[lasting] == ("A2", False)
    house.clock.advance(timedelta(days=95))
    assert taken_up(program, first.moved(1))[lasting] == ("A2", False)
    change(program, "A2", ChangeKind.CLOSED, "done", Wanted(), control=CONTROL)
    house.clock.advance(timedelta(minutes=1))
    assert taken_up(program, first.moved(1))[lasting] == (None, False), "it is there again"
    assert action.finding == ""


def taken_up(program, quarter):
    """What the quarter adds up to: by which action each finding is taken up, and whether it is done."""
    found = quarter_values(program, quarter).findings
    told = {of_quarter(one.id): (one.action, one.closed) for one in found}
    return {same[1]: action for same, action in told.items() if same}


def test_findings_of_older_exercises_and_of_other_work_are_not_listed(house, program):
    failed(house)
    failed(house, RunKind.BACKUP, "docs")
    house.clock.advance(DAY)
    ended(house)
    assert listing(program, only_open=False)["findings"] == []


@pytest.mark.parametrize("processes", [4])
def test_processes_that_add_at_once_never_share_an_id(house, program, processes):
    program.journal.close()
    line = [
        sys.executable, "-m", "drorch", "--config", "drorch.yaml", "action", "add", "x",
        "--owner", "anne", "--due", AFTER, "--json",
    ]  # fmt: skip
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[3])}
    started = [
        subprocess.Popen(line, cwd=house.folder, stdout=subprocess.PIPE, env=environment)
        for _ in range(processes)
    ]
    ids = [json.loads(one.communicate(timeout=120)[0])["action"] for one in started]
    assert sorted(ids) == [f"A{number}" for number in range(1, processes + 1)]


def test_an_alarm_says_since_when(house, program):
    house.settings["timezone"] = "America/Toronto"
    day = (program.clock.now().at - timedelta(days=3)).date().isoformat()
    opened(program, due=day, overdue=True)
    (alarm,) = [a for a in house.status()["alarms"] if a["what"] == "action.overdue"]
    assert alarm["since"][:10] > day
    assert alarm["message"] == f"action A1 was due on {day}: Look again; anne is to see to it"
