"""Kill -9 at any moment of a real run: the next start resumes, and the run ends right."""

import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drorch.core.names import Outcome, StepStatus
from drorch.core.run import LOST_LIMIT
from drorch.core.state import RunFold
from tests.e2e.carried import ONCE, REPEATED, Carried

#: Two lanes, so that two cores are used; each with its own folder, journal and seed.
LANES = 2
KILLS = (200 if os.environ.get("DRORCH_CAMPAIGN") else 20) // LANES
SEED = int(os.environ.get("DRORCH_CAMPAIGN_SEED", "20261123"))

#: Kills of one run, at most: then it is left to come to its end.
MOST = 4

DRILL = ("drill", "campaign", "--json")
QUIETLY = ("--progress", "none")


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
        """One run that nobody kills."""
        begun = time.monotonic()
        assert self.carried.finish(self.carried.start(*QUIETLY, *DRILL)) == (0, "")
        self.whole = time.monotonic() - begun
        seen = self.carried.seen(self.carried.newest())
        self.length = seen.state.latest.ticks - seen.state.started.ticks
        _ended_right(self.carried, seen.run)

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
            assert self.carried.finish(self.carried.start(*QUIETLY, *DRILL)) == (0, "")
        run = self.carried.newest()
        self._carry_to_its_end(run)
        _ended_right(self.carried, run)

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
            line = ("run", "resume", run, "--json")

    def _carry_to_its_end(self, run: str) -> None:
        """Resume, and settle by what the outside says, until it is over."""
        while self.carried.seen(run).state.finished is None:
            self.carried.settle_what_is_unknown(run)
            line = (*QUIETLY, "run", "resume", run, "--json")
            code, errors = self.carried.finish(self.carried.start(*line))
            assert (code, errors) in {(0, ""), (1, ""), (7, "")}


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
        f" {dict(runs.moments)}, settled {runs.carried.settled}"
    )


def _ended_right(carried: Carried, run: str) -> None:
    carried.journal_is_whole()
    state = carried.seen(run).state
    assert state.finished is not None
    for token in [state.owner.token, *(t.owner.token for _, t in state.takings)]:
        carried.wait_until_alone(token)
    lost = {s.plan.id for s in state.steps.values() if s.losses >= LOST_LIMIT and s.plan.repeatable}
    if lost:
        # Killed too often at the same place: given up, and said so; cleanup was still done.
        assert all(state.steps[s].status is StepStatus.FAILED for s in lost)
        assert all(carried.effects(run).count(s) == 1 for s in _undone(state))
        return
    assert state.finished.outcome is Outcome.PASSED, state.steps
    assert not state.finished.left_behind
    passed = {s for s, v in state.steps.items() if v.status is StepStatus.PASSED}
    assert set(state.steps) - passed == {"told-to-go-on"}
    _happened_right(carried.effects(run), _undone(state))


def _undone(state: RunFold) -> list[str]:
    """The undo steps in the order in which they must have happened."""
    undoes = {s.plan.undoes: s.plan.id for s in state.steps.values() if s.plan.undoes}
    return [undoes[s] for s in reversed(state.started_order) if s in undoes]


def _happened_right(effects: list[str], undone: list[str]) -> None:
    counted = Counter(effects)
    assert {s: counted[s] for s in ONCE} == dict.fromkeys(ONCE, 1)
    assert all(counted[s] >= 1 for s in REPEATED)
    assert [s for s in effects if s.startswith("undo:")] == undone
    assert effects[-1] == "last"
