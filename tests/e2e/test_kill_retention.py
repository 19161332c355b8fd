"""Kill -9 at any moment of retention: every region can be read whole, and the next run ends it."""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.app.history import locks, repository, rules, snapshots
from tests.integration.app.premises import Premises, restics
from tests.integration.app.quick_keys import made_quick
from tests.integration.app.seeing import PATIENCE

LANES = 2
KILLS = (100 if os.environ.get("DRORCH_CAMPAIGN") else 10) // LANES
SEED = int(os.environ.get("DRORCH_CAMPAIGN_SEED", "20261123"))
APPLY = ("retention", "apply", "--dataset", "docs", "--prune", "--progress", "none")


def prepared(folder):
    """Three snapshots in two regions, of which one is to stay; the servers are down."""
    premises = Premises.made(folder / "here", restics()[-1])
    premises.forks = True
    rules(premises, keep={"last": 1}, brake="95%")
    with premises.program() as program:
        made_quick(program, [program.dataset("docs")])
    for turn in range(3):
        (premises.folder / "src" / "docs" / "turn.bin").write_bytes(os.urandom(150_000))
        assert premises.back_up()["outcome"] == "passed", turn
    premises.down()
    premises.kept(folder / "kept")
    return premises


def readable(premises, newest):
    """Every byte of both regions is there and right, and the newest snapshot is."""

    def read(region):
        premises.restic("check", "--read-data", "--no-lock", region=region)
        assert newest in snapshots(premises, region)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(read, ("mtl", "qc")))


def end_it(premises):
    """What the next run makes of it."""
    said = premises.cli(*APPLY)
    assert said.code == 0, said
    assert repository(premises, "mtl") == repository(premises, "qc")
    assert len(snapshots(premises, "mtl")) == 1
    assert locks(premises, "mtl") == locks(premises, "qc") == []
    assert [a for a in premises.alarms() if a[0] != "run.interrupted"] == []


def killed(premises, moment):
    """Whether it was still under way."""
    with premises.started(*APPLY) as process:
        time.sleep(moment)
        if process.poll() is not None:
            return False
        process.kill()
        process.wait()
    with premises.program() as program:
        rows = program.journal.rows(unfinished=True)
    for row in rows:
        premises.wait_until_dead(row.run)
    return True


@pytest.mark.campaign
@pytest.mark.parametrize("lane", range(LANES))
def test_retention_killed_at_any_moment_leaves_every_region_whole(tmp_path, lane):
    chance = random.Random(f"retention-{SEED}-{lane}")
    premises = prepared(tmp_path)
    kept, length, kills = tmp_path / "kept", 0.0, 0
    while kills < KILLS:
        premises = premises.begun_again(kept)
        try:
            newest = max(premises.listed(), key=lambda s: s["time"])["id"]
            if not length:
                begun = time.monotonic()
                with premises.started(*APPLY) as process:
                    process.communicate(timeout=PATIENCE)
                assert process.returncode == 0
                length = time.monotonic() - begun
                end_it(premises)
                continue
            kills += killed(premises, chance.uniform(0.3, length))
            readable(premises, newest)
            end_it(premises)
            readable(premises, newest)
        finally:
            premises.down()
