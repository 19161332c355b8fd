"""The unattended daemon as a process: what it does by itself, and what it makes of trouble."""

import json
import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drorch.adapters.lease import seen
from drorch.core.events import ConfigurationTaken, FindingRecorded
from drorch.core.names import Outcome, RunState, SlotFate
from tests.e2e.watchman import (
    copied,
    every_slot_once,
    known_since,
    on_watch,
    recorded,
    rows,
    slots,
)
from tests.integration.app.disks import beside, on_small_disk
from tests.integration.app.premises import SOURCE
from tests.integration.app.seeing import wait_for

SECONDS = timedelta(seconds=2)

HALF_AN_HOUR = timedelta(minutes=30)

DOWN = "no daemon was running"


def scheduled(premises, schedule, name="docs"):
    """Configured, not yet told to anybody."""
    premises.configuration["datasets"][name]["schedule"] = schedule
    premises.save()


def fired(premises, name="docs"):
    return [row for row in slots(premises, f"backup:{name}") if row.fate is not SlotFate.MISSED]


def said(premises):
    """What the daemon last said of itself, for others on this machine."""
    return seen(premises.folder / "var").said


def test_it_is_ready_fires_what_is_due_and_stops_when_told(premises):
    scheduled(premises, "every 2s")
    with on_watch(premises, WATCHDOG_USEC="20000000") as daemon:
        assert "under way" in daemon.ear.hear("READY=1")
        assert daemon.asked("/readyz") == (200, "ok\n")
        daemon.wait_for(lambda: len(fired(premises)) >= 3)
        daemon.wait_for(lambda: "drorch_slots" in daemon.asked("/metrics")[1])
        assert daemon.stop() == 0
        daemon.ear.hear("STOPPING=1")
        assert any("WATCHDOG=1" in word for word in daemon.ear.heard)
        daemon.alone()
    every_slot_once(premises, "backup:docs", SECONDS)
    made = {row.run: row for row in rows(premises, name="docs")}
    assert {made[row.run].trigger for row in fired(premises)} == {"schedule"}
    assert said(premises)["stopped_at"]
    assert not seen(premises.folder / "var").alive
    assert premises.cli("journal", "verify").code == 0


def test_of_two_daemons_the_second_is_refused(premises):
    with on_watch(premises) as daemon:
        second, cron = premises.cli("daemon"), premises.cli("daemon", "--once")
        for refused in (second, cron):
            assert refused.code == 4
            assert f"process {daemon.process.pid}" in refused.error
            assert "stop it first" in refused.hint
        assert daemon.asked("/healthz") == (200, "ok\n")
        assert daemon.stop() == 0


def test_a_changed_configuration_is_taken_over_whole_or_not_at_all(premises):
    scheduled(premises, "every 2s")
    with on_watch(premises) as daemon:
        scheduled(premises, "every 2s", "db")
        daemon.signal(signal.SIGHUP)
        daemon.ear.hear("RELOADING=1")
        daemon.ear.hear("READY=1")
        daemon.wait_for(lambda: fired(premises, "db"))
        taken = recorded(premises, ConfigurationTaken)
        assert [one.why for one in taken] == ["start", "SIGHUP"]
        assert taken[0].digest != taken[1].digest

        right = (premises.folder / "drorch.yaml").read_text()
        wrong = json.loads(right)
        wrong["datasets"]["docs"] |= {"schedule": "now and then", "primary": "paris"}
        (premises.folder / "drorch.yaml").write_text(json.dumps(wrong))
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(lambda: len(daemon.told("configuration.refused")) == 2)
        before = len(fired(premises))
        daemon.wait_for(lambda: len(fired(premises)) > before)  # the old one is in force
        (found,) = recorded(premises, FindingRecorded)
        assert found.finding.what == "configuration.refused"
        daemon.wait_for(lambda: "configuration.refused" in alarming(premises))
        assert said(premises)["configuration"] == taken[1].digest

        (premises.folder / "drorch.yaml").write_text(right)
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(lambda: len(daemon.told("configuration.taken")) == 2)
        assert daemon.stop() == 0
    assert alarming(premises) == []
    every_slot_once(premises, "backup:docs", SECONDS)
    every_slot_once(premises, "backup:db", SECONDS)


def alarming(premises):
    """What the daemon alone knows to be wrong."""
    return [one["what"] for one in said(premises)["alarms"]]


def test_stopped_in_the_middle_of_a_backup_it_leaves_nothing_behind_and_goes_on_with_it(premises):
    gate = premises.folder / "go-on"
    waits = f"until [ -e {gate} ]; do sleep 0.05; done"
    premises.program_file("dump", f"echo begun > begun; {waits}; exec cat src/rows")
    scheduled(premises, "every 2s", "db")
    with on_watch(premises) as daemon:
        daemon.wait_for((premises.folder / "begun").exists)
        daemon.wait_for(lambda: premises.files("mtl", "db", "locks"))
        assert daemon.stop() == 0
        daemon.alone()
    (row,) = rows(premises, unfinished=True)
    (slot,) = slots(premises, "backup:db")
    assert slot.run == row.run
    assert [p for p in premises.files("mtl", "db", "locks") if len(p.name) == 64] == []
    assert row.state is RunState.RUNNING

    gate.touch()
    scheduled(premises, "monthly", "db")  # so that no slot is due that would do its work
    with on_watch(premises) as daemon:
        daemon.wait_for(lambda: not rows(premises, unfinished=True))
        assert daemon.stop() == 0
    assert next(one for one in rows(premises) if one.run == row.run).outcome is Outcome.PASSED
    assert len(premises.listed("qc", "db")) == len(premises.listed("mtl", "db")) == 1


def test_killed_and_started_again_it_accounts_for_what_came_in_between(premises):
    scheduled(premises, "every 2s")
    with on_watch(premises) as daemon:
        daemon.wait_for(lambda: len(fired(premises)) >= 2)
        daemon.kill()
    before = slots(premises, "backup:docs")[-1].last_at
    wait_for(lambda: datetime.now(UTC) > before + 3 * SECONDS)
    with on_watch(premises) as daemon:
        daemon.wait_for(lambda: slots(premises, "backup:docs")[-1].first_at > before)
        assert daemon.stop() == 0
    found = every_slot_once(premises, "backup:docs", SECONDS)
    gap = next(row for row in found if row.first_at > before)
    assert (gap.fate, gap.why) == (SlotFate.MISSED, DOWN)
    # What the kill interrupted is over: the next run did its work.
    open_before = [row.run for row in rows(premises, unfinished=True) if row.started_at < before]
    assert open_before == []


def test_after_days_without_it_the_newest_slot_is_fired_late_and_the_others_are_missed(premises):
    now = datetime.now(UTC)
    scheduled(premises, f"daily at {now - timedelta(hours=3):%H:%M}")
    known_since(premises, now - timedelta(days=3, hours=4), "backup:docs")
    with on_watch(premises) as daemon:
        daemon.wait_for(lambda: daemon.told("run.finished") or fired(premises))
        daemon.wait_for(lambda: not rows(premises, unfinished=True))
        assert daemon.stop() == 0
    missed, late = slots(premises, "backup:docs")
    assert (missed.fate, missed.count, missed.why) == (SlotFate.MISSED, 3, DOWN)
    assert (late.fate, late.count, late.why) == (SlotFate.LATE, 1, DOWN)
    assert late.first_at - missed.last_at == timedelta(days=1)
    assert missed.run == late.run


def test_once_does_what_is_due_and_says_how_it_went(premises):
    now = datetime.now(UTC)
    at = f"daily at {now - timedelta(hours=3):%H:%M}"
    for name in ("docs", "db"):
        scheduled(premises, at, name)
    known_since(premises, now - timedelta(days=1), "backup:docs", "backup:db")
    premises.program_file("dump", "exit 3")
    first = premises.cli("daemon", "--once")
    assert first.code == 1
    assert {row.fate for name in ("docs", "db") for row in slots(premises, f"backup:{name}")} == {
        SlotFate.LATE
    }
    outcomes = {row.name: row.outcome for row in rows(premises) if row.trigger == "schedule"}
    assert outcomes == {"docs": Outcome.PASSED, "db": Outcome.FAILED}
    second = premises.cli("daemon", "--once")
    assert second.code == 0
    assert len(fired(premises)) == len(fired(premises, "db")) == 1


def later(premises, by, *words):
    """The exit code of a command line on a clock that is so much further on."""
    clock = premises.folder / "clock"
    clock.write_text(str(by.total_seconds()))
    python, flag, _, *rest = premises.line(*words)
    line = [python, flag, "tests.e2e.lying", str(clock), *rest, "--json"]
    environment = premises.environment | {"PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        line, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode


def test_a_backup_that_failed_is_tried_again_before_its_next_slot(premises):
    now = datetime.now(UTC)
    for name in ("docs", "db"):
        scheduled(premises, f"daily at {now - timedelta(minutes=30):%H:%M}", name)
    known_since(premises, now - timedelta(days=1), "backup:docs", "backup:db")
    right = (premises.folder / "dump").read_text()
    premises.program_file("dump", "exit 3")
    assert premises.cli("daemon", "--once").code == 1
    docs, db, _ = premises.cli("schedule", "list").document
    assert docs["again_at"] is None
    assert timedelta(minutes=29) < datetime.fromisoformat(db["again_at"]) - now < HALF_AN_HOUR * 2
    premises.cli("daemon", "--once")
    assert len(rows(premises, name="db")) == 1  # it is too soon

    (premises.folder / "dump").write_text(right)
    assert later(premises, HALF_AN_HOUR * 2, "daemon", "--once") == 0
    again, failed = rows(premises, name="db")
    assert (again.trigger, again.outcome, failed.outcome) == (
        "daemon",
        Outcome.PASSED,
        Outcome.FAILED,
    )
    assert "daemon" not in {row.trigger for row in rows(premises, name="docs")}
    assert len(slots(premises, "backup:db")) == 1
    assert {job["again_at"] for job in premises.cli("schedule", "list").document} == {None}


def test_what_is_new_in_the_journal_lies_in_every_region_while_it_works(premises):
    def segments(region):
        return [name for name in premises.objects(region) if "/segments/" in name]

    with on_watch(premises) as daemon:
        daemon.wait_for(lambda: segments("mtl") and segments("qc"))
        before = segments("mtl")
        assert premises.back_up()["outcome"] == "passed"  # by another process, which copies nothing
        daemon.wait_for(lambda: len(segments("mtl")) > len(before))
        assert daemon.stop() == 0


def test_a_region_that_is_gone_is_told_and_gets_what_it_is_owed_when_it_is_back(premises):
    premises.kill("qc")
    (premises.folder / "src" / "docs" / "new.txt").write_text("something new\n")
    assert premises.back_up()["outcome"] == "passed"
    assert premises.status(region="qc")["owed"]
    with on_watch(premises) as daemon:
        daemon.wait_for(lambda: daemon.told("region.lost", region="qc"))
        daemon.wait_for(lambda: alarming(premises) == ["region.lost"])
        assert daemon.asked("/healthz")[0] == 200
        premises.revive("qc")
        daemon.signal(signal.SIGHUP)  # else it would be up to half a minute until it looks again
        daemon.wait_for(lambda: daemon.told("region.back", region="qc"))
        daemon.wait_for(lambda: not premises.status(region="qc")["owed"])
        assert daemon.stop() == 0
    copy = premises.status(region="qc")
    assert copy["snapshot"] in [one["id"] for one in premises.listed("qc")]
    assert alarming(premises) == []
    (made,) = [row for row in rows(premises) if row.trigger == "daemon" and row.name == "docs"]
    assert made.outcome is Outcome.PASSED


def test_a_state_that_is_none_is_said_until_it_is_mended(premises):
    state = premises.folder / "var" / "drorch.db"
    whole = state.rename(state.with_name("kept"))
    state.write_text("this is no database\n" * 100)
    with on_watch(premises, ready=False) as daemon:
        daemon.wait_for(lambda: daemon.told("journal.failing"))
        code, why = daemon.asked("/healthz")
        assert (code, "is not a database" in why) == (503, True), why
        assert daemon.asked("/readyz")[0] == 503
        whole.rename(state)
        daemon.wait_for(lambda: daemon.told("daemon.ready"))
        assert daemon.asked("/healthz") == (200, "ok\n")
        assert daemon.stop() == 0


@pytest.mark.usefixtures("namespaces")
def test_a_full_disk_kills_nobody_and_work_goes_on_when_there_is_room(premises):
    var = premises.folder / "var"
    scheduled(premises, "every 2s")
    with on_watch(premises, wrap=on_small_disk(var, "8m", full=True), ready=False) as daemon:
        daemon.wait_for(lambda: daemon.told("journal.failing"))
        assert "No space left on device" in daemon.asked("/healthz")[1]
        # The disk is the daemon's alone: it is reached by way of its process.
        inside = beside(daemon.process.pid)
        filler = Path(f"/proc/{daemon.process.pid}/root{var}/filler")
        filler.unlink()
        daemon.wait_for(lambda: daemon.told("daemon.ready"))
        daemon.wait_for(lambda: daemon.told("run.finished"))

        def open_runs():
            found = rows(premises, copied(premises, inside), unfinished=True)
            return [row.run for row in found if row.name == "docs"]

        daemon.wait_for(open_runs)
        cut = open_runs()
        fill(filler)
        daemon.wait_for(lambda: daemon.asked("/healthz")[0] == 503)
        assert "disk of the state file is full" in daemon.asked("/healthz")[1]
        filler.unlink()
        daemon.wait_for(lambda: daemon.asked("/healthz") == (200, "ok\n"))
        before = len(daemon.told("run.finished"))
        daemon.wait_for(lambda: len(daemon.told("run.finished")) > before)
        assert len(daemon.told("journal.works")) == 2
        # What was under way is over, nothing was lost of the slots that passed, and it is recorded.
        daemon.wait_for(lambda: not set(cut) & set(open_runs()))
        state = copied(premises, inside)
        every_slot_once(premises, "backup:docs", SECONDS, state)
        whats = {one.finding.what for one in recorded(premises, FindingRecorded, state)}
        assert whats == {"journal.failed"}
        assert daemon.stop() == 0


def fill(filler):
    """Until there is no room for another byte."""
    with filler.open("wb", buffering=0) as file:
        for size in (1_000_000, 4096, 1):
            try:
                while file.write(b"\0" * size):
                    os.fsync(file.fileno())
            except OSError:
                continue
