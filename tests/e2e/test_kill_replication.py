"""Kill -9 at any moment of a replication, or of a backup to two regions at once: each of them can
be opened and fully checked, each time.

Moments are counted in requests to the region that is written to, so that they fall into the
copying itself, whatever the machine's pace; the proxy that counts them pulls the trigger.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drorch.storage.bucket import Bucket
from tests.e2e.trigger import Trigger
from tests.faulty import Faulty
from tests.integration.app.premises import Premises, restics
from tests.integration.app.quick_keys import made_quick
from tests.objects import damaged, objects
from tests.regions import bucket_of

#: Two lanes, so that two cores are used; each with its own regions, journal and seed.
LANES = 2
KILLS = (100 if os.environ.get("DRORCH_CAMPAIGN") else 10) // LANES
SEED = os.environ.get("DRORCH_CAMPAIGN_SEED", "20261126")

#: How long a process may take before the test gives up on it; never waited for when all is well.
PATIENCE = 120.0

REPOSITORY = "datasets/docs"


@dataclass
class Lane:
    """Premises whose second region lags behind, and is reached through the trigger."""

    premises: Premises
    chance: random.Random
    trigger: Trigger
    proxy: Faulty
    base: frozenset[str] = frozenset()
    moments: Counter[str] = field(default_factory=Counter)
    kills: int = 0

    @classmethod
    def made(cls, folder: Path, chance: random.Random) -> "Lane":
        premises = Premises.made(folder / "here", restics()[-1])
        trigger = Trigger(chance)
        proxy = Faulty(premises.regions["qc"].as_region(), trigger, slowness=0.01)
        premises.configuration["regions"]["qc"]["endpoint"] = proxy.endpoint
        del premises.configuration["datasets"]["db"]
        premises.save()
        premises.forks = True
        with premises.program() as program:
            made_quick(program, [program.dataset("docs")])
        return cls(premises, chance, trigger, proxy)

    @property
    def replica(self) -> Path:
        return self.premises.regions["qc"].bucket / REPOSITORY

    @property
    def source(self) -> Path:
        return self.premises.regions["mtl"].bucket / REPOSITORY

    def prepare(self) -> None:
        """A snapshot in both regions, and some more in the first, in many small objects."""
        assert self.premises.cli("backup", "docs").code == 0
        self.base = frozenset(objects(self.replica))
        assert self.base == frozenset(objects(self.source))
        documents = self.premises.folder / "src" / "docs"
        for n in range(6):
            (documents / f"more-{n}").write_bytes(self.chance.randbytes(5_000_000))
            self.premises.restic("backup", "--pack-size=4", str(documents))

    def measure(self, *line: str) -> int:
        """How many requests a command makes that nobody kills; the replica then has everything."""
        self.trigger.set(None, 0)
        said = self.premises.cli(*line)
        assert said.code == 0, said
        assert frozenset(objects(self.replica)) >= frozenset(objects(self.source))
        return self.trigger.requests

    def begin_again(self) -> None:
        """The replica as it was: what came is removed, by way of its server."""
        bucket: Bucket = bucket_of(self.premises.regions["qc"])
        for name in frozenset(objects(self.replica)) - self.base:
            bucket.delete(f"{REPOSITORY}/{name}")
        bucket.close()
        assert frozenset(objects(self.replica)) == self.base

    def killed(self, after: int, *line: str) -> bool:
        """A command killed after so many requests; False if it came to its end before."""
        with self.premises.started(*line, "--json") as process:
            self.trigger.set(process, after)
            _, errors = process.communicate(timeout=PATIENCE)
        if process.returncode == -9:
            self.kills += 1
            return True
        assert process.returncode == 0, errors
        return False

    def change(self) -> None:
        """Something new to back up."""
        documents = self.premises.folder / "src" / "docs"
        for n in range(3):
            (documents / f"new-{n}").write_bytes(self.chance.randbytes(2_000_000))

    def look_at_both(self) -> None:
        """Both regions open, and are right as of their newest snapshots; locks may be left."""
        for region, there in (("mtl", self.source), ("qc", self.replica)):
            assert damaged(there) == []
            self.premises.restic("check", "--read-data", "--no-lock", region=region)

    def look(self) -> None:
        """The replica opens, and is right as of its newest snapshot."""
        assert damaged(self.replica) == []
        self.premises.restic("check", "--read-data", region="qc")
        came = frozenset(objects(self.replica)) - self.base
        kinds = {name.partition("/")[0] for name in came}
        self.moments[max(kinds, key=("data", "index", "snapshots").index, default="none")] += 1


@pytest.fixture(params=range(LANES))
def runs(request, tmp_path: Path) -> Iterator[Lane]:
    lane = Lane.made(tmp_path, random.Random(f"{SEED}-{request.param}"))
    try:
        yield lane
    finally:
        lane.proxy.close()
        lane.premises.down()


@pytest.mark.campaign
def test_a_replica_cut_off_at_any_moment_can_be_opened_and_fully_checked(runs: Lane) -> None:
    runs.prepare()
    whole = runs.measure("replicate", "--dataset", "docs")
    runs.begin_again()
    while runs.kills < KILLS:
        moment = runs.chance.randint(1, whole)
        if not runs.killed(moment, "replicate", "--dataset", "docs"):
            runs.begin_again()
            continue
        runs.look()
        if runs.chance.random() < 0.6:
            runs.begin_again()
    runs.measure("replicate", "--dataset", "docs")
    runs.look()
    print(f"{runs.kills} kills within {whole} requests: {dict(runs.moments)}")


@pytest.mark.campaign
def test_a_backup_cut_off_at_any_moment_leaves_both_regions_right(runs: Lane) -> None:
    whole = runs.measure("backup", "docs")
    while runs.kills < KILLS // 2:
        runs.change()
        if runs.killed(runs.chance.randint(1, whole), "backup", "docs"):
            runs.look_at_both()
    runs.measure("backup", "docs")
    runs.look_at_both()
