"""Alarms told over real channels: raised once, again after a time, over when they are over; a
channel that fails, a process that dies in the midst, a dead man's switch.
"""

import socket
import subprocess
import sys
from datetime import timedelta

import pytest

from drorch.app import alarms
from drorch.app.runs import Control
from drorch.core.alarms import RunEnded
from drorch.core.errors import JournalUntrusted
from drorch.core.events import RunFinished, RunStarted, Stamped
from drorch.core.names import Outcome, RunKind
from drorch.core.tellings import compile_tell
from drorch.loopback import free_port
from tests.integration.app.house import DAY, HOUR, MINUTE, RETRY, House, RunningClock
from tests.receivers import a_hook, a_mailbox


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_an_alarm_is_told_once_then_daily_and_when_it_is_over(house):
    with a_mailbox() as box:
        house.channel(
            "oncall",
            f"mailto://127.0.0.1:{box.port}/?from=d@h.example&to=o@h.example&mode=insecure",
            when=["all"],
        )
        house.back_up(1)
        assert house.attend() is None
        house.clock.advance(HOUR)
        told = house.attend()
        assert told.state.plan.kind == "tell"
        assert house.attend() is None
        house.clock.advance(HOUR)
        assert house.attend() is None
        house.clock.advance(DAY)
        house.attend()
        assert house.attend() is None
        house.back_up(2)
        house.clock.advance(20 * MINUTE)
        house.attend()
        assert house.attend() is None
    assert [str(m["Subject"]) for m in box.mails] == [
        "Sainte-Rive: RPO breached: docs in mtl",
        "Sainte-Rive: still: RPO breached: docs in mtl",
        "Sainte-Rive: over: RPO breached: docs in mtl",
    ]
    assert "promised are 30m" in box.texts()[0]
    assert "drorch backup docs" in box.texts()[0]


def a_hook_of(house, hook, name="chat", **rule):
    """A channel to a web hook."""
    house.channel(name, f"json://127.0.0.1:{hook.port}/t0ken", **{"when": ["all"], **rule})


def titles(hook):
    return [told["title"] for _, _, told in hook.asked]


def failed(kind="check", name="docs", why="check-mtl: 3 errors"):
    """The end of a run that failed."""
    fact = RunEnded(kind, name, "the-run", good=False, outcome="failed", why=why)
    return RunFinished(Outcome.FAILED, facts=(fact,))


def passed(kind="check", name="docs"):
    """The end of a run that passed."""
    fact = RunEnded(kind, name, "the-run", good=True, outcome="passed")
    return RunFinished(Outcome.PASSED, facts=(fact,))


def test_work_that_fails_is_told_until_it_passes(house):
    with a_hook() as hook:
        a_hook_of(house, hook, when=["run.failed"])
        house.back_up(1)
        assert house.after(house.record(kind=RunKind.CHECK, ended=failed()))
        house.clock.advance(20 * MINUTE)
        house.back_up(2)
        assert house.after(house.record(kind=RunKind.CHECK, ended=failed())) is None
        assert house.after(house.record(kind=RunKind.CHECK, ended=passed())) is None
        assert house.attend()
    assert titles(hook) == [
        "Sainte-Rive: run failed: check of docs",
        "Sainte-Rive: over: run failed: check of docs",
    ]
    assert "check-mtl: 3 errors" in hook.asked[0][2]["message"]
    assert hook.asked[0][2]["type"] == "failure"
    assert hook.asked[1][2]["type"] == "success"


def test_what_somebody_wanted_once_is_told_once_and_stands_nowhere(house):
    with a_hook() as hook:
        a_hook_of(house, hook)
        house.back_up(1)
        run = house.record(kind=RunKind.RESTORE, ended=failed("restore"))
        assert house.after(run)
        house.clock.advance(20 * MINUTE)
        assert house.attend() is None
    assert titles(hook) == ["Sainte-Rive: run failed: restore of docs"]
    assert house.alarms() == []


def test_a_channel_that_fails_is_told_over_the_others_and_stops_nothing(house):
    house.clock = RunningClock()
    with a_hook() as hook, a_mailbox() as box:
        a_hook_of(house, hook)
        port = free_port()
        mail = "mailto://127.0.0.1:{}/?from=d@h.example&to=o@h.example&mode=insecure"
        house.channel("oncall", mail.format(port), when=["all"])
        view = house.attend()
        assert view.state.finished.outcome is Outcome.FAILED
        assert len(view.state.steps["tell-oncall"].attempts) == 2
        assert house.alarms() == [("copy.missing", "docs in mtl"), ("channel.failing", "oncall")]
        house.clock.advance(6 * MINUTE)
        house.attend()
        assert titles(hook)[-1] == "Sainte-Rive: notification channel failing: oncall"
        said = hook.asked[-1][2]["message"]
        assert "refused" in said
        assert "h.example" not in said
        (house.folder / "oncall").write_text(mail.format(box.port))
        house.clock.advance(11 * MINUTE)
        house.attend()
        assert house.alarms() == [("copy.missing", "docs in mtl")]
        house.clock.advance(11 * MINUTE)
        house.attend()
    assert [str(m["Subject"]) for m in box.mails] == ["Sainte-Rive: no copy: docs in mtl"]
    assert "this channel took no message" in box.texts()[0]
    assert titles(hook)[-1] == "Sainte-Rive: over: notification channel failing: oncall"


def test_channels_that_hang_hold_up_no_other(house, monkeypatch):
    """A program that never ends, a server that never answers."""
    import apprise  # noqa: F401 - else its import counts against the limit

    monkeypatch.setattr("drorch.actions.alarms._LIMIT", timedelta(seconds=3))
    house.clock = RunningClock()
    with a_hook() as hook, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        house.channel("unused", "", command=["sleep", "600"], when=["all"])
        house.channel("deaf", f"json://127.0.0.1:{deaf.getsockname()[1]}/x", when=["all"])
        a_hook_of(house, hook)
        view = house.attend()
        assert titles(hook) == ["Sainte-Rive: no copy: docs in mtl"]
    found = {name: step.status for name, step in view.state.steps.items()}
    assert found == {"tell-sleep": "failed", "tell-deaf": "failed", "tell-chat": "passed"}
    assert [subject for _, subject in house.alarms()] == ["docs in mtl", "deaf", "sleep"]


def test_messages_are_in_french_and_hold_no_secret(house):
    house.settings["language"] = "fr"
    with a_hook() as hook:
        a_hook_of(house, hook)
        house.attend()
        house.back_up(1)
        house.clock.advance(6 * MINUTE)
        house.attend()
    first, last = (told for _, _, told in hook.asked)
    assert first["title"] == "Sainte-Rive: aucune copie : docs in mtl"
    assert "Nouveau :" in first["message"]
    assert "que faire : make one: drorch backup docs" in first["message"]
    assert last["title"] == "Sainte-Rive: terminé : aucune copie : docs in mtl"


def test_a_dead_mans_switch_is_called_after_good_runs_unless_something_it_watches_is_wrong(house):
    with a_hook() as hook:
        house.channel("switch", f"http://127.0.0.1:{hook.port}/uu1d", ping="switch")
        good = house.record(house.held(1), ended=passed("backup"))
        assert house.after(good)
        assert house.after(good) is None
        house.clock.advance(6 * MINUTE)
        assert house.after(good)
        house.clock.advance(6 * MINUTE)
        assert house.after(house.record(kind=RunKind.CHECK, ended=failed())) is None
        assert house.attend() is None
        house.settings["notify"][0]["when"] = ["run.failed"]
        assert house.after(good) is None
        house.record(kind=RunKind.CHECK, ended=passed())
        assert house.after(good)
    assert [path for _, path, _ in hook.asked] == ["/uu1d"] * 3


def test_further_alarms_of_the_daemon_are_told_like_any_other(house):
    lost = {"what": "region.lost", "subject": "qc", "since": None, "message": "gone", "hint": ""}
    with a_hook() as hook:
        a_hook_of(house, hook, when=["region.lost"])
        house.attend([lost])
        house.clock.advance(HOUR)
        assert house.attend([lost]) is None
        house.attend()
    assert titles(hook) == ["Sainte-Rive: region lost: qc", "Sainte-Rive: over: region lost: qc"]


LOOK = """
import os
from pathlib import Path
from drorch.app import alarms
from drorch.app.program import Program
from drorch.app.runs import Control
Path("pid").write_text(str(os.getpid()))
print(alarms.attend(Program.open(Path("drorch.yaml")), control=Control()))
"""


@pytest.fixture
def deadly(house):
    """A channel whose program kills the process that told it, the first time."""
    kill = 'echo told >> told; [ -e killed ] || { touch killed; kill -9 "$(cat pid)"; }'
    house.channel("unused", "", command=["sh", "-c", kill], when=["all"])
    house.program()
    return house


def look(house):
    """Another process looks."""
    line = [sys.executable, "-c", LOOK]
    return subprocess.run(line, cwd=house.folder, capture_output=True, text=True, check=False)


def test_who_dies_after_a_message_went_out_and_before_its_record_tells_it_again(deadly):
    """Told twice rather than never, and then no more."""
    assert look(deadly).returncode == -9
    done = look(deadly)
    assert "RunView" in done.stdout, done.stderr
    assert look(deadly).stdout == "None\n"
    assert (deadly.folder / "told").read_text() == "told\n" * 2
    assert [what for what, _ in deadly.alarms()] == ["copy.missing"]


def test_what_is_over_by_then_is_not_told_by_who_comes_after_a_dead_one(deadly):
    assert look(deadly).returncode == -9
    deadly.back_up(1)
    assert deadly.attend() is None
    assert (deadly.folder / "told").read_text() == "told\n"
    program = deadly.program()
    assert program.journal.rows(unfinished=True) == []
    program.journal.close()


def test_what_this_very_process_left_open_keeps_nobody_from_being_told(house):
    """The journal could not be written in the midst of a telling: the process lives, its run does not."""
    with a_hook() as hook:
        a_hook_of(house, hook)
        program = house.program()
        plan = compile_tell((), ["chat"], program.configuration, retry=RETRY)
        left = RunStarted(plan, program.owner, "root", "daemon")
        program.journal.begin("left", [Stamped(house.clock.now(), left)], lambda row: None)
        assert alarms.attend(program, control=Control())
        assert program.journal.find("left").outcome is Outcome.ABORTED
        program.journal.close()
    assert titles(hook) == ["Sainte-Rive: no copy: docs in mtl"]


def test_a_journal_that_fails_is_told_without_it(house):
    house.settings["state"] = "sqlite:///nowhere/at/all.db"
    with a_hook() as hook:
        a_hook_of(house, hook, when=["journal.failing"])
        house.channel("other", f"json://127.0.0.1:{hook.port}/x", when=["rpo.breached"])
        house.channel("dead", f"json://127.0.0.1:{free_port()}/x", when=["all"])
        house.channel("switch", f"http://127.0.0.1:{hook.port}/ping", ping="switch")
        program = house.program()
        with pytest.raises(JournalUntrusted) as error:
            program.journal.rows()
        said = alarms.cry(program, error.value.message, error.value.hint)
        assert [(d.channel, d.done) for d in said] == [("chat", True), ("dead", False)]
        assert alarms.cry(program, error.value.message) == []
        house.clock.advance(6 * MINUTE)
        assert [d.channel for d in alarms.cry(program, error.value.message)] == ["dead"]
        assert alarms.cry(program, "the disk is full") == []
        house.clock.advance(HOUR)
        assert len(alarms.cry(program, "the disk is full")) == 2
        house.clock.advance(DAY)
        assert len(alarms.cry(program, "the disk is full")) == 2
        assert [d.channel for d in alarms.calm(program)] == ["chat"]
        assert alarms.calm(program) == []
    host = program.owner.host
    assert titles(hook) == [
        *[f"Sainte-Rive: journal cannot be written: {host}"] * 3,
        f"Sainte-Rive: over: journal cannot be written: {host}",
    ]
    assert "nowhere" in hook.asked[0][2]["message"]
    assert {path for _, path, _ in hook.asked} == {"/t0ken"}
