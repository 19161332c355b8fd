"""Backing up for real: what a backup says, and everything that can go wrong with one."""

import os
import signal
from datetime import datetime

import pytest

from drorch.core.errors import AlreadyRunning
from tests.integration.app.seeing import findings, step, wait_for


@pytest.mark.every_restic
def test_a_backup_says_what_it_made_and_both_regions_hold_it(any_premises):
    any_premises.back_up()
    any_premises.forget_starts()
    docs = any_premises.folder / "src" / "docs"
    (docs / "new.txt").write_text("new\n")
    (docs / "wards" / "a.txt").write_text("changed\n")
    run = any_premises.back_up()
    assert (run["outcome"], run["findings"]) == ("passed", [])
    made = step(run, "backup")["outputs"]
    newest = any_premises.listed()[-1]
    assert made["snapshot"] == newest["id"]
    assert len(made["snapshot"]) == 64
    assert made["files"] == 4
    assert made["bytes"] == sum(p.stat().st_size for p in docs.rglob("*") if p.is_file())
    assert (made["files_new"], made["files_changed"]) == (1, 1)
    assert any_premises.verbs().count("backup") == 1
    assert [s["id"] for s in any_premises.listed("qc")] == [s["id"] for s in any_premises.listed()]
    for region in ("mtl", "qc"):
        copy = any_premises.status(region=region)
        assert (copy["snapshot"], copy["owed"], copy["rpo_met"]) == (newest["id"], False, True)


def test_a_snapshots_time_is_the_one_restic_gave_it_or_our_own_start_before(any_premises):
    made = step(any_premises.back_up(), "backup")["outputs"]
    told = datetime.fromisoformat(made["snapshot_at"])
    theirs = datetime.fromisoformat(any_premises.listed()[-1]["time"])
    if "restic 0.14" in any_premises.restic("version"):
        assert 0 <= (theirs - told).total_seconds() < 60
    else:
        assert told == theirs


def test_unchanged_data_is_a_snapshot_of_its_own_and_restic_starts_once(premises):
    first = step(premises.back_up(), "backup")["outputs"]["snapshot"]
    premises.forget_starts()
    made = step(premises.back_up(), "backup")["outputs"]
    assert (made["files_new"], made["files_changed"], made["files"]) == (0, 0, 3)
    assert made["snapshot"] != first
    assert premises.verbs() == ["backup"]


def test_what_cannot_be_read_makes_a_finding_of_a_backup_that_passed(any_premises):
    # there for everybody, root too, and fails on the first read
    any_premises.configuration["datasets"]["docs"]["paths"].append("/proc/self/mem")
    any_premises.save()
    run = any_premises.back_up()
    assert run["outcome"] == "passed"
    assert findings(run) == ["backup.partial"]
    assert "/proc/self/mem" in run["findings"][0]["message"]
    assert step(run, "backup")["outputs"]["files"] == 3
    assert any_premises.status(region="qc")["snapshot"] == any_premises.listed()[-1]["id"]


def test_a_missing_path_fails_the_backup_before_restic_is_started(any_premises):
    any_premises.configuration["datasets"]["docs"]["paths"].append("src/gone")
    any_premises.save()
    before = any_premises.objects("mtl", "drorch/datasets")
    said = any_premises.cli("backup", "docs")
    assert said.code == 1
    failed = step(said.document, "backup")
    assert (failed["status"], failed["cause"]) == ("failed", "source-missing")
    assert "src/gone does not exist" in failed["message"]
    assert step(said.document, "replicate")["status"] == "skipped"
    assert "backup" not in any_premises.verbs()
    assert any_premises.objects("mtl", "drorch/datasets") == before


def test_a_failing_dump_leaves_no_snapshot(any_premises):
    any_premises.program_file("dump", "head -c 3000000 /dev/urandom; echo no disk >&2; exit 4")
    run = any_premises.back_up("db")
    assert run["outcome"] == "failed"
    failed = step(run, "backup")
    assert failed["cause"] == "dump-failed"
    assert "no disk" in failed["message"]
    assert any_premises.listed(dataset="db") == []
    assert any_premises.files("mtl", "db", "locks") == []
    assert any_premises.status("db")["snapshot"] is None


def test_a_dump_that_works_is_one_file(any_premises):
    run = any_premises.back_up("db")
    made = step(run, "backup")["outputs"]
    assert (made["files"], made["bytes"]) == (1, len("one patient\n"))
    any_premises.restore("db", "back")
    assert (any_premises.folder / "back" / "ehr.dump").read_text() == "one patient\n"


def test_what_is_excluded_is_not_in_the_snapshot(premises):
    premises.configuration["datasets"]["docs"]["exclude"] = ["*.bin"]
    premises.save()
    assert step(premises.back_up(), "backup")["outputs"]["files"] == 2


def test_a_command_before_that_fails_fails_the_backup_and_those_after_run(premises):
    docs = premises.configuration["datasets"]["docs"]
    docs["before"] = [["sh", "-c", "echo frozen >> log"], ["sh", "-c", "echo no >&2; exit 3"]]
    docs["after"] = [["sh", "-c", "echo first >> log; exit 1"], ["sh", "-c", "echo thawed >> log"]]
    premises.save()
    run = premises.back_up()
    assert run["outcome"] == "failed"
    assert step(run, "before-2")["status"] == "failed"
    assert step(run, "backup")["status"] == "skipped"
    assert "backup" not in premises.verbs()
    assert (premises.folder / "log").read_text().split() == ["frozen", "first", "thawed"]


def test_a_command_before_comes_first_and_one_after_comes_last(premises):
    docs = premises.configuration["datasets"]["docs"]
    docs["before"] = [["sh", "-c", "echo held > src/docs/held.txt"]]
    docs["after"] = [["rm", "src/docs/held.txt"]]
    premises.save()
    run = premises.back_up()
    assert run["outcome"] == "passed"
    assert step(run, "backup")["outputs"]["files"] == 4
    assert not (premises.folder / "src" / "docs" / "held.txt").exists()


def test_one_dataset_that_fails_holds_up_no_other(premises):
    premises.program_file("dump", "exit 4")
    said = premises.cli("backup", "--all")
    assert said.code == 1
    outcomes = {run["name"]: run["outcome"] for run in said.document}
    assert outcomes == {"docs": "passed", "db": "failed"}
    assert premises.status("docs", "qc")["snapshot"] == premises.listed()[-1]["id"]


@pytest.fixture
def dumping(premises):
    """`db` being backed up by another process, its dump half told; `let_go` tells the rest."""
    os.mkfifo(premises.folder / "gate")
    began = premises.folder / "began"
    premises.program_file(
        "dump", "head -c 3000000 /dev/zero; touch began; cat gate > /dev/null; echo whole"
    )
    with premises.started("backup", "db", "--json") as process:
        wait_for(began.exists)
        yield premises, process


def test_the_same_dataset_is_not_backed_up_twice_at_once(dumping):
    premises, process = dumping
    starts = premises.starts()
    said = premises.cli("backup", "db")
    assert said.code == 4
    assert "dataset:db is already running" in said.error
    assert "drorch run watch" in said.hint
    assert premises.starts() == starts
    with pytest.raises(AlreadyRunning):
        premises.back_up("db")
    assert premises.cli("backup", "docs").code == 0
    (premises.folder / "gate").write_text("go on\n")
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_backup_that_was_killed_leaves_nothing_to_restore_and_the_next_supersedes_it(dumping):
    premises, process = dumping
    with premises.program() as program:
        (killed,) = program.journal.rows(unfinished=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    premises.wait_until_dead(killed.run)
    # What a restic that outlives its feeder by a moment makes: every version may.
    premises.restic(
        *("backup", "--stdin", "--stdin-filename", "ehr.dump", "--host", "db"),
        *("--tag", "drorch", "--tag", f"run={killed.run}"),
        dataset="db",
        input="half a pa",
    )
    assert ("run.interrupted", killed.run) in premises.alarms()
    said = premises.cli("restore", "db", "--to", str(premises.folder / "back"))
    assert said.code == 1
    assert step(said.document, "restore")["cause"] == "no-snapshot"
    assert not (premises.folder / "back").exists()

    premises.program_file("dump", "exec cat src/rows")
    assert premises.back_up("db")["outcome"] == "passed"
    with premises.program() as program:
        assert program.journal.rows(unfinished=True) == []
        assert program.journal.find(killed.run).outcome == "aborted"
    premises.restore("db")
    assert (premises.folder / "back" / "ehr.dump").read_text() == "one patient\n"


def test_a_snapshot_left_by_a_failure_is_passed_over_even_when_it_is_the_newest(premises):
    with premises.program() as program:
        (row,) = program.journal.rows()
    (premises.folder / "src" / "docs" / "scan.bin").unlink()
    source = str(premises.folder / "src" / "docs")
    premises.restic("backup", source, "--host", "docs", "--tag", f"run={row.run}")
    good = premises.status()["snapshot"]
    assert premises.listed()[-1]["id"] != good
    assert step(premises.restore(), "restore")["outputs"]["snapshot"] == good


def test_a_backup_stopped_by_ctrl_c_leaves_no_lock_and_no_process(dumping):
    premises, process = dumping
    with premises.program() as program:
        (row,) = program.journal.rows(unfinished=True)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    premises.wait_until_dead(row.run)
    assert premises.files("mtl", "db", "locks") == []
    assert premises.listed(dataset="db") == []
