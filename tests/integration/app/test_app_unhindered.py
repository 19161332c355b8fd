"""What a killed check leaves locked stops no backup, no restore and no check; a living one does."""

import subprocess

import pytest

from tests.integration.app.seeing import step, wait_for


@pytest.fixture
def any_locked(request, any_premises):
    """A check by restic itself that holds its exclusive lock and will not end; and its process."""
    premises = any_premises
    noise = premises.folder / "src" / "docs" / "noise"
    noise.write_bytes(request.getfixturevalue("noise"))
    premises.back_up()
    secrets = premises.folder / "lab/secrets"
    environment = {
        "PATH": "/usr/bin:/bin",
        "RESTIC_REPOSITORY": f"s3:{premises.regions['mtl'].endpoint}/drorch/datasets/docs",
        "RESTIC_PASSWORD": (secrets / "repo-key").read_text().strip(),
        "AWS_ACCESS_KEY_ID": (secrets / "mtl-id").read_text().strip(),
        "AWS_SECRET_ACCESS_KEY": (secrets / "mtl-secret").read_text().strip(),
    }
    line = [str(premises.binary), "--no-cache", "--limit-download", "1", "check", "--read-data"]
    process = subprocess.Popen(
        line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: premises.files("mtl", "docs", "locks"))
    yield premises, process
    process.kill()
    process.communicate()


@pytest.fixture
def noise():
    import random

    return random.Random(7).randbytes(3_000_000)


def removed(run):
    return [f["subject"] for f in run["findings"] if f["what"] == "lock.removed"]


WORK = {
    "backup": lambda premises: premises.back_up(),
    "check": lambda premises: premises.check(region="mtl"),
    "restore": lambda premises: premises.restore(region="mtl"),
}


@pytest.mark.every_restic
@pytest.mark.parametrize("work", WORK)
def test_what_a_killed_check_left_locked_stops_nothing(any_locked, work):
    premises, process = any_locked
    process.kill()
    process.wait()
    run = WORK[work](premises)
    assert run["outcome"] == "passed", run
    assert removed(run) == ["docs in mtl"]
    assert premises.files("mtl", "docs", "locks") == []


def test_a_living_one_stops_a_backup_and_keeps_its_lock(any_locked):
    premises, process = any_locked
    run = premises.back_up()
    assert (run["outcome"], step(run, "backup")["cause"]) == ("failed", "locked")
    assert removed(run) == []
    assert process.poll() is None
    assert len(premises.files("mtl", "docs", "locks")) == 1
