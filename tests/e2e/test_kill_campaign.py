"""Kill -9 at any moment of a real run: the next start resumes, and the run ends right.

For pain 1: no run stays "running" for ever because its orchestrator was restarted.
"""

import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.carried import QUIETLY, Carried, ended_right

#: Two lanes, so that two cores are used; each with its own folder, journal and seed.
LANES = 2
KILLS = (200 if os.environ.get("DRORCH_CAMPAIGN") else 20) // LANES
SEED = int(os.environ.get("DRORCH_CAMPAIGN_SEED", "20261123"))

#: Kills of one run, at most: then it is left to come to its end.
MOST = 4

DRILL = ("drill", "asking", "--json")


@dataclass
class Lane:
    """Runs one after the other, each killed at moments drawn from the seed."""

    carried: Carried
    chance: random.Random
    #: Seconds that a process takes, and that its run takes.
    whole: float = 2.0
    length: float = 1.0
    moments: "Counter[str]" = field(default_factory=Counter)

    def measure(self) -> None:
        """One run that nobody kills; it asks in its midst."""
        begun = time.monotonic()
        assert self.carried.finish(self.carried.start(*QUIETLY, *DRILL)) == (7, "")
        self.whole = time.monotonic() - begun
        seen = self.carried.seen(self.carried.newest())
        self.length = seen.state.latest.ticks - seen.state.started.ticks
        self.carried.carry_to_its_end(seen.run)
        ended_right(self.carried, seen.run)

    def killed(self, *line: str) -> bool:
        """Killed mostly while the run goes on; now and then while the program starts or leaves."""
        of_the_run = self.chance.random() < 0.8
        moment = self.chance.uniform(0, self.length if of_the_run else self.whole)
        process = self.carried.start("--progress", "json", *line)
        return self.carried.kill_after(process, moment, of_the_run=of_the_run)

    def one_run(self) -> None:
        before = self.carried.count()
        self._killed_again_and_again(before)
        if self.carried.count() == before:
            assert self.carried.finish(self.carried.start(*QUIETLY, *DRILL)) == (7, "")
        run = self.carried.newest()
        self.carried.carry_to_its_end(run)
        ended_right(self.carried, run)

    def _killed_again_and_again(self, before: int) -> None:
        line = DRILL
        for _ in range(MOST):
            if not self.killed(*line):
                return
            self.carried.journal_is_whole()
            if self.carried.count() == before:
                self.moments["before it began"] += 1
                continue
            run = self.carried.newest()
            left = self.carried.seen(run).state
            self.carried.wait_until_alone(left.owner.token)
            if left.finished is not None:
                self.moments["when it had ended"] += 1
                return
            self.moments[f"in {left.phase}"] += 1
            if self.chance.random() < 0.4:
                return
            if self.chance.random() < 0.7:
                self.carried.settle_what_is_unknown(run)
            if self.chance.random() < 0.7:
                self.carried.approve_what_is_asked(run)
            line = ("run", "resume", run, "--json")


@pytest.mark.campaign
@pytest.mark.parametrize("lane", range(LANES))
def test_a_run_killed_at_any_moment_is_carried_on_and_ends_right(tmp_path: Path, lane: int) -> None:
    chance = random.Random(f"{SEED}-{lane}")
    runs = Lane(Carried.prepared(tmp_path), chance)
    runs.one_run()  # the very first, which makes the journal
    runs.measure()
    while runs.carried.kills < KILLS:
        runs.one_run()
    print(
        f"lane {lane}: {runs.carried.kills} kills in {runs.carried.count() - 1} runs:"
        f" {dict(runs.moments)}, settled {runs.carried.settled}, approved {runs.carried.approved}"
    )
