"""Which steps decided how long a run took, and how much later the others could have ended.

Knows spans on a line and who waits for whom; knows nothing of runs.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A step's time on the run's axis, in seconds, and the steps it had to wait for.

    `done` is False for a step that was only passed over: it carries the order, not the time.
    """

    begin: float
    end: float
    needs: tuple[str, ...] = ()
    done: bool = True


#: The spans of one phase; a phase begins when all of the one before have ended.
Spans = Mapping[str, Span]


def critical_chain(phases: Sequence[Spans], parallel: int, not_before: float) -> tuple[str, ...]:
    """The steps that led to the last end, in order.

    From the step that ended last it goes back to whatever let each step begin: the one of its
    needs that ended last, at the beginning of a phase the last of the phase before, or, where
    all `parallel` places were taken, the step that made room. Steps that had ended by
    `not_before` belong to the time before and are left out.
    """
    everything = {name: span for phase in phases for name, span in phase.items()}
    before = _last_before(phases)
    crowd = _Crowd([s for s in everything.values() if s.done], everything, parallel)
    chain: list[str] = []
    seen: set[str] = set()
    current = _last(everything)
    while current is not None and current not in seen:
        span = everything[current]
        if span.end <= not_before and chain:
            break
        seen.add(current)
        if span.done:
            chain.append(current)
        needed = _last({n: everything[n] for n in span.needs if n in everything})
        predecessor = needed or before[current]
        ready = everything[predecessor].end if predecessor else not_before
        current = crowd.made_room(ready, span.begin) if span.done else None
        current = current or predecessor
    return tuple(reversed(chain))


def slack_of(phases: Sequence[Spans], horizon: float) -> dict[str, float]:
    """How many seconds later each step could have ended without moving `horizon`."""
    slack: dict[str, float] = {}
    for phase in reversed(phases):
        starts: dict[str, float] = {}
        dependents = _dependents(phase)
        for name in _dependents_first(phase, dependents):
            latest = min((starts[d] for d in dependents[name]), default=horizon)
            span = phase[name]
            starts[name] = latest - (span.end - span.begin)
            slack[name] = max(0.0, latest - span.end)
        horizon = min(starts.values(), default=horizon)
    return slack


def _last(spans: Spans) -> str | None:
    return max(spans, key=lambda n: (spans[n].end, spans[n].begin), default=None)


def _last_before(phases: Sequence[Spans]) -> dict[str, str | None]:
    """For each step, the step that ended last in the phase before its own that has any."""
    before: dict[str, str | None] = {}
    last: str | None = None
    for phase in phases:
        before.update(dict.fromkeys(phase, last))
        last = _last(phase) or last
    return before


def _dependents(phase: Spans) -> dict[str, list[str]]:
    dependents: dict[str, list[str]] = {name: [] for name in phase}
    for name, span in phase.items():
        for need in span.needs:
            if need in dependents:
                dependents[need].append(name)
    return dependents


def _dependents_first(phase: Spans, dependents: Mapping[str, list[str]]) -> list[str]:
    open_dependents = {name: len(found) for name, found in dependents.items()}
    order = [name for name, count in open_dependents.items() if count == 0]
    for name in order:
        for need in phase[name].needs:
            if need in open_dependents:
                open_dependents[need] -= 1
                if open_dependents[need] == 0:
                    order.append(need)
    return order


class _Crowd:
    """When all places were taken, and who left when."""

    def __init__(self, spans: list[Span], names: Spans, parallel: int) -> None:
        self._ends = sorted((s.end, n) for n, s in names.items() if s.done)
        changes = sorted([(s.begin, 1) for s in spans] + [(s.end, -1) for s in spans])
        self._full: list[tuple[float, float]] = []
        taken, since = 0, 0.0
        for at, change in changes:
            if change < 0 and taken == parallel and at > since:
                self._full.append((since, at))
            taken += change
            if change > 0 and taken == parallel:
                since = at

    def made_room(self, ready: float, begin: float) -> str | None:
        """Who ended just before `begin`, if between the two moments no place was free."""
        place = bisect_right(self._full, (begin, begin)) - 1
        if place < 0 or self._full[place][1] <= ready or self._full[place][0] >= begin:
            return None
        left = bisect_right(self._ends, begin, key=lambda e: e[0]) - 1
        return self._ends[left][1] if left >= 0 else None
