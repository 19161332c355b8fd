"""The mirror with real repositories: what restic says of the replica is what counts."""

import os
import random
import shutil
from collections.abc import Callable

import pytest

from drorch.adapters.commands import SystemCommands
from drorch.lab.regions import LabRegion
from drorch.ports import Command, Completed
from drorch.storage.layout import Kind, listed
from drorch.storage.mirror import mirror
from tests.integration.app.quick_keys import quicken_in
from tests.integration.storage.test_mirror import damage
from tests.programs import must_have
from tests.regions import bucket_of, credentials_of

RESTIC = shutil.which("restic")
PASSWORD = "drill"

Restic = Callable[..., Completed]


@pytest.fixture
def restic(tmp_path, repository) -> Restic:
    must_have(RESTIC, "restic")
    commands = SystemCommands("storage-tests")

    def run(region: LabRegion, *arguments: str, prefix: str = "") -> Completed:
        keys = credentials_of(region)
        folder = f"{prefix}/{repository}" if prefix else repository
        url = f"s3:{region.endpoint}/drorch/{folder}"
        done = commands.run(
            Command(
                (str(RESTIC), "--repo", url, "--no-cache", *arguments),
                env={
                    "HOME": str(tmp_path),
                    "TMPDIR": str(tmp_path),
                    "RESTIC_PASSWORD": PASSWORD,
                    "AWS_ACCESS_KEY_ID": str(keys.access_key),
                    "AWS_SECRET_ACCESS_KEY": str(keys.secret_key),
                },
            )
        )
        assert done.exit_code == 0, done.stderr + done.stdout
        return done

    yield run
    commands.close()


def test_a_replica_passes_restics_full_check_also_as_of_before_a_damage(
    restic, regions, repository, tmp_path
):
    files = tmp_path / "files"
    files.mkdir()
    chance = random.Random(3)
    for n in range(40):
        (files / str(n)).write_bytes(chance.randbytes(100_000))
    here, there = bucket_of(regions[0]), bucket_of(regions[1])

    restic(regions[0], "init")
    quicken_in(here, repository, PASSWORD)
    restic(regions[0], "backup", str(files))
    first = mirror(here, there, repository)
    assert first.whole
    restic(regions[1], "check", "--read-data")

    before = {n.name for n in listed(here, repository, Kind.DATA)}
    (files / "new").write_bytes(os.urandom(200_000))
    restic(regions[0], "backup", str(files))
    bad = max(
        (n for n in listed(here, repository, Kind.DATA) if n.name not in before),
        key=lambda n: n.size,
    )
    damage(regions[0], repository, bad.name)

    second = mirror(here, there, repository)
    assert second.damaged == (("mtl", bad.name),)
    assert len(second.held_back) == 1
    assert second.snapshots_present == first.snapshots_present
    restic(regions[1], "check", "--read-data")
    restic(regions[1], "restore", "latest", "--target", str(tmp_path / "restored"))
    restored = tmp_path / "restored" / str(files).lstrip("/")
    assert {p.name for p in restored.iterdir()} == {str(n) for n in range(40)}
    here.close()
    there.close()
