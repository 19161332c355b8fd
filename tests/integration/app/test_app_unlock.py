"""Stale locks removed, live ones never: with real restics that die and live."""

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.actions.staleness import free_of_stale_locks, look_at_locks, remove_locks
from drorch.core.facts import LocksSeen
from drorch.core.staleness import Standing
from tests.fakes.clock import FakeClock
from tests.integration.app.seeing import wait_for
from tests.integration.app.test_app_genuine import record
from tests.integration.app.test_app_repositories import locked
from tests.regions import bucket_of


def unlock(premises, *more):
    return premises.cli("repo", "unlock", *more)


def rows(said):
    return [(r["dataset"], r["region"], r["result"]) for r in said.document]


def test_the_lock_of_a_dead_process_goes_and_that_of_a_living_one_stays(request, any_premises):
    premises = any_premises
    dead = locked(request, premises)
    locked(request, premises, "db")
    dead.kill()
    dead.wait()
    said = unlock(premises)
    assert said.code == 0, said.errors
    assert rows(said) == [
        ("docs", "mtl", "unlocked"),
        ("docs", "qc", "none"),
        ("db", "mtl", "kept"),
        ("db", "qc", "none"),
    ]
    assert [(r["removed"], r["left"]) for r in said.document] == [(1, 0), (0, 0), (0, 1), (0, 0)]
    (gone,), (left,) = said.document[0]["locks"], said.document[2]["locks"]
    assert gone["why"] == "its process on this host is gone"
    assert (gone["standing"], gone["pid"], gone["exclusive"]) == ("stale", dead.pid, False)
    assert (left["standing"], left["why"]) == ("live", "its process on this host is there")
    assert premises.files("mtl", "docs", "locks") == []
    assert len(premises.files("mtl", "db", "locks")) == 1
    with premises.program() as program:
        assert {r.kind.value for r in program.journal.rows(limit=2)} == {"unlock"}


def test_a_killed_backup_of_ours_leaves_locks_in_every_region_which_go(premises):
    premises.program_file("dump", "echo begun > src/begun; exec sleep 600")
    with premises.started("backup", "db") as process:
        wait_for((premises.folder / "src" / "begun").exists)
        wait_for(lambda: all(premises.files(region, "db", "locks") for region in ("mtl", "qc")))
        process.kill()
        process.wait()
        with premises.program() as program:
            run = program.journal.rows(limit=1)[0].run
    premises.wait_until_dead(run)
    assert len(premises.files("mtl", "db", "locks")) == 1
    said = unlock(premises, "db")
    assert rows(said) == [("db", "mtl", "unlocked"), ("db", "qc", "unlocked")]
    assert premises.files("qc", "db", "locks") == []


def test_a_living_lock_in_another_pid_namespace_stays(request, premises, namespaces):
    """restic#4922: same host name, and a pid that means nothing here."""
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "RESTIC_REPOSITORY": f"s3:{premises.regions['mtl'].endpoint}/drorch/datasets/docs",
        "RESTIC_PASSWORD": (premises.folder / "lab/secrets/repo-key").read_text().strip(),
        "AWS_ACCESS_KEY_ID": (premises.folder / "lab/secrets/mtl-id").read_text().strip(),
        "AWS_SECRET_ACCESS_KEY": (premises.folder / "lab/secrets/mtl-secret").read_text().strip(),
    }
    unshare = shutil.which("unshare")
    line = [unshare, "--pid", "--fork", "--kill-child", str(premises.binary), "--no-cache"]
    process = subprocess.Popen(
        [*line, "backup", "--stdin"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    request.addfinalizer(process.communicate)
    request.addfinalizer(process.kill)
    wait_for(lambda: premises.files("mtl", "docs", "locks"))
    said = unlock(premises, "docs", "--region", "mtl")
    assert rows(said) == [("docs", "mtl", "kept")]
    assert said.document[0]["locks"][0]["pid"] < 10
    assert len(premises.files("mtl", "docs", "locks")) == 1


def elsewhere(premises):
    """A lock of a restic on another host that is gone: written an hour ago, refreshed never."""
    hostname = shutil.which("unshare")
    environment = {
        "PATH": os.environ["PATH"],
        "RESTIC_REPOSITORY": f"s3:{premises.regions['mtl'].endpoint}/drorch/datasets/docs",
        "RESTIC_PASSWORD": (premises.folder / "lab/secrets/repo-key").read_text().strip(),
        "AWS_ACCESS_KEY_ID": (premises.folder / "lab/secrets/mtl-id").read_text().strip(),
        "AWS_SECRET_ACCESS_KEY": (premises.folder / "lab/secrets/mtl-secret").read_text().strip(),
    }
    script = f'hostname elsewhere; exec "{premises.binary}" --no-cache backup --stdin'
    process = subprocess.Popen(
        [hostname, "--uts", "sh", "-c", script],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: premises.files("mtl", "docs", "locks"))
    process.kill()
    process.communicate()
    (lock,) = premises.files("mtl", "docs", "locks")
    return lock.name


def later(program, minutes, boot=None):
    """The program's tools, so many minutes later."""
    then = program.clock.now().later(timedelta(minutes=minutes))
    return replace(program.tools, clock=FakeClock(then.at, boot or then.boot, then.ticks))


def test_the_lock_of_another_host_goes_when_it_is_old_and_a_second_look_finds_it_unchanged(
    premises, namespaces
):
    elsewhere(premises)
    with premises.program() as program:
        docs = program.dataset("docs")

        def look(minutes, earlier=None, boot=None):
            return look_at_locks(later(program, minutes, boot), docs, ["mtl", "qc"], earlier)

        (lock,) = look(1).found
        assert (lock.standing, lock.says.host) == (Standing.LIVE, "elsewhere")
        assert look(44).facts == ()
        first = look(60)
        assert [f.standing for f in first.found] == [Standing.DOUBTFUL]
        assert [f.region for f in first.facts] == ["mtl"]
        assert remove_locks(program.tools, docs, first.found) == []
        assert [f.standing for f in look(65, first).found] == [Standing.DOUBTFUL]
        assert [f.standing for f in look(66, first).found] == [Standing.STALE]
        assert [f.standing for f in look(600, first, "boot-2").found] == [Standing.DOUBTFUL]
        findings, facts = free_of_stale_locks(later(program, 60), docs, ["mtl", "qc"])
        assert [f.what for f in findings] == ["lock.stale"]
    record(premises, *facts)
    assert ("lock.stale", "docs in mtl") in premises.alarms()
    with premises.program() as program:
        docs = program.dataset("docs")
        findings, facts = free_of_stale_locks(later(program, 67), docs, ["mtl", "qc"])
        assert [f.what for f in findings] == ["lock.removed"]
        assert "elsewhere, process" in findings[0].message
    record(premises, *facts)
    assert premises.files("mtl", "docs", "locks") == []
    with premises.program() as program:
        _, facts = free_of_stale_locks(later(program, 68), program.dataset("docs"), ["mtl"])
    assert facts == (LocksSeen("docs", "mtl"),)
    record(premises, *facts)
    assert "lock.stale" not in dict(premises.alarms())


def test_a_backup_notes_an_old_lock_and_doctor_and_status_say_so(premises, namespaces):
    from drorch.actions.backups import BACKUP
    from drorch.app.doctor import doctor
    from drorch.core.names import Mode
    from drorch.ports import Call, Cancellation

    elsewhere(premises)
    with premises.program() as program:
        call = Call(
            "run-1", "backup", 1, Mode.LIVE, {"dataset": "docs"}, Cancellation(), lambda _: None
        )
        result = BACKUP.run(call, later(program, 90))
    assert [f.what for f in result.findings] == ["lock.stale"]
    assert result.findings[0].message.startswith(
        "1 lock(s) stand there that nobody has refreshed for 1h 30m"
    )
    (fact,) = [f for f in result.facts if isinstance(f, LocksSeen)]
    record(premises, fact)
    assert ("lock.stale", "docs in mtl") in premises.alarms()
    with premises.program() as program:
        program.__dict__["clock"] = later(program, 90).clock
        found = doctor(program)
    (check,) = [c for c in found["checks"] if c["check"] == "lock"]
    assert (check["subject"], check["result"]) == ("docs in mtl", "warn")
    assert check["hint"] == "remove what is proven stale: drorch repo unlock docs"


def test_what_is_no_lock_at_all_is_removed_and_what_cannot_be_read_is_judged_by_its_age(premises):
    import hashlib

    planted = b"a lock that somebody made up"
    name = hashlib.sha256(planted).hexdigest()
    bucket = bucket_of(premises.regions["mtl"])
    bucket.put(f"datasets/docs/locks/{name}", planted)
    bucket.put(f"datasets/docs/locks/{'0' * 64}", b"half of a lock")
    said = unlock(premises, "docs")
    assert rows(said) == [("docs", "mtl", "unlocked"), ("docs", "qc", "none")]
    gone, left = said.document[0]["locks"]
    assert gone["why"] == "it was not made with the repository's key: no restic here holds it"
    assert (left["lock"], left["standing"]) == ("0" * 64, "live")


def test_a_region_that_is_away_is_told(premises):
    premises.kill("qc")
    said = unlock(premises, "docs")
    assert said.code == 1
    assert rows(said) == [("docs", "mtl", "none"), ("docs", "qc", "failed")]
    assert "error: docs in qc:" in said.errors


@pytest.mark.parametrize("words", [("docs", "--region", "nowhere"), ("dosc",)])
def test_names_that_are_not_there(premises, words):
    assert unlock(premises, *words).code == 2
