"""A daemon that is killed -9 again and again while its regions die and come back: no slot is lost
without a record, no run is left to nobody, every region is whole, and `status` was right all along.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from drorch.core.errors import ExitCode
from drorch.core.names import Outcome, SlotFate
from tests.e2e.watchman import Watchman, every_slot_once, on_watch, rows, slots
from tests.integration.app.premises import Premises, restics
from tests.integration.app.quick_keys import made_quick
from tests.integration.app.seeing import wait_for

#: Seconds of turmoil; before and after it everything is made, and held against what it should be.
LASTING = 560.0 if os.environ.get("DRORCH_CAMPAIGN") else 35.0
SEED = os.environ.get("DRORCH_CAMPAIGN_SEED", "20261126")

EVERY = timedelta(seconds=10)
RPO = timedelta(seconds=25)
REGIONS = ("mtl", "qc", "cal")
DATASETS = {
    "docs": {"paths": ["src/docs"], "primary": "mtl", "copies": {"qc": "mirror", "cal": "mirror"}},
    "db": {
        "dump": {"command": ["./dump"], "filename": "ehr.dump"},
        "primary": "qc",
        "copies": {"mtl": "mirror", "cal": "mirror"},
    },
    "scans": {
        "paths": ["src/scans"],
        "primary": "cal",
        "copies": {"mtl": "mirror", "qc": "mirror"},
    },
}


def prepared(folder: Any) -> Premises:
    """Three datasets in three regions each, every ten seconds; nothing is backed up yet."""
    premises = Premises.made(folder / "here", restics()[-1], REGIONS)
    scans = premises.folder / "src" / "scans"
    scans.mkdir()
    for n in range(8):
        (scans / f"{n}.bin").write_bytes(os.urandom(200_000))
    premises.configuration["datasets"] = {
        name: Premises.dataset(
            objectives={"rpo": f"{RPO.seconds}s"},
            schedule=f"every {EVERY.seconds}s",
            verify={"check": "every 30s"} if name == "docs" else {},
            **settings,
        )
        for name, settings in DATASETS.items()
    }
    premises.save()
    with premises.program() as program:
        made_quick(program, list(program.configuration.datasets.values()))
    return premises


@dataclass
class Turmoil:
    """What is done to a daemon and its regions, and how `status` bore it."""

    premises: Premises
    chance: random.Random
    daemon: Watchman | None = None
    dead: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    tokens: set[str] = field(default_factory=set)
    _life: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        self.daemon = self._life.enter_context(on_watch(self.premises))

    def kill(self) -> None:
        """With everything that it was doing; until nothing of it lives."""
        assert self.daemon is not None
        self.daemon.kill()
        self.tokens |= self.daemon.tokens
        self.close()

    def close(self) -> None:
        self._life.close()
        self.daemon = None

    def go_on(self, until: float) -> None:
        """Something happens at any moment, and something else after it."""
        while time.monotonic() < until:
            time.sleep(self.chance.uniform(0.1, 2.5))
            what = self.chance.choice(("daemon", "daemon", "region", "region", "change"))
            getattr(self, f"_{what}")()
            self.done[what] += 1

    def _daemon(self) -> None:
        self.kill()
        # Sometimes it is missed for longer than its schedules are far apart.
        time.sleep(self.chance.choice((0.0, 0.0, 2.0, 12.0)))
        self.start()

    def _region(self) -> None:
        """At most two of the three are dead at once."""
        if self.dead and (len(self.dead) == 2 or self.chance.random() < 0.6):
            self.premises.revive(self.dead.pop(0))
        else:
            name = self.chance.choice([r for r in REGIONS if r not in self.dead])
            self.premises.kill(name)
            self.dead.append(name)

    def _change(self) -> None:
        """New data, so that a backup has something to bring."""
        place = self.premises.folder / "src" / self.chance.choice(("docs", "scans"))
        (place / f"{self.chance.randrange(20)}.bin").write_bytes(self.chance.randbytes(300_000))

    def _backed_up(self, name: str) -> bool:
        """False while the daemon itself is at it, bringing what is owed."""
        done = self.premises.cli("backup", name)
        assert done.code in (ExitCode.GOOD, ExitCode.ALREADY_RUNNING), done
        return done.code == ExitCode.GOOD

    def settle(self) -> None:
        """Regions are back, and no slots come any more: what is owed is brought, what is open ends."""
        for name in self.dead:
            self.premises.revive(name)
        if self.daemon is not None:
            self.kill()
        for dataset in self.premises.configuration["datasets"].values():
            del dataset["schedule"]
            dataset.pop("verify", None)
        self.premises.save()
        self.start()
        assert self.daemon is not None
        self.daemon.wait_for(lambda: not rows(self.premises, unfinished=True))
        for name in DATASETS:  # what a kill left behind without a word is mended by the next backup
            self.daemon.wait_for(lambda name=name: self._backed_up(name))
        assert self.daemon.stop() == 0
        self.daemon.alone()
        self.close()


@dataclass
class Samples:
    """`status --json`, again and again, held against what the regions hold at that moment."""

    premises: Premises
    count: int = 0
    breached: int = 0
    owed: int = 0
    wrong: list[str] = field(default_factory=list)

    def take(self) -> None:
        under_way = self._under_way()
        said = self.premises.cli("status")
        assert said.code == 0, said
        under_way |= self._under_way()
        alarms = {(one["what"], one["subject"]) for one in said.document["alarms"]}
        for dataset in said.document["datasets"]:
            newest = max((c["snapshot_at"] for c in dataset["copies"] if c["snapshot"]), default="")
            for copy in dataset["copies"]:
                place = f"{dataset['dataset']} in {copy['region']}"
                for flaw in self._flaws(dataset, copy, said.document["at"]):
                    self.wrong.append(f"{said.document['at']} {place}: {flaw}: {copy}")
                for flaw in _unalarmed(copy, place, alarms):
                    self.wrong.append(f"{said.document['at']} {place}: {flaw}: {copy}")
                behind = (copy["snapshot_at"] or "") < newest
                if behind and not copy["owed"] and dataset["dataset"] not in under_way:
                    self.wrong.append(f"{place} lags behind {newest}, is owed nothing: {copy}")
                self.breached += copy["rpo_met"] is False
                self.owed += copy["owed"]
        self.count += 1

    def _under_way(self) -> set[str]:
        """Datasets that have a run which is not over."""
        return {row.name for row in rows(self.premises, unfinished=True)}

    def _flaws(self, dataset: Any, copy: Any, at: str) -> Iterator[str]:
        if copy["snapshot"] is None:
            if copy["age_s"] is not None or copy["rpo_met"] is not False:
                yield "nothing is held, and it has an age"
            return
        there = self.premises.files(copy["region"], dataset["dataset"], "snapshots")
        if copy["snapshot"] not in [file.name for file in there]:
            yield "it is not there"
        age = datetime.fromisoformat(at) - datetime.fromisoformat(copy["snapshot_at"])
        if abs(age.total_seconds() - copy["age_s"]) > 0.0015:
            yield f"it is {age} old"
        if copy["rpo_met"] != (copy["age_s"] <= dataset["rpo_s"]):
            yield "its age does not say so"


def _unalarmed(copy: Any, place: str, alarms: set[tuple[str, str]]) -> Iterator[str]:
    """Alarms are there if, and only if, there is reason."""
    reasons = {
        "copy.missing": copy["snapshot"] is None,
        "rpo.breached": copy["snapshot"] is not None and not copy["rpo_met"],
        "copy.owed": copy["owed"],
    }
    for what, reason in reasons.items():
        if ((what, place) in alarms) != reason:
            yield f"{what} is {'not ' if reason else ''}told"


@contextmanager
def sampled(premises: Premises) -> Iterator[Samples]:
    """Samples are taken in a thread of their own until the end of the block."""
    samples, over = Samples(premises), threading.Event()

    def again_and_again() -> None:
        try:
            while not over.is_set():
                samples.take()
        except BaseException as error:
            samples.wrong.append(f"no sample could be taken: {error!r}")

    thread = threading.Thread(target=again_and_again)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


@pytest.mark.campaign
def test_killed_at_any_moment_with_its_regions_dying_it_loses_no_slot_and_tells_no_lie(tmp_path):
    turmoil = Turmoil(prepared(tmp_path), random.Random(f"daemon-{SEED}"))
    premises = turmoil.premises
    try:
        with sampled(premises) as samples:
            turmoil.start()
            for name in DATASETS:
                wait_for(lambda name=name: slots(premises, f"backup:{name}"))
            turmoil.go_on(time.monotonic() + LASTING)
            turmoil.settle()
            samples.take()
        assert samples.wrong == []
        fates = accounted(premises)
        whole(premises)
        assert premises.cli("journal", "verify").code == 0
    finally:
        turmoil.close()
        premises.down()
    print(
        f"{dict(turmoil.done)}; slots {dict(fates)}; {samples.count} samples, "
        f"{samples.breached} breached and {samples.owed} owed copies in them"
    )


def accounted(premises: Premises) -> Counter[SlotFate]:
    """Every slot of every backup is there once; every fired one has a run, which is over."""
    fates: Counter[SlotFate] = Counter()
    made = {row.run: row for row in rows(premises)}
    for name in DATASETS:
        for row in every_slot_once(premises, f"backup:{name}", EVERY):
            fates[row.fate] += row.count
            assert made[row.run].outcome is not None
    assert all(row.outcome is not None for row in made.values()), "somebody's run is left open"
    assert Outcome.PASSED in {row.outcome for row in made.values()}
    return fates


def whole(premises: Premises) -> None:
    """Every region can be read to the last byte, and its newest snapshot is the one that is told."""
    (said,) = [premises.cli("status").document["datasets"]]
    for dataset in said:
        for copy in dataset["copies"]:
            where = {"region": copy["region"], "dataset": dataset["dataset"]}
            premises.restic("check", "--read-data", "--no-lock", **where)
            assert premises.listed(**where)[-1]["id"] == copy["snapshot"], where
            assert not copy["owed"], where
