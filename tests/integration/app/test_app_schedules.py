"""What happens by itself and what became of slots, as an operator sees it."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from drorch.app.program import Program
from drorch.app.schedules import jobs, names, slots
from drorch.core.errors import UsageError
from drorch.core.events import JobsSeen, SlotsMissed, SlotTaken
from tests.fakes.clock import START, FakeClock
from tests.fakes.facts import finished, stamped, started

CONFIGURATION = """
timezone: America/Toronto
secrets: {key: {env: KEY}}
regions:
  mtl: {endpoint: "http://127.0.0.1:9", bucket: drorch, jurisdiction: CA-QC}
datasets:
  docs:
    password: key
    primary: mtl
    paths: [/srv/docs]
    schedule: daily at 02:00
    verify: {check: 30d}
"""

BACKUP = "backup:docs"


@pytest.fixture
def program(tmp_path):
    """Two days on: the daemon was away for one of them."""
    (tmp_path / "drorch.yaml").write_text(CONFIGURATION)
    made = Program.open(tmp_path / "drorch.yaml", {})
    made.clock = FakeClock()  # 22:00 of the day before, in Montréal
    day = timedelta(days=1)
    due = START + timedelta(hours=4)
    gap = SlotsMissed(BACKUP, due - 3 * day, due - 2 * day, 2, "no daemon was running")
    late = SlotTaken(BACKUP, due - day, late=True, why="no daemon was running")
    with made.journal as journal:
        seen = JobsSeen((BACKUP, "check:docs"), START - 4 * day)
        journal.begin("first", stamped(started(), seen, finished()), lambda row: None)
        journal.begin("second", stamped(started(), gap, late, finished()), lambda row: None)
        yield made


def test_jobs_say_when_they_are_due_and_what_became_of_the_last_slot(program):
    backup, check, report = jobs(program)
    assert (backup["job"], backup["schedule"]) == (BACKUP, "daily at 02:00")
    assert backup["next_at"] == "2026-11-23T07:00:00Z"
    assert "2026-11-23T07:00:00Z" < backup["starts_at"] < "2026-11-23T07:10:00Z"
    assert backup["accounted_at"] == "2026-11-22T07:00:00Z"
    assert backup["last"]["fate"] == "late"
    assert (check["accounted_at"], check["last"]) == ("2026-11-19T03:00:00Z", None)
    assert (report["job"], report["next_at"]) == ("report:quarter", "2027-01-05T11:00:00Z")
    assert names(program) == [BACKUP, "check:docs", "report:quarter"]


def test_slots_are_listed_by_job_and_time(program):
    late, gap = slots(program, job=None, since=None, limit=20)
    assert gap == {
        "job": BACKUP,
        "due_at": "2026-11-20T07:00:00Z",
        "until": "2026-11-21T07:00:00Z",
        "count": 2,
        "fate": "missed",
        "why": "no daemon was running",
        "run": "second",
    }
    assert (late["fate"], late["count"]) == ("late", 1)
    assert slots(program, job=BACKUP, since=START - timedelta(days=1), limit=20) == [late]
    assert slots(program, job="check:docs", since=None, limit=20) == []
    with pytest.raises(UsageError) as caught:
        slots(program, job="backup:dosc", since=None, limit=20)
    assert caught.value.hint == "did you mean 'backup:docs'?"


def said(program, *words):
    line = [sys.executable, "-m", "drorch", "--config", str(program.configuration.file)]
    return subprocess.run([*line, *words], capture_output=True, text=True, check=False)


def test_the_command_line_shows_both(program):
    shown = said(program, "schedule", "slots").stdout.splitlines()
    assert [" ".join(line.split()) for line in shown] == [
        "job due until slots fate why run",
        "backup:docs 2026-11-22 02:00:00 - 1 late no daemon was running second",
        "backup:docs 2026-11-20 02:00:00 2026-11-21 02:00:00 2 missed no daemon was running second",
    ]
    listed = said(program, "schedule", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["job", BACKUP, "check:docs", "report:quarter"]
    assert listed[1].endswith("2026-11-22 02:00:00  late")
    limited = said(program, "schedule", "slots", "--limit", "1", "--json")
    assert [one["fate"] for one in json.loads(limited.stdout)] == ["late"]
    since = said(program, "schedule", "slots", "--since", "2026-11-22", "--job", BACKUP)
    assert (since.returncode, since.stdout) == (2, "")
    assert "error: '2026-11-22' is not a time" in since.stderr
