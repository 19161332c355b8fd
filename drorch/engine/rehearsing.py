"""Carries a plan out as a rehearsal: the real engine, actions that follow a script, no real time.

Nothing outside is touched: no process, no file, no network, and the journal is a list. Attempts go
on side by side; the clock goes forward only while the engine waits.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import cast

from drorch.core.action import ActionSpec
from drorch.core.decide import WakeAt, decide
from drorch.core.durations import parse_duration
from drorch.core.errors import DrorchError
from drorch.core.events import (
    Event,
    Owner,
    PersonAnswered,
    PersonAsked,
    Recorded,
    RunStarted,
    Stamped,
)
from drorch.core.moment import Moment
from drorch.core.names import Mode, Verdict
from drorch.core.plan import Plan
from drorch.core.posture import RunRow
from drorch.core.rehearsal import Rehearsal, Reply, Scripted
from drorch.core.state import RunFold
from drorch.core.values import Result, Value
from drorch.engine.attempts import Bench
from drorch.engine.inbox import Inbox, Item
from drorch.engine.loop import Engine
from drorch.ports import Action, ActionTable, Call, Head, Journal, Progress, Tools

RUN = "rehearsal"
_BEGIN = datetime(2000, 1, 3, 3, 0, tzinfo=UTC)
_AT = "2000-01-03T03:00:00Z"
_USUAL = timedelta(seconds=1)
#: So often in a row may nothing lie ahead; the loop looks for people's answers once a second only.
_PATIENCE = 10


class WaitsForEver(DrorchError):
    """The run would go on only by something that the rehearsal never does."""


class _NotYet(BaseException):
    """The attempt goes on; look again later. No Exception: an action's own would be its result."""


@dataclass(slots=True)
class _Clock:
    ticks: float = 0.0

    def now(self) -> Moment:
        """See ports.Clock."""
        return Moment(_BEGIN + timedelta(seconds=self.ticks), "rehearsal", self.ticks)


@dataclass(slots=True)
class _Stage(Inbox):
    """What goes on, and when something will happen next."""

    clock: _Clock
    works: list[Callable[[], None]] = field(default_factory=list)
    dues: dict[tuple[str, int], float] = field(default_factory=dict)
    answers: list[tuple[float, Event]] = field(default_factory=list)
    state: RunFold | None = None
    idle: int = 0

    def __post_init__(self) -> None:
        Inbox.__init__(self)

    def happened(self, state: RunFold, event: Event, at: Moment) -> None:
        """See engine.loop.Watcher."""
        del event, at
        self.state = state

    def progress(self, step: str, progress: Progress) -> None:
        """See engine.loop.Watcher."""

    def carry(self, work: Callable[[], None]) -> None:
        """See engine.attempts.Carrier."""
        self.works.append(work)

    def wait(self, timeout: float) -> list[Item]:
        """Let time pass until something happens."""
        self._look()
        items = Inbox.wait(self, 0)
        if items:
            return items
        ahead = self._ahead()
        self.idle = 0 if ahead else self.idle + 1
        if self.idle > _PATIENCE:
            raise WaitsForEver(
                "the run waits for ever", "give a question an answer other than never, or `within:`"
            )
        self.clock.ticks = max(self.clock.ticks, min(ahead, default=self.clock.ticks + timeout))
        self._look()
        return Inbox.wait(self, 0)

    def _ahead(self) -> list[float]:
        """When something will happen: no need to look once a second until then."""
        now = self.clock.now()
        orders = decide(self.state, now) if self.state is not None else ()
        wakes = [order.moment.ticks for order in orders if isinstance(order, WakeAt)]
        answers = [at for at, _ in self.answers if at > now.ticks]
        return [at for at in (*wakes, *answers, *self.dues.values()) if at > now.ticks]

    def _look(self) -> None:
        works, self.works = self.works, []
        for work in works:
            try:
                work()
            except _NotYet:
                self.works.append(work)


@dataclass(slots=True)
class _ScriptedActions:
    """The real actions' promises, kept by a script."""

    real: ActionTable
    rehearsal: Rehearsal
    stage: _Stage

    def find(self, name: str) -> Action | None:
        """See ports.ActionTable."""
        action = self.real.find(name)
        return None if action is None else Action(action.spec, self._doing(action.spec))

    def names(self) -> Sequence[str]:
        """See ports.ActionTable."""
        return self.real.names()

    def _doing(self, spec: ActionSpec) -> Callable[[Call, Tools], Result]:
        def run(call: Call, _tools: Tools) -> Result:
            return self._run(spec, call)

        return run

    def _run(self, spec: ActionSpec, call: Call) -> Result:
        scripted = _scripted(self.rehearsal, call.step, call.attempt)
        takes = scripted.takes or _length(spec, call.arguments)
        late = call.timeout is not None and takes > call.timeout
        place, now = (call.step, call.attempt), self.stage.clock.ticks
        length = call.timeout if late and call.timeout is not None else takes
        due = self.stage.dues.setdefault(place, now + length.total_seconds())
        if call.cancel.cancelled:
            del self.stage.dues[place]
            return Result(Verdict.ERROR, cause="cancelled", message="stopped")
        if now < due:
            raise _NotYet
        del self.stage.dues[place]
        if late:
            return Result(Verdict.ERROR, cause="timeout", message="its time was up")
        return _ending(spec, call.step, scripted)


def _scripted(rehearsal: Rehearsal, step: str, attempt: int) -> Scripted:
    ends = rehearsal.script.get(step, ())
    return ends[min(attempt, len(ends)) - 1] if ends else Scripted()


def _length(spec: ActionSpec, arguments: Mapping[str, Value]) -> timedelta:
    waits = arguments.get("for") if spec.name == "wait" else None
    return parse_duration(waits) if isinstance(waits, str) else _USUAL


def _ending(spec: ActionSpec, step: str, scripted: Scripted) -> Result:
    """An output that is not scripted is its own name (a time, if named so): later steps find it."""
    if scripted.verdict is Verdict.PASS:
        named = {n: _AT if n.endswith("_at") else f"{step}.{n}" for n in spec.outputs}
        return Result(Verdict.PASS, {**named, **scripted.outputs})
    message = scripted.message or f"scripted: {scripted.cause}"
    return Result(scripted.verdict, scripted.outputs, scripted.cause, message)


@dataclass(slots=True)
class _Journal:
    """One run's facts, in a list; and the answers of people, who take a second."""

    rehearsal: Rehearsal
    stage: _Stage
    facts: list[Recorded] = field(default_factory=list)

    def begin(
        self, run: str, events: Sequence[Stamped], may_begin: Callable[[RunRow], None]
    ) -> Head:
        """See ports.Journal."""
        del may_begin  # nobody else carries a rehearsal
        return self.append(run, 0, events)

    def append(self, run: str, after: int, events: Sequence[Stamped], taken: int = 0) -> Head:
        """See ports.Journal."""
        del after, taken
        for one in events:
            self.facts.append(Recorded(run, len(self.facts) + 1, one.at, one.event, ""))
            if isinstance(one.event, PersonAsked):
                self._ask(one.event)
        return Head(len(self.facts), "")

    def _ask(self, asked: PersonAsked) -> None:
        scripted = _scripted(self.rehearsal, asked.step, 1)
        if scripted.reply is Reply.NEVER:
            return
        at = self.stage.clock.ticks + (scripted.takes or _USUAL).total_seconds()
        yes = scripted.reply is Reply.YES
        for number in range(asked.quorum if yes else 1):
            self.stage.answers.append(
                (at, PersonAnswered(asked.step, yes, _who(asked, number), RUN, asked.groups))
            )

    def read(self, run: str) -> Iterator[Recorded]:
        """See ports.Journal."""
        del run
        return iter(self.facts)

    def take_posted(self, run: str, after: int) -> Sequence[tuple[int, Event]]:
        """See ports.Journal."""
        del run
        return [
            (number, event)
            for number, (at, event) in enumerate(self.stage.answers, start=1)
            if number > after and at <= self.stage.clock.ticks
        ]


def rehearse(plan: Plan, rehearsal: Rehearsal, actions: ActionTable, tools: Tools) -> RunFold:
    """Carry the plan out as the rehearsal says; the finished run. Raises WaitsForEver."""
    clock = _Clock()
    stage = _Stage(clock)
    journal = _Journal(rehearsal, stage)
    scripted = _ScriptedActions(actions, rehearsal, stage)
    still = replace(tools, clock=clock, random=Random(1))  # noqa: S311 - the same jitter each time
    # An engine asks of a journal what this one can, and no more.
    engine = Engine(
        cast("Journal", journal), Bench(scripted, still, carrier=stage.carry), stage, (stage,)
    )
    owner = Owner("rehearsal", 1, 1, "rehearsal", "rehearsal", "rehearsal")
    declared = clock.now().at if plan.mode is Mode.LIVE else None
    started = RunStarted(plan, owner, "rehearsal", "rehearsal", declared_at=declared)
    return engine.begin(RUN, started, lambda _: None)


def _who(asked: PersonAsked, number: int) -> str:
    """One of those who may answer; where nobody is named, somebody."""
    return asked.by[number] if number < len(asked.by) else f"person-{number + 1}"
