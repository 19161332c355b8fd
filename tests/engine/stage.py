"""A stage for one run: its steps in a line each, what each attempt comes to, and what then shows.

Built on tests/fakes/world.py. Attempts go on side by side without threads: the engine's waiting
carries them out, and a deed that is not done yet raises NotYet and is tried again when time has
passed. So nothing here depends on how fast the machine is.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias

from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.events import Event, RunStarted, Stamped
from drorch.core.model import Configuration
from drorch.core.names import Mode, Outcome, Phase, RunKind, StepStatus, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.run import replay
from drorch.core.runbook import Retry, Until
from drorch.core.state import RunFold
from drorch.core.values import Result
from drorch.engine.attempts import Bench
from drorch.engine.inbox import Item
from drorch.engine.loop import Engine, Watcher
from drorch.ports import Action, Call, Journal, Secrets, Tools
from tests.fakes.journal import MemoryJournal
from tests.fakes.world import (
    MovingClock,
    MovingInbox,
    NoSecrets,
    ScriptedActions,
    an_engine,
    an_owner,
)

RUN = "2026-11-23T03-00-00Z-stage-0001"

Deed: TypeAlias = Verdict | Result | Exception | Callable[[Call, Tools], Result]

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR


class NotYet(BaseException):
    """The deed goes on; look again when time has passed."""


class SideBySide(MovingInbox):
    """Attempts under way, carried out in a drawn order whenever the engine waits."""

    def __init__(self, clock: MovingClock, chance: random.Random | None = None) -> None:
        super().__init__(clock)
        self.chance = chance
        self.held: list[Callable[[], None]] = []
        self.before_wait: list[Callable[[], None]] = []

    def carrier(self, work: Callable[[], None]) -> None:
        self.held.append(work)

    def wait(self, timeout: float) -> list[Item]:
        if self.before_wait:
            self.before_wait.pop(0)()
        works, self.held = self.held, []
        if self.chance is not None:
            self.chance.shuffle(works)
        for number, work in enumerate(works):
            try:
                work()
            except NotYet:
                self.held.append(work)
                continue
            if self.chance is not None:  # one at a time, so that every order can come
                self.held += works[number + 1 :]
                break
        return super().wait(timeout)


@dataclass
class Deeds:
    """What each attempt of each step comes to, in order; what is not said passes.

    `effects` notes (step, attempt) of everything that was carried out, `moments` when.
    """

    told: Mapping[str, Sequence[Deed]]
    clock: MovingClock
    effects: list[tuple[str, int]] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    arguments: dict[str, Mapping[str, object]] = field(default_factory=dict)
    spec: ActionSpec = field(
        default_factory=lambda: ActionSpec(
            "deed", "does as told", (Parameter("path", Kind.WRITE_PATH, required=False),)
        )
    )

    def find(self, name: str) -> Action | None:
        return None if name == "unheard-of" else Action(self.spec, self._run)

    def names(self) -> Sequence[str]:
        return ["deed"]

    def _run(self, call: Call, tools: Tools) -> Result:
        if (call.step, call.attempt) not in self.effects:
            self.effects.append((call.step, call.attempt))
            self.moments.append(self.clock.ticks)
            self.arguments[call.step] = call.arguments
        before = sum(1 for s, _ in self.effects if s == call.step) - 1
        told = self.told.get(call.step, ())
        deed = told[before] if before < len(told) else PASS
        if isinstance(deed, Exception):
            raise deed
        if isinstance(deed, Result):
            return deed
        if isinstance(deed, Verdict):
            value = {"value": call.step} if deed is PASS else {}
            return Result(deed, value, "" if deed is PASS else "scripted")
        return deed(call, tools)


def lasting(seconds: float, clock: MovingClock) -> Callable[[Call, Tools], Result]:
    """A deed that takes so long, unless it is told to stop."""
    begun: list[float] = []

    def work(call: Call, tools: Tools) -> Result:
        begun.append(clock.ticks)
        if call.cancel.cancelled:
            return Result(ERROR, cause="cancelled")
        if clock.ticks - begun[0] < seconds:
            raise NotYet
        return Result(PASS, {"value": call.step})

    return work


def deaf(call: Call, tools: Tools) -> Result:
    """A deed that never ends and does not listen."""
    raise NotYet


@dataclass
class Stage:
    """One plan, its deeds, and the world around them; `run`, and later `resume`."""

    steps: tuple[PlannedStep, ...]
    deeds: Mapping[str, Sequence[Deed]] = field(default_factory=dict)
    parallel: int = 8
    mode: Mode = Mode.LIVE
    inputs: Mapping[str, str] = field(default_factory=dict)
    configuration: Configuration | None = None
    secrets: Secrets = field(default_factory=NoSecrets)
    chance: random.Random | None = None
    journal: Journal | None = None
    clock: MovingClock = field(default_factory=MovingClock)
    wait_for_people: bool = False
    watchers: tuple[Watcher, ...] = ()
    life: int = 0

    def __post_init__(self) -> None:
        self.kept = MemoryJournal()
        self.actions = Deeds(self.deeds, self.clock)
        self.plan = Plan(
            RunKind.FAILOVER,
            "stage",
            self.mode,
            "stage",
            self.steps,
            inputs=self.inputs,
            parallel=self.parallel,
        )

    def engine(self) -> Engine:
        """A new process's engine; its inbox is `self.inbox`."""
        self.life += 1
        journal = self.journal or self.kept
        engine = an_engine(journal, ScriptedActions({}, self.clock), self.clock, seed=self.life)
        self.inbox = SideBySide(self.clock, self.chance)
        tools = replace(engine.bench.tools, secrets=self.secrets)
        if self.configuration is not None:
            tools = replace(tools, configuration=self.configuration)
        self.tools = tools
        engine.bench = Bench(self.actions, tools, carrier=self.inbox.carrier)
        engine.inbox = self.inbox
        engine.wait_for_people = self.wait_for_people
        engine.watchers = self.watchers
        return engine

    def run(self, *, during: Sequence[Callable[[], None]] = ()) -> RunFold:
        """Begin; `during` holds what happens before each of the engine's first waits."""
        engine = self.engine()
        self.inbox.before_wait = list(during)
        started = RunStarted(self.plan, an_owner(self.life), "tester", "test")
        return engine.begin(RUN, started, lambda row: None)

    def resume(self, *, during: Sequence[Callable[[], None]] = ()) -> RunFold:
        """The next process carries on."""
        engine = self.engine()
        self.inbox.before_wait = list(during)
        return engine.resume(RUN, an_owner(self.life), "tester")

    def say(self, *events: Event) -> None:
        """Write straight into the journal of a run that nobody carries."""
        row = self.kept.find(RUN)
        self.kept.append(RUN, row.seq, [Stamped(self.clock.now(), e) for e in events])

    def events(self, kind: type[Event] | None = None) -> list[Event]:
        """What was recorded, of one kind or all."""
        found = [r.event for r in self.kept.read(RUN)]
        return found if kind is None else [e for e in found if isinstance(e, kind)]

    def state(self) -> RunFold:
        """What the journal alone says."""
        return replay(self.kept.read(RUN))

    @property
    def done(self) -> list[str]:
        """The steps that were carried out, in order, once for each attempt."""
        return [step for step, _ in self.actions.effects]

    @property
    def statuses(self) -> dict[str, str]:
        return {s: v.status.value for s, v in self.state().steps.items()}


def a_step(name: str, phase: Phase = Phase.STEPS, **more: object) -> PlannedStep:
    given: dict[str, object] = {"do": "deed", **more}
    return PlannedStep(name, phase, **given)  # type: ignore[arg-type]


def a_check(name: str, phase: Phase = Phase.VERIFY, **more: object) -> PlannedStep:
    return a_step(name, phase, **{"check": True, "repeatable": True, **more})


def a_cleanup(name: str, **more: object) -> PlannedStep:
    return a_step(name, Phase.CLEANUP, **more)


def an_undo(step: str, **more: object) -> PlannedStep:
    return a_cleanup(f"undo:{step}", undoes=step, **more)


def a_question(name: str, phase: Phase = Phase.STEPS, **arguments: object) -> PlannedStep:
    return a_step(name, phase, do="approve", person=True, repeatable=True, arguments=arguments)


def a_retry(attempts: int, delay: float = 2.0, **more: object) -> Retry:
    return Retry(attempts, timedelta(seconds=delay), **{"jitter": 0.0, **more})  # type: ignore[arg-type]


def an_until(within: float, every: float = 1.0, successes: int = 1) -> Until:
    return Until(timedelta(seconds=within), timedelta(seconds=every), successes)


FINAL = {s.value for s in StepStatus if s.final}


def how_it_ended(state: RunFold) -> tuple[Outcome, tuple[str, ...]]:
    """What the run came to, and what it left behind."""
    assert state.finished is not None
    return state.finished.outcome, state.finished.left_behind
