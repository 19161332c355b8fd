"""How long a plan should take, from what its steps took in past runs. Pure.

The plan is gone through as the engine would go (phase after phase, what stands earlier in it
first, at most `parallel` attempts at once) with each step's median, its shortest and its longest time. A
step without a past takes no time here and is named: whatever is said is then "at least". The
window is the RTO's (core/timing.py): a drill's begins with `steps`, a declared run's with the
declaration, and both end with `verify`.

What people take is learned only from runs of the same mode: for an exercise they sit ready.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import heappop, heappush
from statistics import median

from drorch.core.critical import Span, critical_chain
from drorch.core.experience import Spent, matter_of
from drorch.core.names import Mode, Phase
from drorch.core.plan import Plan, PlannedStep
from drorch.core.ready import Ready
from drorch.core.timing import Window, alone

_OF_A_DRILL = (Phase.STEPS, Phase.VERIFY)
_OF_A_DECLARED_RUN = (Phase.PRECONDITIONS, Phase.FENCE, *_OF_A_DRILL)

#: A step whose time is not known still comes after what it needs, in seconds.
_INSTANT = 1e-6


@dataclass(frozen=True, slots=True)
class Range:
    """What is usual (by the medians), and between which bounds it was ever seen to lie."""

    least: timedelta
    typical: timedelta
    most: timedelta


@dataclass(frozen=True, slots=True)
class Expected:
    """How long one step should take, from so many past runs; `passed_over`: in none it was done."""

    took: Range
    runs: int
    passed_over: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What `forecast` found. `steps` has every step of which something is known.

    `unknown` are the steps inside the window that would be done and have no past: with any, `rta`
    is the least there is to say. `met` is whether the usual time keeps the promise; None: there
    is no promise, or it cannot be said.
    """

    rta: Range
    machine: Range
    person: Range
    critical_path: tuple[str, ...] = ()
    steps: Mapping[str, Expected] | None = None
    unknown: tuple[str, ...] = ()
    met: bool | None = None

    @property
    def known(self) -> bool:
        """Whether there is anything to go by."""
        return any(step.runs for step in (self.steps or {}).values())


def forecast(plan: Plan, past: Iterable[Spent]) -> Forecast:
    """How long the plan should take, by what its steps took."""
    known = _expected(plan, past)
    typical, least, most = (
        _Course(plan, known, which).gone_through() for which in ("typical", "least", "most")
    )
    unknown = tuple(s.id for s in _done(plan) if s.id not in known)
    rta = _range(*(c.length for c in (least, typical, most)))
    return Forecast(
        rta,
        _range(*(c.length - c.person for c in (least, typical, most))),
        _range(*(c.person for c in (least, typical, most))),
        typical.critical_path(),
        known,
        unknown,
        _met(plan.objectives.rto, rta.typical, certain=not unknown),
    )


def _met(target: timedelta | None, usual: timedelta, *, certain: bool) -> bool | None:
    if target is None or (usual <= target and not certain):
        return None
    return usual <= target


def _phases(plan: Plan) -> Sequence[Phase]:
    return _OF_A_DECLARED_RUN if plan.mode is Mode.LIVE else _OF_A_DRILL


def _done(plan: Plan) -> Iterator[PlannedStep]:
    """The steps inside the window that are not left out by plan."""
    phases = _phases(plan)
    return (step for step in plan.steps if step.phase in phases and not step.skip)


def _expected(plan: Plan, past: Iterable[Spent]) -> dict[str, Expected]:
    planned = {step.id: step for step in plan.steps if not step.skip}
    found: dict[str, list[timedelta | None]] = {}
    for one in past:
        step = planned.get(one.step)
        if step is not None and _alike(step, plan, one):
            found.setdefault(one.step, []).append(one.took)
    return {step: _summed_up(found[step]) for step in planned if step in found}


def _alike(step: PlannedStep, plan: Plan, one: Spent) -> bool:
    same = one.do == step.do and one.matter == matter_of(step, plan)
    return same and (one.mode is plan.mode or not step.person)


def _summed_up(times: Sequence[timedelta | None]) -> Expected:
    spent = sorted(one or timedelta() for one in times)
    usual = timedelta(seconds=median(one.total_seconds() for one in spent))
    never = all(one is None for one in times)
    return Expected(Range(spent[0], usual, spent[-1]), len(spent), never)


def _range(least: float, typical: float, most: float) -> Range:
    """In order: with few places side by side, shorter steps may make a run longer (Graham 1969)."""
    low, high = min(least, typical, most), max(least, typical, most)
    return Range(*(timedelta(seconds=round(s, 3)) for s in (low, typical, high)))


class _Course:
    """The plan gone through, each step taking the `which` (typical, least, most) of its times."""

    def __init__(self, plan: Plan, known: Mapping[str, Expected], which: str) -> None:
        self._plan = plan
        self._known = known
        self._which = which
        self._spans: list[dict[str, Span]] = []
        self.length = 0.0
        self.person = 0.0

    def gone_through(self) -> "_Course":
        """With everything reckoned."""
        for phase in _phases(self._plan):
            steps = {s.id: s for s in self._plan.steps if s.phase is phase}
            spans = self._carried(steps, self.length)
            self._spans.append(spans)
            self.length = max((s.end for s in spans.values()), default=self.length)
        self.person = alone(sorted(self._changes()), Window(0.0, self.length))
        return self

    def critical_path(self) -> tuple[str, ...]:
        """The steps that decide how long it takes."""
        return critical_chain(self._spans, self._plan.parallel, -1.0)

    def _carried(self, steps: Mapping[str, PlannedStep], begin: float) -> dict[str, Span]:
        """One phase: who has its needs queues up, and begins as soon as there is a place."""
        dependents: dict[str, list[str]] = {name: [] for name in steps}
        open_needs = {name: len(step.needs) for name, step in steps.items()}
        for name, step in steps.items():
            for need in step.needs:
                dependents[need].append(name)
        ready = Ready(tuple(open_needs))
        for name, number in open_needs.items():
            if not number:
                ready.add(name)
        running: list[tuple[float, int, str]] = []
        free, now, spans = self._plan.parallel, begin, {}
        while ready or running:
            while ready and free > 0:
                name = next(iter(ready))
                ready.discard(name)
                spans[name] = self._span(steps[name], now)
                heappush(running, (spans[name].end, len(spans), name))
                free -= spans[name].placed
            now, _, over = heappop(running)
            free += spans[over].placed
            for name in dependents[over]:
                open_needs[name] -= 1
                if not open_needs[name]:
                    ready.add(name)
        return spans

    def _span(self, step: PlannedStep, begin: float) -> Span:
        known = self._known.get(step.id)
        if step.skip or (known is not None and known.passed_over):
            return Span(begin, begin, step.needs, done=False, placed=False)
        took: timedelta = getattr(known.took, self._which) if known is not None else timedelta()
        end = begin + max(took.total_seconds(), _INSTANT)
        return Span(begin, end, step.needs, placed=not step.person)

    def _changes(self) -> Iterator[tuple[float, int, int]]:
        """When a step begins and ends, and whose it is: a machine's, or a person's."""
        persons = {step.id for step in self._plan.steps if step.person}
        for name, span in ((n, s) for phase in self._spans for n, s in phase.items() if s.done):
            asks = name in persons
            yield span.begin, int(not asks), int(asks)
            yield span.end, -int(not asks), -int(asks)
