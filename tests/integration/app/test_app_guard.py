"""A backup of encrypted or deleted files is kept, says so, and keeps those before it from expiry."""

import os
import subprocess

import pytest

from drorch.actions.verdicts import verdicts
from drorch.core.facts import BackupFigures, Guarded


def work(premises, day):
    """An ordinary day: one of many documents is new, one is written anew."""
    docs = premises.folder / "src" / "docs"
    (docs / f"day-{day}").write_bytes(os.urandom(10_000))
    (docs / "scan-0").write_bytes(os.urandom(100_000))


@pytest.fixture
def living(any_premises):
    """Forty documents, and seven ordinary backups."""
    docs = any_premises.folder / "src" / "docs"
    for number in range(40):
        (docs / f"scan-{number}").write_bytes(os.urandom(100_000))
    assert any_premises.back_up()["outcome"] == "passed"
    for day in range(6):
        work(any_premises, day)
        run = any_premises.back_up()
        assert run["findings"] == []
    return any_premises


def tripped(run):
    return [f for f in run["findings"] if f["what"] == "guard.tripped"]


def suspicious(premises):
    with premises.program() as program:
        return [k.fact for k in program.journal.facts(Guarded, "docs") if not k.fact.accepted]


def shielded(premises):
    """The snapshots that retention keeps because a backup is suspicious."""
    with premises.program() as program:
        dataset = program.dataset("docs")
        first = verdicts(program.tools, dataset, program.clock.now().at)[0]
    return [j for j in first.judged if any("is suspicious" in reason for reason in j.reasons)]


def test_mass_encryption_keeps_the_snapshot_protects_those_before_it_and_raises_an_alarm(living):
    premises = living
    premises.configuration["datasets"]["docs"]["keep"] = {"last": 1}
    premises.save()
    assert shielded(premises) == []
    docs = premises.folder / "src" / "docs"
    for file in sorted(p for p in docs.rglob("*") if p.is_file()):
        file.write_bytes(os.urandom(file.stat().st_size))
    run = premises.back_up()
    assert run["outcome"] == "passed"
    (finding,) = tripped(run)
    snapshot = run["steps"][0]["outputs"]["snapshot"]
    assert finding["message"].startswith(f"backup {snapshot[:8]} is suspicious: ")
    assert "% of its data is new, usually" in finding["message"]
    assert f"drorch snapshots accept {snapshot[:8]} --reason TEXT" in finding["hint"]
    assert [one.snapshot for one in suspicious(premises)] == [snapshot]
    assert ("guard.tripped", "docs") in premises.alarms()
    assert len(shielded(premises)) == 9

    work(premises, 7)
    run = premises.back_up()
    assert tripped(run) == []
    assert ("guard.tripped", "docs") in premises.alarms()
    assert len(shielded(premises)) == 9

    said = premises.cli("snapshots", "accept", snapshot[:8], "--reason", "a new scanner")
    assert said.code == 0, said.errors
    assert (said.document["kind"], said.document["reason"]) == ("accept", "a new scanner")
    assert suspicious(premises) == []
    assert "guard.tripped" not in dict(premises.alarms())
    assert shielded(premises) == []
    said = premises.cli("snapshots", "accept", snapshot[:8], "--reason", "again")
    assert (said.code, said.error) == (
        2,
        f"error: no suspicious backup begins with {snapshot[:8]}",
    )


def test_mass_deletion_trips_at_every_backup_until_it_is_accepted_once(living):
    premises = living
    docs = premises.folder / "src" / "docs"
    for number in range(40):
        (docs / f"scan-{number}").unlink()
    for _ in range(2):
        (finding,) = tripped(premises.back_up())
        assert "usually 4" in finding["message"]
    first, second = sorted(suspicious(premises), key=lambda one: one.at)
    (alarm,) = [a for a in premises.alarms() if a[0] == "guard.tripped"]
    assert alarm == ("guard.tripped", "docs")
    said = premises.cli("snapshots", "accept", second.snapshot, "--reason", "moved elsewhere")
    assert said.code == 0, said.errors
    assert said.document["steps"][0]["outputs"]["accepted"] == 2
    assert tripped(premises.back_up()) == []
    with premises.program() as program:
        assert len(program.journal.facts(BackupFigures, "docs")) == 11
    assert first.at < second.at


def test_the_guard_of_the_configuration_counts_from_the_first_backup_on(premises):
    premises.configuration["datasets"]["docs"]["guard"] = {"min_files": 1000, "max_change": "40%"}
    premises.save()
    (finding,) = tripped(premises.back_up())
    assert "it holds 3 files, fewer than 1000 (min_files)" in finding["message"]
    done = subprocess.run(
        premises.line("status", "--check"),
        env=premises.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "guard.tripped: backup" in done.stdout
    assert premises.cli("snapshots", "accept", "ffffffff", "--reason", "x").code == 2
