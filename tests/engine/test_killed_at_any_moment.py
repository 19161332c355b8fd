"""Killed at any moment and carried on by the next process, on the real journal: four deaths in five.

The fifth kills real processes (tests/e2e/test_kill_campaign.py). Here the moment is drawn among all
statements, commits and deeds of a run, so that those that a signal rarely hits are hit as often.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.core.document import run_document
from drorch.core.events import (
    AbortRequested,
    Event,
    PersonAnswered,
    RetryRequested,
    RunContinued,
    RunPaused,
    RunStarted,
    Stamped,
    StepSettled,
)
from drorch.core.model import Objectives
from drorch.core.names import Mode, OnFailure, Outcome, Phase, RunKind, RunState, StepStatus
from drorch.core.plan import Plan
from drorch.core.run import LOST_LIMIT, replay
from drorch.core.state import RunFold
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from drorch.reports.run import ReportFormat, render_run
from tests.agreeing import figures_agree
from tests.engine.doomed import Deeds, Doom, DoomedInbox, DoomedJournal, Outside, outside
from tests.engine.stage import (
    a_check,
    a_cleanup,
    a_question,
    a_retry,
    a_step,
    an_undo,
    an_until,
)
from tests.fakes.world import MovingClock, PowerCut, an_engine, an_owner

KILLS = 800 if os.environ.get("DRORCH_CAMPAIGN") else 80
SEED = os.environ.get("DRORCH_CAMPAIGN_SEED", "20261126")

#: Deaths of one run, at most: then it is left to come to its end.
MOST = 5

RUN = "2026-11-23T03-00-00Z-killed-0001"

_AFTER = ("left", "right", "again", "goes-on", "asks", "go-ahead")
STEPS = (
    a_check("ready", Phase.PRECONDITIONS),
    a_step("prepare"),
    a_step("left", needs=("prepare",)),
    a_step("right", needs=("prepare",), retry=a_retry(4, jitter=0.5)),
    a_step("again", needs=("prepare",), repeatable=True),
    a_step("goes-on", needs=("prepare",), on_failure=OnFailure.CONTINUE),
    a_step("asks", needs=("prepare",), on_failure=OnFailure.ASK),
    a_question("go-ahead", needs=("prepare",), within="2h", otherwise="continue"),
    a_step("gather", needs=_AFTER),
    a_check("gathered", until=an_until(30, successes=3)),
    an_undo("prepare"),
    an_undo("left"),
    an_undo("right"),
    a_cleanup("sweep", repeatable=True),
    a_cleanup("last", needs=("sweep",)),
)
PLAN = Plan(
    RunKind.FAILOVER,
    "killed",
    Mode.LIVE,
    "killed",
    STEPS,
    objectives=Objectives(rto=timedelta(hours=1)),
    parallel=3,
)
FAILURES = {"right": 2, "goes-on": 9, "asks": 1, "gathered": 1}


@dataclass
class Lives:
    """One run, the processes that carry it one after the other, and the person who looks after it."""

    url: str
    world: Outside
    chance: random.Random
    #: How many moments there are in an undisturbed run.
    whole: int = 400
    clock: MovingClock = field(default_factory=MovingClock)
    lives: int = 0
    deaths: "Counter[str]" = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.deeds = Deeds(self.world, self.clock, Doom(), self.chance, FAILURES)

    def through(self, most: int = MOST) -> None:
        """Live, die, be looked after and live again, until the run is over."""
        for _ in range(100):
            doomed = sum(self.deaths.values()) < most and self.chance.random() < 0.8
            # What is left of the run grows less with every life.
            left = self.whole * (1.0 if self.lives == 0 else 0.5)
            doom = Doom(int(self.chance.uniform(0, left))) if doomed else Doom()
            self.live(doom)
            if self.seen_to(died=doom.dead):
                return
            self._time_passes()
        raise AssertionError("the run never ends")

    def live(self, doom: Doom) -> None:
        """One process carries the run until it ends, only people are waited for, or it dies."""
        self.lives += 1
        self.deeds.doom = doom
        owner = an_owner(self.lives)
        with DoomedJournal(self.url, doom) as journal:
            engine = an_engine(journal, self.deeds, self.clock, seed=self.lives)
            engine.inbox = DoomedInbox(self.clock, self.chance, doom)
            engine.bench = replace(engine.bench, carrier=engine.inbox.carrier)
            try:
                if journal.recorded(RUN):
                    engine.resume(RUN, owner, "tester", word=RunContinued("tester", "it goes on"))
                else:
                    started = RunStarted(PLAN, owner, "tester", "test")
                    engine.begin(RUN, started, lambda row: None)
            except PowerCut:
                return

    def seen_to(self, *, died: bool) -> bool:
        """What a person does between two lives; whether the run is over."""
        with SqlJournal(self.url) as journal:
            report = verify_journal(journal)
            assert report.ok, report.flaws
            state = replay(journal.read(RUN)) if journal.recorded(RUN) else None
            if died:
                self.deaths["before it began" if state is None else f"in {state.phase}"] += 1
            if state is None or state.finished is not None:
                return state is not None
            for word in [*self._answers(state), *self._whims()]:
                self._say(journal, word)
        return False

    def _answers(self, state: RunFold) -> Iterator[Event]:
        for name in state.asked:
            step = state.steps[name]
            if step.unknown:
                yield StepSettled(name, name in self.world.steps(), "bob", "looked")
            elif step.failed_and_asks:
                yield RetryRequested(name, "bob", "the disk is back")
            elif self.chance.random() < 0.7:
                yield PersonAnswered(name, True, "alice", "go")

    def _whims(self) -> Iterator[Event]:
        whim = self.chance.random()
        if whim < 0.02:
            yield AbortRequested("bob", "enough")
        elif whim < 0.08:
            yield RunPaused("bob", "a moment")

    def _say(self, journal: SqlJournal, word: Event) -> None:
        """Into the journal, or left as if for an owner that has died meanwhile."""
        if self.chance.random() < 0.3:
            journal.post(RUN, word)
        else:
            journal.append(RUN, journal.find(RUN).seq, [Stamped(self.clock.now(), word)])

    def _time_passes(self) -> None:
        self.clock.pass_by(self.chance.choice((0.0, 1.0, 30.0, 900.0)))
        if self.chance.random() < 0.2:
            self.clock.reboot()


def ended_right(lives: Lives) -> RunFold:
    """Everything that must hold of a run that was killed and carried on, whatever happened."""
    with SqlJournal(lives.url) as journal:
        state = replay(journal.read(RUN))
        head = journal.find(RUN).head
    assert state.finished is not None
    assert all(s.status.final for s in state.steps.values())
    _happened_once(state, Counter(lives.world.steps()))
    _cleaned_up(state, Counter(lives.world.steps()))
    lost = any(s.losses >= LOST_LIMIT for s in state.steps.values())
    if state.abort is None and not lost:
        assert state.finished.outcome is Outcome.PASSED, state.failed_step
        assert not state.finished.left_behind
    _told_right(lives, state, head)
    return state


def _happened_once(state: RunFold, happened: "Counter[str]") -> None:
    """What is not repeatable happened once if it passed, and never twice."""
    for name, step in state.steps.items():
        if not step.plan.repeatable:
            assert happened[name] <= 1, name
        if step.status is StepStatus.PASSED and not step.plan.person:
            assert happened[name] >= 1, name


def _cleaned_up(state: RunFold, happened: "Counter[str]") -> None:
    """What happened was undone, and cleanup done; or the run says what it left behind."""
    assert state.finished is not None
    touched = any(happened[n] for n, s in state.steps.items() if s.plan.phase is Phase.STEPS)
    for name, step in state.steps.items():
        if step.plan.phase is Phase.CLEANUP:
            due = happened[step.plan.undoes] if step.plan.undoes else touched
            assert not due or happened[name] or name in state.finished.left_behind, name


def _told_right(lives: Lives, state: RunFold, head: str) -> None:
    """The report can be made, its figures agree, and it tells of every step of the wall clock."""
    word, now = RunState.FINISHED, lives.clock.now()
    document = run_document(state, run=RUN, journal_head=head, state_word=word, now=now)
    figures_agree(document)
    for one in (ReportFormat.JSON, ReportFormat.MARKDOWN):
        assert state.finished.outcome.value in render_run(document, one).decode().lower()
    if {at.boot for at, _ in state.takings} <= {state.started.boot}:
        told = sum(moved["by_s"] for moved in document["clock_moved"])
        assert told == pytest.approx(lives.deeds.clock_set, abs=0.01)


def undisturbed(folder: Path) -> int:
    """How many moments a run has that nobody kills."""
    with outside(folder / "outside") as world:
        lives = Lives(f"sqlite:///{folder}/drorch.db", world, random.Random(SEED))
        lives.through(most=0)
        ended_right(lives)
        return lives.deeds.doom.moments


@pytest.mark.campaign
def test_a_run_killed_at_any_moment_is_carried_on_and_ends_right(tmp_path: Path) -> None:
    (tmp_path / "undisturbed").mkdir()
    whole = undisturbed(tmp_path / "undisturbed")
    deaths: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    while sum(deaths.values()) < KILLS:
        number = sum(outcomes.values())
        folder = tmp_path / str(number)
        folder.mkdir()
        with outside(folder / "outside") as world:
            chance = random.Random(f"{SEED}-{number}")
            lives = Lives(f"sqlite:///{folder}/drorch.db", world, chance, whole)
            lives.through()
            state = ended_right(lives)
        deaths += lives.deaths
        outcomes[state.finished.outcome.value] += 1
    print(f"{sum(deaths.values())} deaths: {dict(deaths)}; {dict(outcomes)}")
    assert {"in steps", "in verify", "in cleanup"} <= set(deaths)
