"""What a run's facts say about time: RTA and RPA against their targets, and the critical path.

Everything is read off the folded state; durations go by the boot clock wherever one boot spans
them. The words:

window
    From the declaration (drill, or nothing declared: the beginning of the first of `steps`) to
    the last pass of `verify` (nothing verified: the end of the last of `steps`). While a run is
    under way the window reaches to now; a run that did not come through has a window that ends
    with its last step before cleanup, and no RTA.
RTA
    The window's length, once the run came through. Only what recovers something has one:
    restores, drills, failovers, failbacks.
RPA
    The declaration (drill, or nothing declared: the run's start) minus the time of the oldest
    data that passed steps brought back, both by the wall clock; never below zero. A restore's
    data is as old as its snapshot. A replica's is as old as the last transaction it replayed, by
    the last step that promoted it or measured its lag.
person and machine time
    A moment of the window belongs to people if at least one question was open, or the run was
    paused, and no attempt was running and none was being waited for to be tried again. All other moments, idle ones
    included, belong to the machine, so the two always add up to the window.
met
    None where there is no target or nothing to compare. A passed run is compared. A failed run
    has not met its RTO, whatever its length; its RPO can only be missed (data that was not
    proven usable meets nothing). An aborted run says nothing. A run under way has missed its RTO
    as soon as it is longer than promised.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from drorch.core.axis import Axis, began
from drorch.core.critical import Span, critical_chain, slack_of
from drorch.core.errors import ExitCode
from drorch.core.moment import Moment
from drorch.core.names import Mode, Outcome, Phase, RunKind, StepStatus
from drorch.core.outcome import outcome_of
from drorch.core.state import RunFold, StepState

#: Actions that tell how old the data is that the run brought back, and by which output.
RESTORING = {
    "restore": "snapshot_at",
    "plane.restore": "snapshot_at",
    "postgres.promote": "data_at",
    "postgres.lag": "data_at",
}

#: Those that bring a snapshot into a folder.
RESTORES = frozenset({"restore", "plane.restore"})

_RECOVERING = frozenset({RunKind.RESTORE, RunKind.DRILL, RunKind.FAILOVER, RunKind.FAILBACK})
_TIMED = (Phase.PRECONDITIONS, Phase.FENCE, Phase.STEPS, Phase.VERIFY)


@dataclass(frozen=True, slots=True)
class Measured:
    """One objective: promised, measured, and whether it was met (None: cannot be said)."""

    target: timedelta | None = None
    actual: timedelta | None = None
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is measured, in seconds on the run's axis; None before its first step."""

    begin: float
    end: float

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return timedelta(seconds=max(0.0, self.end - self.begin))


@dataclass(frozen=True, slots=True)
class Timing:
    """What `time_run` found. `slack` has the steps of the window, once the run came through.

    `data_from` is the time of the oldest data that the run rests on.
    """

    rto: Measured
    rpo: Measured
    window: Window | None = None
    machine: timedelta = timedelta()
    person: timedelta = timedelta()
    critical_path: tuple[str, ...] = ()
    slack: Mapping[str, timedelta] | None = None
    data_from: datetime | None = None

    @property
    def objectives_met(self) -> bool | None:
        """False if any was missed, else True if any is known to be met, else None."""
        known = {m.met for m in (self.rto, self.rpo)} - {None}
        return False not in known if known else None


def time_run(state: RunFold, now: Moment) -> Timing:
    """Everything above, of a run that has ended or stands where it does at `now`."""
    axis = Axis.of(state)
    outcome = _outcome(state)
    present = axis.at(state.finished_at or now)
    window = _window(state, axis, outcome, present)
    oldest = min(restored_from(state), default=None)
    rto, rpo = _rto(state, outcome, window), _rpo(state, outcome, oldest)
    if window is None:
        return Timing(rto, rpo, data_from=oldest)
    person = timedelta(seconds=_person_seconds(state, axis, window, present))
    phases = _phases(state, axis, window, present)
    path = critical_chain(phases, state.plan.parallel, window.begin)
    slack = None
    if outcome is Outcome.PASSED:
        found = slack_of(phases, state.plan.parallel, window.end)
        critical = frozenset(path)
        slack = {s: timedelta(seconds=0.0 if s in critical else v) for s, v in found.items()}
    return Timing(rto, rpo, window, window.length - person, person, path, slack, data_from=oldest)


def exit_code(state: RunFold) -> ExitCode:
    """What a command that carried this run exits with."""
    if state.finished is None:
        waiting = bool(state.asked or state.unasked or state.paused)
        return ExitCode.WAITING_FOR_PERSON if waiting else ExitCode.INTERRUPTED
    match state.finished.outcome:
        case Outcome.FAILED:
            return ExitCode.FAILED
        case Outcome.ABORTED:
            return ExitCode.ABORTED
        case Outcome.PASSED:
            missed = time_run(state, state.latest).objectives_met is False
            return ExitCode.OBJECTIVE_MISSED if missed else ExitCode.GOOD


def restored_from(state: RunFold) -> Iterator[datetime]:
    """The times of the snapshots and replicas that passed steps brought back."""
    replicas: dict[str, datetime] = {}
    for step in state.steps.values():
        at = step.outputs.get(RESTORING.get(step.plan.do, ""))
        if not isinstance(at, str) or step.plan.phase is not Phase.STEPS:
            continue
        if step.status is not StepStatus.PASSED:
            continue
        moment, database = datetime.fromisoformat(at), step.outputs.get("database")
        if isinstance(database, str):  # a replica goes on replaying: its newest counts
            replicas[database] = max(moment, replicas.get(database, moment))
        else:
            yield moment
    yield from replicas.values()


def _outcome(state: RunFold) -> Outcome | None:
    """The outcome, known as soon as only cleanup is left."""
    if state.finished is not None:
        return state.finished.outcome
    return outcome_of(state) if state.phase is Phase.CLEANUP else None


def _window(state: RunFold, axis: Axis, outcome: Outcome | None, present: float) -> Window | None:
    begin = _window_begin(state, axis)
    if begin is None:
        return None
    if outcome is None:
        return Window(begin, max(begin, present))
    ran = [s for s in state.steps.values() if s.plan.phase in _TIMED and began(s) is not None]
    verified = [s for s in ran if s.plan.phase is Phase.VERIFY and s.status is StepStatus.PASSED]
    last_steps = [s for s in ran if s.plan.phase is Phase.STEPS]
    counted = (verified or last_steps) if outcome is Outcome.PASSED else ran
    ends = (axis.at(s.closed) for s in counted if s.closed is not None)
    return Window(begin, max(ends, default=begin))


def _window_begin(state: RunFold, axis: Axis) -> float | None:
    declared = _declared(state)
    if declared is not None:
        return axis.at_wall(declared)
    begins = [
        axis.at(begin)
        for s in state.steps.values()
        if s.plan.phase is Phase.STEPS and (begin := began(s)) is not None
    ]
    return min(begins, default=None)


def _declared(state: RunFold) -> datetime | None:
    """The declaration that starts the clock; an exercise has none."""
    return state.declared_at if state.plan.mode is Mode.LIVE else None


def _rto(state: RunFold, outcome: Outcome | None, window: Window | None) -> Measured:
    if state.plan.kind not in _RECOVERING:
        return Measured()
    target = state.plan.objectives.rto
    length = window.length if window is not None else None
    if outcome is Outcome.PASSED:
        return Measured(target, length, _within(length, target))
    if target is None or outcome is Outcome.ABORTED:
        return Measured(target)
    late = outcome is Outcome.FAILED or _within(length, target) is False
    return Measured(target, None, False if late else None)


def _rpo(state: RunFold, outcome: Outcome | None, oldest: datetime | None) -> Measured:
    if state.plan.kind not in _RECOVERING:
        return Measured()
    target = state.plan.objectives.rpo
    if oldest is None:
        return Measured(target)
    actual = max(timedelta(), (_declared(state) or state.started.at) - oldest)
    met = _within(actual, target)
    known = outcome is Outcome.PASSED or (met is False and outcome is not Outcome.ABORTED)
    return Measured(target, actual, met if known else None)


def _within(actual: timedelta | None, target: timedelta | None) -> bool | None:
    return None if actual is None or target is None else actual <= target


def _phases(state: RunFold, axis: Axis, window: Window, present: float) -> list[dict[str, Span]]:
    """The steps that ended, or still go on, inside the window, phase by phase."""
    timed = _TIMED if _declared(state) is not None else _TIMED[2:]
    phases: dict[Phase, dict[str, Span]] = {phase: {} for phase in timed}
    for step in state.steps.values():
        end = axis.at(step.closed) if step.closed is not None else present
        begin = began(step)
        started = axis.at(begin) if begin is not None else end
        known = step.closed is not None or begin is not None
        if known and step.plan.phase in phases and window.begin <= end <= window.end:
            phases[step.plan.phase][step.plan.id] = Span(
                started, end, step.plan.needs, done=begin is not None, placed=bool(step.attempts)
            )
    return list(phases.values())


def _person_seconds(state: RunFold, axis: Axis, window: Window, present: float) -> float:
    """How long only people were waited for, by one sweep over the beginnings and ends."""
    changes: list[tuple[float, int, int]] = []
    for step in state.steps.values():
        for begin, end in _busy(step, axis, present):
            changes += [(begin, 1, 0), (end, -1, 0)]
        for question in step.questions:
            closed = axis.at(question.closed) if question.closed is not None else present
            changes += [(axis.at(question.at), 0, 1), (closed, 0, -1)]
    for pause in state.pauses:
        ended = axis.at(pause.ended) if pause.ended is not None else present
        changes += [(axis.at(pause.at), 0, 1), (ended, 0, -1)]
    return alone(sorted(changes), window)


def alone(changes: Iterable[tuple[float, int, int]], window: Window) -> float:
    """Seconds of the window in which the third counter is up and the second is not."""
    total, busy, asked, since = 0.0, 0, 0, window.begin
    for place, more_busy, more_asked in [*changes, (window.end, 0, 0)]:
        at = min(max(place, window.begin), window.end)
        if asked and not busy:
            total += max(0.0, at - since)
        since, busy, asked = max(since, at), busy + more_busy, asked + more_asked
    return total


def _busy(step: StepState, axis: Axis, present: float) -> Iterator[tuple[float, float]]:
    """Attempts, and the waits between an attempt and the one scheduled after it."""
    for attempt in step.attempts:
        end = axis.at(attempt.finished) if attempt.finished is not None else present
        yield axis.at(attempt.started), end
    closed = axis.at(step.closed) if step.closed is not None else present
    for number, attempt in enumerate(step.attempts, start=1):
        if attempt.wait is not None and attempt.finished is not None:
            again = number < len(step.attempts)
            until = axis.at(step.attempts[number].started) if again else closed
            yield axis.at(attempt.finished), until
