"""Runs in words: what narrators tell while they happen, and summaries once they have.

After a wanted change: DRORCH_WRITE_GOLDEN=1 pytest tests/unit/cli
"""

import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drorch.cli.complaint import complaint
from drorch.cli.narrating import JsonLines, Narrator
from drorch.cli.session import Session
from drorch.cli.summary import summary
from drorch.core.events import ConfigurationTaken, JobsSeen, SlotsMissed, SlotTaken
from drorch.core.names import Phase, Verdict
from drorch.core.run import apply, opening
from drorch.core.sentences import sentence
from tests.fakes import runs

GOLDEN = Path(__file__).parent / "golden"

TALES = {
    "passed-drill": runs.passed_drill,
    "failed-drill": runs.failed_drill,
    "aborted-drill": runs.aborted_drill,
    "taken-over-failover": runs.taken_over_failover,
    "late-drill": runs.late_drill,
    "backup-with-owed-copy": runs.backup_with_owed_copy,
    "waiting-failover": runs.waiting_failover,
}


def watch(tale: runs.Tale, watcher) -> None:
    """Let a watcher look on as the tale is folded, as an engine would."""
    state = None
    for at, event in tale.events:
        if state is None:
            state = opening(event, at)
        else:
            apply(state, event, at)
        watcher.happened(state, event, at)


def golden(name: str, text: str) -> str:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("DRORCH_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TALES)
def test_a_run_is_told_line_by_line_and_then_summed_up(name, capsys):
    tale = TALES[name]()
    watch(tale, Narrator(Session(), "America/Toronto", run="RUN"))
    told = capsys.readouterr().out
    text = told + "\n" + "\n".join(summary(runs.document_of(tale), "America/Toronto")) + "\n"
    assert text == golden(name, text)


@pytest.mark.parametrize("name", TALES)
def test_every_event_is_one_json_line(name):
    tale = TALES[name]()
    out = io.StringIO()
    watch(tale, JsonLines(Session(), out, "RUN"))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(lines) == len(tale.events)
    assert all(line["run"] == "RUN" and line["at"].endswith("Z") for line in lines)
    assert lines[0]["event"] == "run.started"


COMPLAINTS = {
    "failed-drill": (
        (
            "drill ehr-failover failed at patients-are-all-there: "
            "3,981 patients were found, the snapshot's manifest says 4,000"
        ),
        "compare with the dump of 02:58; do not switch to this copy",
    ),
    "aborted-drill": (
        "drill ehr-failover aborted by m.tremblay: the real site is back",
        "`drorch run show 2026-11-23T03-00-00Z-ehr-failover-7f3a` tells what was done",
    ),
}


@pytest.mark.parametrize("name", TALES)
def test_a_run_that_did_not_pass_complains_once_of_what_decided_it(name):
    found = complaint(runs.document_of(TALES[name]()))
    assert (found and (found.message, found.hint)) == COMPLAINTS.get(name)


def test_a_run_with_several_failures_names_the_first_and_counts_the_rest():
    checks = [runs.step(name, phase=Phase.PRECONDITIONS, check=True) for name in ("one", "two")]
    tale = runs.Tale(runs.plan(*checks))
    tale.do(0, 1, "one", verdict=Verdict.FAIL, message="no answer")
    tale.do(0, 2, "two", verdict=Verdict.FAIL, message="no room")
    document = runs.document_of(tale.finish(3))
    found = complaint(document)
    assert found is not None
    assert found.message == "drill ehr-failover aborted at one: no answer (and 1 more)"
    assert found.hint.startswith("`drorch run show ")
    told = "\n".join(summary(document, "UTC", besides="one"))
    assert "two failed: no room" in told
    assert "one failed" not in told


def test_what_a_step_says_cannot_move_the_cursor_or_break_the_line(capsys):
    tale = runs.Tale(runs.plan(runs.step("one")))
    said = "red \x1b[31malert\x07\nsecond line\r\n"
    tale.do(1, 2, "one", verdict=Verdict.FAIL, message=said)
    watch(tale, Narrator(Session(), "UTC"))
    told = capsys.readouterr().out
    assert "red [31malert | second line" in told
    assert "\x1b" not in told
    assert "\x07" not in told


SLOT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "told", "shown"),
    [
        (
            SlotTaken("backup:ehr-documents", SLOT),
            "backup:ehr-documents was due at 2026-11-23 08:00:00 UTC",
            "  slot: backup:ehr-documents at 2026-11-23 03:00:00",
        ),
        (
            SlotTaken("drill:ehr", SLOT, late=True, why="the daemon was\nbusy"),
            "drill:ehr was due at 2026-11-23 08:00:00 UTC, late: the daemon was | busy",
            "  slot: drill:ehr at 2026-11-23 03:00:00, began late: the daemon was | busy",
        ),
        (
            SlotsMissed("check:ehr-db", SLOT, SLOT, 1, "no daemon was there"),
            "1 slot of check:ehr-db missed, 2026-11-23 08:00:00 UTC: no daemon was there",
            "  missed: 1 slot of check:ehr-db, 2026-11-23 03:00:00: no daemon was there",
        ),
        (
            SlotsMissed("check:ehr-db", SLOT, SLOT + timedelta(days=2), 3, "no daemon was there"),
            "3 slots of check:ehr-db missed, 2026-11-23 08:00:00 UTC to 2026-11-25 08:00:00 UTC: no daemon was there",
            "  missed: 3 slots of check:ehr-db, 2026-11-23 03:00:00 to 2026-11-25 03:00:00: no daemon was there",
        ),
        (
            JobsSeen(("readiness", "drill:ehr"), SLOT),
            "2 jobs to be done from 2026-11-23 08:00:00 UTC on: readiness, drill:ehr",
            "  from 2026-11-23 03:00:00 on: readiness, drill:ehr",
        ),
        (
            JobsSeen(tuple("abcdefgh"), SLOT),
            "8 jobs to be done from 2026-11-23 08:00:00 UTC on: a, b, c, d, e, f and 2 more",
            "  from 2026-11-23 03:00:00 on: a, b, c, d, e, f and 2 more",
        ),
        (
            ConfigurationTaken("/etc/drorch/drorch.yaml", "ab" * 32, "SIGHUP"),
            "configuration /etc/drorch/drorch.yaml taken over: SIGHUP",
            "  configuration: /etc/drorch/drorch.yaml (sha256:abababab): SIGHUP",
        ),
    ],
)  # fmt: skip
def test_what_a_start_records_of_schedules_is_told(event, told, shown):
    tale = runs.passed_drill()
    tale.tell(18.0, event)
    assert sentence(tale.state, event) == told
    assert shown in summary(runs.document_of(tale), "America/Toronto")
