"""What is to be seen of a run under way, kept apart from the run itself.

The engine's thread and the attempts' threads write it, the screen's thread reads it, so it holds
copies behind a lock. An event costs the same in a plan of ten steps and of ten thousand. Times are
places on this machine's boot clock, in seconds: a run that another process carries, and one that
is looked at long after it began, show the same times as to its own process.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from drorch.adapters.clock import SystemClock
from drorch.cli.words import one_line
from drorch.core.axis import began
from drorch.core.consent import Terms
from drorch.core.events import Event
from drorch.core.moment import Moment
from drorch.core.names import Mode, Phase, RunKind, StepStatus
from drorch.core.sentences import answer_to
from drorch.core.state import Question, RunFold, StepState
from drorch.ports import Progress

#: How fast the rate forgets: seconds after which an old rate counts for a third.
_MEMORY = 5.0

#: Only what recovers something is held against a promised time.
_RECOVERING = frozenset({RunKind.RESTORE, RunKind.DRILL, RunKind.FAILOVER, RunKind.FAILBACK})

#: So many letters at the end of a run's id.
_SHORT = 4

#: So many needs of a waiting step are named.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """An open question: of whom, how many have agreed, how it is answered, and until when there is
    time.
    """

    prompt: str
    whom: str
    wanting: str
    answer: str
    ends: float | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One step as it is shown. `since` is when it came to where it stands, `due` when it is tried
    again, `gives_up` when an `until` is over; `took` is how long it took in all, in seconds.
    """

    step: str
    phase: Phase
    status: StepStatus
    attempt: int = 0
    attempts: int = 1
    since: float | None = None
    took: float | None = None
    due: float | None = None
    gives_up: float | None = None
    passes: str = ""
    waits_for: str = ""
    asked: Asked | None = None
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


@dataclass(frozen=True, slots=True)
class Paused:
    """That nothing new is started, by whose word, why and since when."""

    by: str
    reason: str
    since: float


@dataclass(slots=True)
class Shown:
    """A look at the board: the lines that fit, how many there are in all, and how many of those
    that do not fit are over, or have not begun. `now` is when it was taken.
    """

    title: str
    run: str
    lines: list[Line]
    final: int
    total: int
    running_for: float | None
    target: timedelta | None
    now: float = 0.0
    paused: Paused | None = None
    ending: str = ""
    hidden_over: int = 0
    hidden_busy: int = 0
    hidden_coming: int = 0


@dataclass(slots=True)
class Board:
    """A watcher that keeps the lines of one run."""

    title: str
    run: str = ""
    clock: Callable[[], Moment] = field(default_factory=lambda: SystemClock().now)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _lines: dict[str, Line] = field(default_factory=dict)
    _busy: dict[str, None] = field(default_factory=dict)
    _closed: dict[str, None] = field(default_factory=dict)
    _order: dict[str, int] = field(default_factory=dict)
    _untouched: dict[str, None] = field(default_factory=dict)
    _window: float | None = None
    _window_end: float | None = None
    _target: timedelta | None = None
    _paused: Paused | None = None
    _ending: str = ""
    _phase: Phase = Phase.PRECONDITIONS

    def happened(self, state: RunFold, event: Event, at: Moment) -> None:
        """Take in what an event changed."""
        with self._lock:
            now = self.clock()
            self.run = state.run
            if not self._lines:
                self._begin(state, now)
            step = getattr(event, "step", None)
            if isinstance(step, str) and step in state.steps:
                self._refresh(state.steps[step], state, now)
            else:  # what concerns the run as a whole moves the deadlines of questions
                for asked in state.asked:
                    self._refresh(state.steps[asked], state, now)
            self._note_run(state, at, now)

    def _note_run(self, state: RunFold, at: Moment, now: Moment) -> None:
        pause, self._phase = state.paused, state.phase
        self._paused = (
            Paused(pause.asked.by, one_line(pause.asked.reason), _place(pause.at, now))
            if pause is not None
            else None
        )
        if state.abort is not None and state.finished is None:
            self._ending = f"ended by {state.abort.by}: {one_line(state.abort.reason)}"
        if state.finished is not None or state.phase is Phase.CLEANUP:
            self._window_end = self._window_end or _place(at, now)

    def _begin(self, state: RunFold, now: Moment) -> None:
        if state.plan.kind in _RECOVERING:
            self._target = state.plan.objectives.rto
        for step in state.steps.values():
            self._lines[step.plan.id] = Line(
                step.plan.id,
                step.plan.phase,
                step.status,
                attempts=step.plan.retry.attempts,
                needs=step.plan.needs,
            )
            self._untouched[step.plan.id] = None
            self._order[step.plan.id] = len(self._order)
        for step in state.steps.values():
            if step.status is not StepStatus.WAITING:
                self._refresh(step, state, now)
        if state.declared_at is not None and state.plan.mode is Mode.LIVE:
            since = (state.latest.at - state.declared_at).total_seconds()
            self._window = _place(state.latest, now) - since

    def _refresh(self, step: StepState, state: RunFold, now: Moment) -> None:
        name, old = step.plan.id, self._lines[step.plan.id]
        attempt = len(step.attempts)
        same = old.status is step.status and old.attempt == attempt
        since = _since(step)
        line = replace(
            old,
            status=step.status,
            attempt=attempt,
            since=_place(since, now) if since is not None else None,
            due=_place(step.next_try, now) if step.next_try is not None else None,
            gives_up=_gives_up(step, now),
            passes=_passes(step),
            waits_for=_why(step),
            asked=_asked(step.question, state, now) if step.question is not None else None,
            progress=old.progress if same else None,
            rate=old.rate if same else None,
        )
        self._untouched.pop(name, None)
        if step.status.final:
            line = replace(line, took=_took(step, now))
            self._busy.pop(name, None)
            self._closed[name] = None
        else:
            self._busy[name] = None
        begin = began(step)
        if self._window is None and line.phase is Phase.STEPS and begin is not None:
            self._window = _place(begin, now)
        self._lines[name] = line

    def progress(self, step: str, progress: Progress) -> None:
        """Take in how far a step is."""
        with self._lock:
            line = self._lines.get(step)
            if line is not None and line.status is StepStatus.RUNNING:
                now = self.clock().ticks
                rate = _rate(line, progress, now)
                self._lines[step] = replace(line, progress=progress, rate=rate, told=now)

    def look(self, most: int) -> Shown:
        """The lines to show: what is under way, then around it what was last done and comes next."""
        with self._lock:
            busy = list(islice(self._busy, most))
            room = most - len(busy)
            coming = list(islice(self._untouched, max(room // 2, room - len(self._closed))))
            done = list(islice(reversed(self._closed), room - len(coming)))
            names = sorted({*busy, *coming, *done}, key=self._order.__getitem__)
            now = self.clock().ticks
            until = self._window_end or now
            return Shown(
                self.title,
                self.run,
                [self._with_needs(self._lines[n]) for n in names],
                len(self._closed),
                len(self._lines),
                until - self._window if self._window is not None else None,
                self._target,
                now,
                self._paused,
                self._ending,
                hidden_over=len(self._closed) - len(done),
                hidden_busy=len(self._busy) - len(busy),
                hidden_coming=len(self._untouched) - len(coming),
            )

    def _with_needs(self, line: Line) -> Line:
        """A line that waits says for what."""
        if line.status is not StepStatus.WAITING:
            return line
        return replace(line, waits_for=self._waits_for(line))

    def _waits_for(self, line: Line) -> str:
        """For which steps (of many, the first few), a phase, a place among those side by side."""
        unmet = (n for n in line.needs if n in self._lines and not self._lines[n].status.final)
        named = list(islice(unmet, _NAMED + 1))
        if named:
            more = ", …" if len(named) > _NAMED else ""
            return f"for {', '.join(named[:_NAMED])}{more}"
        if line.phase is not self._phase:
            return f"after {self._phase}"
        return "until the run goes on" if self._paused is not None else "for a free place"


def _place(moment: Moment, now: Moment) -> float:
    """Where the moment lies on the present boot's clock; of another boot, by the wall clock."""
    if moment.boot == now.boot:
        return moment.ticks
    return now.ticks - (now.at - moment.at).total_seconds()


def _since(step: StepState) -> Moment | None:
    """When the step came to where it stands."""
    if step.question is not None:
        return step.question.at
    if not step.attempts or step.status is StepStatus.WAITING:
        return None
    last = step.attempts[-1]
    return last.started if step.status is StepStatus.RUNNING else last.finished


def _took(step: StepState, now: Moment) -> float | None:
    """The attempts of a step that is over; of a question, how long it stood."""
    if step.plan.person and step.questions and step.closed is not None:
        return _place(step.closed, now) - _place(step.questions[-1].at, now)
    spent = [attempt.elapsed for attempt in step.attempts if attempt.elapsed is not None]
    return sum(spent, timedelta()).total_seconds() if spent else None


def _why(step: StepState) -> str:
    """Why it is tried again, failed or was left out."""
    if step.status is StepStatus.RETRYING:
        return one_line(step.attempts[-1].message) if step.attempts else ""
    if step.status is StepStatus.SKIPPED:  # one that failed may have been left out since
        return one_line(step.why)
    return one_line(step.message or step.why) if step.status is StepStatus.FAILED else ""


def _gives_up(step: StepState, now: Moment) -> float | None:
    if step.plan.until is None or step.looking_since is None or step.status.final:
        return None
    return _place(step.looking_since, now) + step.plan.until.within.total_seconds()


def _passes(step: StepState) -> str:
    """How often in a row a check has passed that must more than once."""
    wanted = step.plan.until.successes if step.plan.until is not None else 1
    return f"passed {step.streak} of {wanted}" if wanted > 1 else ""


def _asked(question: Question, state: RunFold, now: Moment) -> Asked:
    asked = question.asked
    named = (*asked.by, *(f"group {name}" for name in asked.groups))
    agreed = {answer.by for _, answer in question.answers if answer.approved}
    several = asked.quorum > 1 or bool(agreed)
    ends: float | None = None
    until: datetime | None = None
    if asked.within is not None:
        limit = asked.within + question.held
        ends = _place(question.at, now) + limit.total_seconds()
        until = question.at.at + limit
    wanting = Terms.of(asked).wanting(agreed, state.by) if several else ""
    # The end of a run's id names it, and a short line can be copied from a narrow terminal.
    answer = answer_to(asked, state.run[-_SHORT:])
    return Asked(one_line(asked.prompt), ", ".join(named), wanting, answer, ends, until)


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
