"""What is to be seen of a run under way, kept apart from the run itself.

The engine's thread and the attempts' threads write it, the screen's thread reads it, so it holds
copies behind a lock. An event costs the same in a plan of ten steps and of ten thousand.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice

from drorch.cli.words import one_line
from drorch.core.events import Event, RetryScheduled
from drorch.core.moment import Moment
from drorch.core.names import Phase, RunKind, StepStatus
from drorch.core.state import RunFold, StepState
from drorch.ports import Progress

#: How fast the rate forgets: seconds after which an old rate counts for a third.
_MEMORY = 5.0

#: Only what recovers something is held against a promised time.
_RECOVERING = frozenset({RunKind.RESTORE, RunKind.DRILL, RunKind.FAILOVER, RunKind.FAILBACK})

#: So many needs of a waiting step are named.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One step as it is shown. `since` and `took` are by the monotonic clock, in seconds."""

    step: str
    phase: Phase
    status: StepStatus
    attempt: int = 0
    since: float | None = None
    took: float | None = None
    waits_for: str = ""
    progress: Progress | None = None
    rate: float | None = None
    told: float = 0.0
    needs: tuple[str, ...] = ()

    @property
    def remaining(self) -> float | None:
        """Seconds until all bytes are there, at the present rate; None where unknown."""
        p = self.progress
        if p is None or not self.rate or p.bytes_total is None or p.bytes_done is None:
            return None
        return max(0.0, (p.bytes_total - p.bytes_done) / self.rate)


@dataclass(slots=True)
class Shown:
    """A look at the board: the lines that fit, and how many there are in all."""

    title: str
    run: str
    lines: list[Line]
    final: int
    total: int
    running_for: float | None
    target: timedelta | None


@dataclass(slots=True)
class Board:
    """A watcher that keeps the lines of one run."""

    title: str
    run: str = ""
    monotonic: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _lines: dict[str, Line] = field(default_factory=dict)
    _busy: dict[str, None] = field(default_factory=dict)
    _closed: dict[str, None] = field(default_factory=dict)
    _order: dict[str, int] = field(default_factory=dict)
    _untouched: dict[str, None] = field(default_factory=dict)
    _window: float | None = None
    _window_end: float | None = None
    _target: timedelta | None = None

    def happened(self, state: RunFold, event: Event, at: Moment) -> None:  # noqa: ARG002 - the Protocol's
        """Take in what an event changed."""
        with self._lock:
            self.run = state.run
            if not self._lines:
                self._begin(state)
            step = getattr(event, "step", None)
            if isinstance(step, str) and step in state.steps:
                self._refresh(state.steps[step], event)
            if state.finished is not None or state.phase is Phase.CLEANUP:
                self._window_end = self._window_end or self.monotonic()

    def _begin(self, state: RunFold) -> None:
        if state.plan.kind in _RECOVERING:
            self._target = state.plan.objectives.rto
        for step in state.steps.values():
            self._lines[step.plan.id] = Line(
                step.plan.id, step.plan.phase, step.status, needs=step.plan.needs
            )
            self._untouched[step.plan.id] = None
            self._order[step.plan.id] = len(self._order)
        for step in state.steps.values():
            if step.status is not StepStatus.WAITING:
                self._refresh(step, None)
        if state.declared_at is not None:
            self._window = self.monotonic() - (state.latest.at - state.declared_at).total_seconds()

    def _refresh(self, step: StepState, event: Event | None) -> None:
        name, now = step.plan.id, self.monotonic()
        old = self._lines[name]
        attempt = len(step.attempts)
        same = old.status is step.status and old.attempt == attempt
        line = replace(
            old,
            status=step.status,
            attempt=attempt,
            since=old.since if same else now,
            waits_for=_waits_for(step, event) or (old.waits_for if same else ""),
            progress=old.progress if same else None,
            rate=old.rate if same else None,
        )
        self._untouched.pop(name, None)
        if step.status.final:
            spent = sum((a.elapsed or timedelta() for a in step.attempts), timedelta())
            line = replace(line, took=spent.total_seconds())
            self._busy.pop(name, None)
            self._closed[name] = None
        else:
            self._busy[name] = None
        if self._window is None and line.phase is Phase.STEPS and attempt:
            self._window = now
        self._lines[name] = line

    def progress(self, step: str, progress: Progress) -> None:
        """Take in how far a step is."""
        with self._lock:
            line = self._lines.get(step)
            if line is not None and line.status is StepStatus.RUNNING:
                now = self.monotonic()
                rate = _rate(line, progress, now)
                self._lines[step] = replace(line, progress=progress, rate=rate, told=now)

    def look(self, most: int) -> Shown:
        """The lines to show: what is under way, then around it what was last done and comes next."""
        with self._lock:
            busy = list(islice(self._busy, most))
            room = most - len(busy)
            coming = list(islice(self._untouched, max(room // 2, room - len(self._closed))))
            done = islice(reversed(self._closed), room - len(coming))
            names = sorted({*busy, *coming, *done}, key=self._order.__getitem__)
            wanted = [self._with_needs(self._lines[n]) for n in names]
            until = self._window_end or self.monotonic()
            ran = until - self._window if self._window is not None else None
            return Shown(
                self.title,
                self.run,
                wanted,
                len(self._closed),
                len(self._lines),
                ran,
                self._target,
            )

    def _with_needs(self, line: Line) -> Line:
        """A line that waits says for which steps; of many, the first few."""
        if line.status is not StepStatus.WAITING:
            return line
        unmet = (n for n in line.needs if n in self._lines and not self._lines[n].status.final)
        named = list(islice(unmet, _NAMED + 1))
        more = ", …" if len(named) > _NAMED else ""
        told = f"for {', '.join(named[:_NAMED])}{more}" if named else ""
        return replace(line, waits_for=told)


def _waits_for(step: StepState, event: Event | None) -> str:
    if step.status is StepStatus.RETRYING:
        why = one_line(step.attempts[-1].message) if step.attempts else ""
        delay = f"{event.delay.total_seconds():.0f}s, " if isinstance(event, RetryScheduled) else ""
        return f"again in {delay}{why}" if delay else why
    if step.question is not None:
        return f"a person: {one_line(step.question.asked.prompt)}"
    if step.status in (StepStatus.FAILED, StepStatus.SKIPPED):
        return one_line(step.message or step.why)
    return ""


def _rate(line: Line, progress: Progress, now: float) -> float | None:
    """Bytes a second, smoothed; None until two words were heard."""
    before = line.progress
    if before is None or before.bytes_done is None or progress.bytes_done is None:
        return line.rate
    passed = now - line.told
    if passed <= 0:
        return line.rate
    fresh = max(0.0, (progress.bytes_done - before.bytes_done) / passed)
    if line.rate is None:
        return fresh
    weight = min(1.0, passed / _MEMORY)
    return line.rate + (fresh - line.rate) * weight
