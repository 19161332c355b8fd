"""The log: plain and JSON lines, the journal's priorities, secrets, libraries; runs told in it.

After a wanted change: DRORCH_WRITE_GOLDEN=1 pytest tests/unit/adapters/test_logs.py
"""

import io
import json
import logging
import os
import re
import socket
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drorch.adapters.logs import is_journal, open_log
from drorch.adapters.run_logs import INTERVAL, RunLog
from drorch.core.run import apply, opening
from drorch.ports import Progress
from tests.fakes import runs

GOLDEN = Path(__file__).parent / "golden"


def starred(text: str) -> str:
    return text.replace("s3cret-value", "***")


@contextmanager
def opened(form, stream=None, **more):
    out = io.StringIO() if stream is None else stream
    log = open_log(form, starred, stream=out, environment=more.get("environment", {}))
    try:
        yield log, out
    finally:
        log.close()


def test_a_json_line_is_one_object():
    with opened("json") as (log, out):
        log.info("daemon.started", "12 jobs\nare scheduled", jobs=12, quick=True, nothing=None)
        at = datetime(2026, 11, 26, 5, 0, tzinfo=UTC)
        log.warning("slot.late", "late", due_at=at, late_s=timedelta(seconds=1.5))
        log.error("journal.lost", "gone", time="never", level="quiet")
    first, second, third = map(json.loads, out.getvalue().splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", first.pop("time"))
    assert first == {
        "level": "info",
        "event": "daemon.started",
        "message": "12 jobs\nare scheduled",
        "jobs": 12,
        "quick": True,
    }
    assert (second["due_at"], second["late_s"]) == ("2026-11-26T05:00:00Z", 1.5)
    # No fact takes the place of what every line has.
    assert third["level"] == "error"
    assert third["time"] != "never"


def test_a_plain_line_is_one_line_whatever_is_said():
    with opened("plain") as (log, out):
        log.info("a.b", "one\ntwo\x1b[31m", path="/a b", word='say "so"', empty="", n=3, ok=False)
    at, rest = out.getvalue().split(" ", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", at)
    told = r'path="/a b" word="say \"so\"" empty="" n=3 ok=false'
    assert rest == f"info    a.b: one | two[31m {told}\n"


@pytest.mark.parametrize("form", ["plain", "json"])
def test_the_journal_is_told_the_priority_and_knows_the_time(form):
    ours, journal = socket.socketpair()
    with ours, journal, ours.makefile("w", encoding="utf-8") as stream:
        found = os.fstat(ours.fileno())
        where = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        with opened(form, stream, environment=where) as (log, _):
            log.info("a", "i")
            log.warning("b", "w")
            log.error("c", "e")
        lines = journal.recv(65536).decode().splitlines()
    assert [line[:3] for line in lines] == ["<6>", "<4>", "<3>"]
    if form == "plain":
        assert lines[0] == "<6>a: i"
    else:
        assert json.loads(lines[0][3:])["event"] == "a"


def test_another_stream_is_not_the_journal(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        assert not is_journal(stream, {"JOURNAL_STREAM": "1:2"})
        assert not is_journal(stream, {})
    assert not is_journal(stream, {"JOURNAL_STREAM": "1:2"})
    assert not is_journal(io.StringIO(), {"JOURNAL_STREAM": "1:2"})


@pytest.mark.parametrize("form", ["plain", "json"])
def test_secrets_are_in_no_line(form):
    with opened(form) as (log, out):
        log.error("x", "password s3cret-value is wrong", where="s3://s3cret-value@host")
        logging.getLogger("urllib3").warning("to %s", "s3cret-value")
    assert "s3cret" not in out.getvalue()
    assert out.getvalue().count("***") == 3


def test_libraries_are_heard_when_they_warn():
    with opened("json") as (_, out):
        logging.getLogger("apscheduler.scheduler").info("added a job")
        logging.getLogger("apscheduler.scheduler").warning("missed by %s", timedelta(hours=3))
        # Straight to our own handler: pytest's raises where a library made a mistake.
        wrong = {"name": "lib", "levelno": 30, "levelname": "WARNING", "msg": "%d", "args": ("x",)}
        logging.getLogger().handlers[-1].handle(logging.makeLogRecord(wrong))
        logging.getLogger("lib").error("it broke", exc_info=OSError("no space"))
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(t["event"], t["level"], t["message"]) for t in told] == [
        ("library.apscheduler.scheduler", "warning", "missed by 3:00:00"),
        ("library.lib", "warning", "%d"),
        ("library.lib", "error", "it broke: OSError: no space"),
    ]


def test_what_cannot_be_written_stops_nobody(tmp_path):
    stream = (tmp_path / "log").open("w")
    with opened("plain", stream) as (log, _):
        stream.close()
        log.error("x", "nobody reads this")


def test_redaction_that_logs_does_not_go_round_in_circles():
    def asking(text: str) -> str:
        logging.getLogger("drorch").error("while it is redacted")
        return text

    out = io.StringIO()
    log = open_log("plain", asking, stream=out, environment={})
    log.info("x", "once")
    log.close()
    assert len(out.getvalue().splitlines()) == 1


def test_closed_nothing_is_said_any_more():
    with opened("plain") as (log, out):
        pass
    log.error("x", "after the end")
    assert out.getvalue() == ""


def test_a_long_text_is_cut_so_that_a_line_stays_whole():
    with opened("json") as (log, out):
        log.info("x", "y" * 100_000)
    assert len(json.loads(out.getvalue())["message"]) == 8_001


def tell(tale: runs.Tale, watcher: RunLog, since: int = 0) -> None:
    state = None
    for number, (at, event) in enumerate(tale.events):
        if state is None:
            state = opening(event, at, "RUN")
        else:
            apply(state, event, at)
        if number >= since:
            watcher.happened(state, event, at)


TALES = {
    "failed-drill": runs.failed_drill,
    "aborted-drill": runs.aborted_drill,
    "taken-over-failover": runs.taken_over_failover,
    "backup-with-owed-copy": runs.backup_with_owed_copy,
    "waiting-failover": runs.waiting_failover,
}


@pytest.mark.parametrize("name", TALES)
def test_a_run_is_told_line_by_line(name):
    with opened("plain") as (log, out):
        tell(TALES[name](), log.watcher(job="backup:x"))
    text = "\n".join(line.split(" ", 1)[1] for line in out.getvalue().splitlines()) + "\n"
    path = GOLDEN / f"{name}.log"
    if os.environ.get("DRORCH_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_a_run_taken_over_is_named_though_its_start_was_not_seen():
    with opened("json") as (log, out):
        tell(runs.taken_over_failover(), log.watcher(), since=3)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {(t["run"], t["kind"], t["name"]) for t in told} == {("RUN", "failover", "ehr-failover")}


def test_progress_is_told_once_in_a_while():
    ticks = iter([0.0, 1.0, INTERVAL - 1, INTERVAL, INTERVAL + 5, 2 * INTERVAL])
    with opened("json") as (log, out):
        watcher = RunLog(log, {"run": "RUN"}, lambda: next(ticks))
        for done in range(6):
            watcher.progress("backup", Progress(bytes_done=done, message="reading"))
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(t["step"], t["bytes_done"], t["message"]) for t in told] == [
        ("backup", 3, "backup: reading"),
        ("backup", 5, "backup: reading"),
    ]
