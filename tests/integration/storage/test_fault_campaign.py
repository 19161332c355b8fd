"""Faults on either side of a replication, or both, hundreds of them: nothing damaged is accepted."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest

from drorch.core.errors import StorageError
from drorch.lab.regions import LabRegion
from drorch.storage.bucket import Bucket
from drorch.storage.client import Patience
from drorch.storage.mirror import mirror
from tests.faulty import in_front_of
from tests.harms import Harm, Plan, between, drawn, well
from tests.integration.app.quick_keys import quicken_in
from tests.integration.storage.test_mirror_restic import (  # noqa: F401 - a fixture
    PASSWORD,
    Restic,
    restic,
)
from tests.objects import damaged, objects
from tests.regions import bucket_of, credentials_of, running_regions

FAULTS = 500 if os.environ.get("DRORCH_CAMPAIGN") else 50
SEED = os.environ.get("DRORCH_CAMPAIGN_SEED", "20261126")

#: A region says nothing for longer than anybody waits for it.
PATIENCE, STALL = Patience(read=timedelta(seconds=0.4)), 0.8
GIVE_UP = timedelta(seconds=3)


@pytest.fixture(scope="module")
def regions() -> Iterator[list[LabRegion]]:
    with running_regions(2) as started:
        yield started


@pytest.fixture
def filled(regions, restic, repository, tmp_path) -> None:  # noqa: F811
    """A repository of some snapshots in the first region."""
    chance = random.Random(SEED)
    files = tmp_path / "files"
    files.mkdir()
    restic(regions[0], "init")
    bucket = bucket_of(regions[0])
    quicken_in(bucket, repository, PASSWORD)
    bucket.close()
    for n in range(6):
        for m in range(3):
            (files / f"{n}-{m}").write_bytes(chance.randbytes(1_300_000))
        restic(regions[0], "backup", "--pack-size=4", str(files))


def drawn_plan(chance: random.Random) -> Plan:
    """Mostly harms that pass; now and then a region dies for good, or its keys expire."""
    kind = chance.random()
    if kind < 0.1:
        return between(chance.randrange(60), inf, Harm.DIES)
    if kind < 0.25:
        begin, harm = chance.randrange(60), chance.choice((Harm.EXPIRED, Harm.SKEWED))
        return between(begin, begin + chance.choice((3, 10, inf)), harm)
    return drawn(chance.random(), chance.choice((0.1, 0.3, 0.5)))


@dataclass
class Campaign:
    """Replications of one repository, each with faults of its own, into places of their own."""

    regions: list[LabRegion]
    repository: str
    chance: random.Random
    harms: Counter[Harm] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    place: int = 0

    @property
    def source(self) -> Path:
        return self.regions[0].bucket / self.repository

    @property
    def prefix(self) -> str:
        return f"place-{self.place}"

    @property
    def replica(self) -> Path:
        return self.regions[1].bucket / self.prefix / self.repository

    def replicate(self) -> str:
        """Once, with faults; how it ended."""
        sides = self.chance.choice(((0,), (1,), (0, 1)))
        with ExitStack() as stack:
            buckets = []
            for side in (0, 1):
                plan = drawn_plan(self.chance) if side in sides else well
                proxy = stack.enter_context(in_front_of(self.regions[side], plan, stall=STALL))
                proxy.place = self.chance.random()
                described = proxy.as_region(self.prefix if side else "")
                bucket = Bucket(
                    described,
                    credentials_of(self.regions[side]),
                    patience=PATIENCE,
                    give_up_after=GIVE_UP,
                )
                stack.callback(bucket.close)
                stack.callback(lambda proxy=proxy: self.harms.update(proxy.injected))
                buckets.append(bucket)
            return self._ending(*buckets)

    def _ending(self, source: Bucket, destination: Bucket) -> str:
        try:
            done = mirror(source, destination, self.repository)
        except StorageError as error:
            return f"owed: {error.cause}"
        if done.held_back:
            assert done.damaged
            return "owed: held back"
        assert objects(self.replica).keys() >= objects(self.source).keys()
        return "whole"

    def look(self) -> None:
        """Nothing damaged is there, whatever happened."""
        assert damaged(self.replica) == []
        config = self.replica / "config"
        assert not config.exists() or config.read_bytes() == (self.source / "config").read_bytes()

    def heal(self) -> None:
        """Once more, without faults."""
        here, there = bucket_of(self.regions[0]), bucket_of(self.regions[1], self.prefix)
        done = mirror(here, there, self.repository)
        assert done.whole
        assert not done.damaged
        assert objects(self.replica).keys() == objects(self.source).keys()
        self.look()
        here.close()
        there.close()


@pytest.mark.campaign
@pytest.mark.usefixtures("filled")
def test_no_damaged_object_is_accepted_and_every_replication_ends_whole_or_owed(
    regions,
    restic,  # noqa: F811
    repository,
):
    campaign = Campaign(regions, repository, random.Random(SEED))
    assert damaged(campaign.source) == []
    while campaign.harms.total() < FAULTS:
        ending = campaign.replicate()
        campaign.endings[ending] += 1
        campaign.look()
        opened = any((campaign.replica / "keys").glob("*")) and campaign.replica.exists()
        if opened and (ending == "whole" or campaign.chance.random() < 0.3):
            restic(regions[1], "check", "--read-data", prefix=campaign.prefix)
        if ending == "whole" or campaign.chance.random() < 0.3:
            campaign.heal()
            campaign.place += 1
    if campaign.replica.exists():
        campaign.heal()
        restic(regions[1], "check", "--read-data", prefix=campaign.prefix)
    print(dict(campaign.harms), dict(campaign.endings))
