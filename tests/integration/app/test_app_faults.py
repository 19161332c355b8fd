"""`drorch replicate` among faults: it ends whole or owed, and says which; never is it silent."""

import os
import random
from contextlib import ExitStack

import pytest

from tests.faulty import Faulty, in_front_of
from tests.harms import drawn, well
from tests.integration.app.seeing import findings
from tests.objects import damaged, objects

FAULTS = 100 if os.environ.get("DRORCH_CAMPAIGN") else 10
SEED = os.environ.get("DRORCH_CAMPAIGN_SEED", "20261126")

REPOSITORY = "datasets/docs"


@pytest.mark.campaign
def test_a_replication_among_faults_ends_whole_or_owed(premises):
    chance = random.Random(SEED)
    here, there = (premises.regions[r].bucket / REPOSITORY for r in ("mtl", "qc"))
    straight = {r: premises.regions[r].endpoint for r in ("mtl", "qc")}
    harmed = 0
    endings: set[str] = set()
    while harmed < FAULTS:
        # The journal knows nothing of it: restic by hand, into the first region alone.
        (premises.folder / "src" / "docs" / "new").write_bytes(chance.randbytes(200_000))
        premises.restic("backup", str(premises.folder / "src" / "docs"))
        proxies: list[Faulty] = []
        with ExitStack() as stack:
            for region in ("mtl", "qc"):
                plan = drawn(chance.random(), chance.choice((0.2, 0.4, 0.7)))
                plan = plan if chance.random() < 0.7 else well
                proxy = stack.enter_context(in_front_of(premises.regions[region], plan, stall=0.5))
                premises.configuration["regions"][region]["endpoint"] = proxy.endpoint
                proxies.append(proxy)
            premises.save()
            run = premises.replicate()
        harmed += sum(p.injected.total() for p in proxies)
        assert damaged(there) == []
        endings.add(run["outcome"])
        if run["outcome"] == "passed":
            assert objects(there).keys() >= objects(here).keys()
        else:
            assert {"copy.owed", "object.damaged"} & set(findings(run))
    for region, endpoint in straight.items():
        premises.configuration["regions"][region]["endpoint"] = endpoint
    premises.save()
    assert premises.replicate()["outcome"] == "passed"
    assert objects(there).keys() == objects(here).keys()
    premises.restic("check", "--read-data", region="qc")
    print(endings)
