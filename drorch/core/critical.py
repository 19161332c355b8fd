"""Which steps decided how long a run took, and how much later the others could have ended.

Knows spans on a line and who waits for whom; knows nothing of runs.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A step's time on the run's axis, in seconds, and the steps it had to wait for.

    `done` is False for a step that was only passed over: it carries the order, not the time.
    `placed` is False for a step that takes none of the places side by side: a question.
    """

    begin: float
    end: float
    needs: tuple[str, ...] = ()
    done: bool = True
    placed: bool = True


#: The spans of one phase; a phase begins when all of the one before have ended.
Spans = Mapping[str, Span]


def critical_chain(phases: Sequence[Spans], parallel: int, not_before: float) -> tuple[str, ...]:
    """The steps that led to the last end, in order.

    From the step that ended last it goes back to whatever let each step begin: the one of its
    needs that ended last, at the beginning of a phase the last of the phase before, or, where
    all `parallel` places were taken, the step that made room. Steps that had ended by
    `not_before` belong to the time before and are left out.
    """
    everything = _together(phases)
    before = _last_before(phases)
    room = _who_made_room(phases, parallel)
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
        current = room.get(current) or needed or before[current]
    return tuple(reversed(chain))


def slack_of(phases: Sequence[Spans], parallel: int, horizon: float) -> dict[str, float]:
    """How many seconds later each step could have ended without moving `horizon`.

    The places that steps left to others count: with `parallel` taken, who ends later lets the
    next one begin later.
    """
    slack: dict[str, float] = {}
    room = _who_made_room(phases, parallel)
    for phase in reversed(phases):
        starts: dict[str, float] = {}
        waited_for = {n: {*s.needs, room.get(n, "")} & phase.keys() for n, s in phase.items()}
        dependents = _dependents(waited_for)
        for name in _dependents_first(waited_for, dependents):
            latest = min((starts[d] for d in dependents[name]), default=horizon)
            span = phase[name]
            starts[name] = latest - (span.end - span.begin)
            slack[name] = max(0.0, latest - span.end)
        horizon = min(starts.values(), default=horizon)
    return slack


def _together(phases: Sequence[Spans]) -> dict[str, Span]:
    return {name: span for phase in phases for name, span in phase.items()}


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


def _dependents(waited_for: Mapping[str, AbstractSet[str]]) -> dict[str, list[str]]:
    dependents: dict[str, list[str]] = {name: [] for name in waited_for}
    for name, needs in waited_for.items():
        for need in needs:
            dependents[need].append(name)
    return dependents


def _dependents_first(
    waited_for: Mapping[str, AbstractSet[str]], dependents: Mapping[str, list[str]]
) -> list[str]:
    open_dependents = {name: len(found) for name, found in dependents.items()}
    order = [name for name, number in open_dependents.items() if number == 0]
    for name in order:
        for need in waited_for[name]:
            open_dependents[need] -= 1
            if open_dependents[need] == 0:
                order.append(need)
    return order


def _who_made_room(phases: Sequence[Spans], parallel: int) -> dict[str, str]:
    """For each step that had to wait for a place: the step whose place it took."""
    everything = _together(phases)
    before = _last_before(phases)
    placed = {n: s for n, s in everything.items() if s.done and s.placed}
    full = _times_without_room(placed, parallel)
    ended = deque(sorted((s.end, n) for n, s in placed.items()))
    left: list[str] = []
    room: dict[str, str] = {}
    for begin, name in sorted((s.begin, n) for n, s in placed.items()):
        while ended and ended[0][0] <= begin:
            left.append(ended.popleft()[1])
        maker = left.pop() if left else None
        span = everything[name]
        needs = [everything[n].end for n in (*span.needs, before[name] or "") if n in everything]
        if maker is not None and _was_full(full, max(needs, default=0.0), begin):
            room[name] = maker
    return room


def _times_without_room(spans: Spans, parallel: int) -> list[tuple[float, float]]:
    ends = [(s.end, -1) for s in spans.values()]
    full: list[tuple[float, float]] = []
    taken, since = 0, 0.0
    for at, change in sorted([*ends, *((s.begin, 1) for s in spans.values())]):
        if change < 0 and taken == parallel and at > since:
            full.append((since, at))
        taken += change
        if change > 0 and taken == parallel:
            since = at
    return full


def _was_full(full: list[tuple[float, float]], ready: float, begin: float) -> bool:
    """Whether at some time between the two moments no place was free."""
    place = bisect_left(full, (begin, begin)) - 1
    return place >= 0 and full[place][1] > ready
