"""What a run's facts add up to: `apply(state, event) -> state`.

The state is folded in place: `apply` gives back the very object it was given, changed, so that
an event costs the same in a plan of 10,000 steps as in one of 100. Whoever needs an earlier
state replays the journal. Nothing here decides what comes next; that is core/decide.py.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import singledispatch

from drorch.core.errors import JournalUntrusted
from drorch.core.events import (
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    ConfigurationTaken,
    Event,
    FindingRecorded,
    JobsSeen,
    Recorded,
    RetryScheduled,
    RunFinished,
    RunStarted,
    RunTaken,
    ScheduleFact,
    SlotsMissed,
    SlotTaken,
    StepGivenUp,
    StepSkipped,
)
from drorch.core.moment import Moment, clock_step, elapsed
from drorch.core.names import OnFailure, Phase, StepStatus, Verdict
from drorch.core.people import WORDS, heed
from drorch.core.ready import Ready
from drorch.core.state import Attempt, ClockStep, RunFold, StepState
from drorch.core.transitions import advance, close, end_wait, enter, wait

#: How often a repeatable step may be lost with its owner before it counts as failed.
LOST_LIMIT = 3

#: Causes after which a step is never tried again: it was told to stop, or may still be at it.
_NEVER_AGAIN = frozenset({"cancelled", "abandoned"})

#: A wall clock that moves further than this against the boot clock between two events is told.
CLOCK_TOLERANCE = timedelta(seconds=2)


def opening(event: RunStarted, at: Moment, run: str = "") -> RunFold:
    """The state a run begins in; `run` is its id."""
    plan = event.plan
    steps = {s.id: StepState(s, len(s.needs)) for s in plan.steps}
    dependents: dict[str, list[str]] = {s.id: [] for s in plan.steps}
    open_steps: dict[Phase, dict[str, None]] = {phase: {} for phase in Phase}
    for step in plan.steps:
        open_steps[step.phase][step.id] = None
        for need in step.needs:
            dependents[need].append(step.id)
    state = RunFold(
        run=run,
        plan=plan,
        owner=event.owner,
        by=event.by,
        trigger=event.trigger,
        reason=event.reason,
        declared_at=event.declared_at,
        due_at=event.due_at,
        started=at,
        latest=at,
        steps=steps,
        dependents=dependents,
        open_steps=open_steps,
        phase=Phase.PRECONDITIONS,
        ready=Ready(tuple(steps)),
    )
    enter(state, Phase.PRECONDITIONS)
    advance(state)
    return state


def replay(events: Iterable[Recorded]) -> RunFold:
    """Fold a run's journal from its first event.

    Raises JournalUntrusted when the events do not follow from each other.
    """
    iterator = iter(events)
    first = next(iterator, None)
    if first is None or not isinstance(first.event, RunStarted):
        raise _unfoldable(first, "it does not begin with run.started")
    state = opening(first.event, first.at, first.run)
    for recorded in iterator:
        try:
            state = apply(state, recorded.event, recorded.at)
        except (LookupError, TypeError) as error:
            raise _unfoldable(recorded, f"{type(error).__name__} {error}") from error
    return state


def _unfoldable(recorded: Recorded | None, why: str) -> JournalUntrusted:
    where = f"event {recorded.seq} of run {recorded.run}" if recorded else "a run without events"
    return JournalUntrusted(
        f"the journal cannot be folded at {where}: {why}",
        "another version of drorch may have written it: read it with that one",
    )


def apply(state: RunFold, event: Event, at: Moment) -> RunFold:
    """What a fact means: the same state, moved on."""
    step = clock_step(state.latest, at)
    if abs(step) > CLOCK_TOLERANCE:
        state.clock_steps.append(ClockStep(at, step, at.boot != state.latest.boot))
    state.latest = at
    _fold(event, state, at)
    return state


@singledispatch
def _fold(event: Event, state: RunFold, at: Moment) -> None:  # noqa: ARG001 - its registrations use them
    raise TypeError(f"{type(event).__name__} cannot follow in a run")


@_fold.register
def _(event: RunTaken, state: RunFold, at: Moment) -> None:
    state.owner = event.owner
    state.takings.append((at, event))
    state.scheduled = []
    for step in (state.steps[s] for phase in Phase for s in state.open_steps[phase]):
        # Nobody looked while nobody carried the run: an `until` has its whole time again.
        step.streak, step.looking_since = 0, None
        # Waits journalled under another boot are told by the wall clock from here on.
        if step.due_ticks is not None:
            wait(state, step, at)


@_fold.register
def _(event: AttemptStarted, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    if not step.attempts:
        state.started_order.append(event.step)
    step.attempts.append(Attempt(event.attempt, at, event.arguments))
    step.status = StepStatus.RUNNING
    step.looking_since = step.looking_since or at
    state.ready.discard(event.step)
    state.running[event.step] = None
    end_wait(state, step)


@_fold.register
def _(event: AttemptFinished, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    attempt = step.attempts[event.attempt - 1]
    attempt.finished, attempt.elapsed, attempt.verdict = at, event.elapsed, event.verdict
    attempt.cause, attempt.message, attempt.hint = event.cause, event.message, event.hint
    attempt.evidence = event.evidence
    step.cause, step.message, step.hint = event.cause, event.message, event.hint
    step.outputs = event.outputs
    state.findings.extend((event.step, f) for f in event.findings)
    state.running.pop(event.step, None)
    step.streak = step.streak + 1 if event.verdict is Verdict.PASS else 0
    wanted = step.plan.until.successes if step.plan.until is not None else 1
    if step.streak >= wanted:
        close(state, step, StepStatus.PASSED, at)
    elif _goes_again(state, step, event, at):
        step.status = StepStatus.RETRYING
        state.unscheduled[event.step] = None
    else:
        if step.streak:
            step.cause = "halted" if state.halted else "unsteady"
            step.message = f"passed {step.streak} of the {wanted} times in a row that are wanted"
        _fail(state, step, at)


def _fail(state: RunFold, step: StepState, at: Moment) -> None:
    plan = step.plan
    if plan.on_failure is OnFailure.ASK and plan.phase is Phase.STEPS and not state.halted:
        step.status = StepStatus.WAITING_FOR_PERSON
        state.unasked[plan.id] = None
    else:
        close(state, step, StepStatus.FAILED, at)


def _goes_again(state: RunFold, step: StepState, event: AttemptFinished, at: Moment) -> bool:
    plan = step.plan
    if event.cause in _NEVER_AGAIN or (state.halted and plan.phase is not Phase.CLEANUP):
        return False
    if plan.until is not None:
        spent = elapsed(step.looking_since or at, at) + plan.until.every
        return spent <= plan.until.within
    wanted = not plan.retry.only or event.cause in plan.retry.only
    return wanted and step.made < plan.retry.attempts


@_fold.register
def _(event: AttemptLost, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    attempt = step.attempts[event.attempt - 1]
    attempt.lost, attempt.finished = True, at
    step.losses += 1
    state.running.pop(event.step, None)
    if not step.plan.repeatable:
        step.status = StepStatus.WAITING_FOR_PERSON
        state.unasked[event.step] = None
    elif step.losses < LOST_LIMIT:
        step.status = StepStatus.WAITING
        state.ready.add(event.step)
    else:
        step.cause = "lost"
        step.message = f"its owner died {LOST_LIMIT} times while it ran"
        step.hint = "find out what kills drorch while this step runs, then start a new run"
        close(state, step, StepStatus.FAILED, at)


@_fold.register
def _(event: RetryScheduled, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    step.next_try = event.not_before
    step.attempts[-1].wait = event.delay
    state.unscheduled.pop(event.step, None)
    wait(state, step, at)


@_fold.register
def _(event: StepSkipped, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    step.why = event.why
    close(state, step, StepStatus.SKIPPED, at)


@_fold.register
def _(event: StepGivenUp, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    step.why = event.why
    step.cause = step.cause or event.cause
    step.message = step.message or event.why
    close(state, step, StepStatus.FAILED, at)


@_fold.register
def _(event: FindingRecorded, state: RunFold, _at: Moment) -> None:
    state.findings.append(("", event.finding))


@_fold.register
def _(event: RunFinished, state: RunFold, at: Moment) -> None:
    state.finished, state.finished_at = event, at


def _note(event: ScheduleFact, state: RunFold, _at: Moment) -> None:
    state.schedule.append(event)


for _fact in (SlotTaken, SlotsMissed, JobsSeen, ConfigurationTaken):
    _fold.register(_fact)(_note)

for _word in WORDS:
    _fold.register(_word)(heed)
