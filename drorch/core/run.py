"""What a run's facts add up to: `apply(state, event) -> state`.

The state is folded in place: `apply` gives back the very object it was given, changed, so that
an event costs the same in a plan of 10,000 steps as in one of 100. Whoever needs an earlier
state replays the journal. Nothing here decides what comes next; that is core/decide.py.
"""

import heapq
from collections.abc import Iterable
from datetime import timedelta
from functools import singledispatch
from itertools import pairwise

from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    Event,
    FindingRecorded,
    PersonAnswered,
    PersonAsked,
    Recorded,
    RetryScheduled,
    RunFinished,
    RunStarted,
    RunTaken,
    StepGivenUp,
    StepSettled,
    StepSkipped,
)
from drorch.core.moment import Moment, clock_step, elapsed
from drorch.core.names import OnFailure, Outcome, Phase, StepStatus, Verdict
from drorch.core.plan import PlannedStep
from drorch.core.state import Attempt, Question, RunFold, StepState

#: How often a repeatable step may be lost with its owner before it counts as failed.
LOST_LIMIT = 3

#: A wall clock that moves further than this against the boot clock between two events is told.
CLOCK_TOLERANCE = timedelta(seconds=2)

_NEXT_PHASE = {
    Phase.PRECONDITIONS: Phase.STEPS,
    Phase.STEPS: Phase.VERIFY,
    Phase.VERIFY: Phase.CLEANUP,
    Phase.CLEANUP: None,
}


def opening(event: RunStarted, at: Moment) -> RunFold:
    """The state a run begins in."""
    plan = event.plan
    steps = {s.id: StepState(s, len(s.needs)) for s in plan.steps}
    dependents: dict[str, list[str]] = {s.id: [] for s in plan.steps}
    open_steps = dict.fromkeys(Phase, 0)
    for step in plan.steps:
        open_steps[step.phase] += 1
        for need in step.needs:
            dependents[need].append(step.id)
    state = RunFold(
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
    )
    _enter(state, Phase.PRECONDITIONS)
    _advance(state)
    return state


def replay(events: Iterable[Recorded]) -> RunFold:
    """Fold a run's journal from its first event; the first must be RunStarted."""
    iterator = iter(events)
    first = next(iterator)
    if not isinstance(first.event, RunStarted):
        raise TypeError("a run's journal begins with run.started")
    state = opening(first.event, first.at)
    for recorded in iterator:
        state = apply(state, recorded.event, recorded.at)
    return state


def apply(state: RunFold, event: Event, at: Moment) -> RunFold:
    """What a fact means: the same state, moved on."""
    step = clock_step(state.latest, at)
    if abs(step) > CLOCK_TOLERANCE:
        state.clock_steps.append((at, step))
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
    # Waits journalled under another boot are told by the wall clock from here on.
    waits = [s for s in state.steps.values() if s.due_ticks is not None]
    state.scheduled = []
    for step in waits:
        _wait(state, step, at)


@_fold.register
def _(event: AttemptStarted, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    if not step.attempts:
        state.started_order.append(event.step)
    step.attempts.append(Attempt(event.attempt, at, event.arguments))
    step.status = StepStatus.RUNNING
    step.next_try = step.due_ticks = None
    state.ready.pop(event.step, None)
    state.running[event.step] = None
    # Entries of waits that are over are dropped when they come to the top, not searched for.
    while state.scheduled and state.steps[state.scheduled[0][1]].due_ticks != state.scheduled[0][0]:
        heapq.heappop(state.scheduled)


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
    if _goes_again(state, step, event, at):
        step.status = StepStatus.RETRYING
        state.unscheduled[event.step] = None
    elif event.verdict is Verdict.PASS:
        _close(state, step, StepStatus.PASSED, at)
    else:
        _close(state, step, StepStatus.FAILED, at)


def _goes_again(state: RunFold, step: StepState, event: AttemptFinished, at: Moment) -> bool:
    plan = step.plan
    ended = event.cause == "cancelled" or (bool(state.halted) and plan.phase is not Phase.CLEANUP)
    if plan.until is not None:
        step.streak = step.streak + 1 if event.verdict is Verdict.PASS else 0
        enough = step.streak >= plan.until.successes
        spent = elapsed(step.attempts[0].started, at) + plan.until.every
        return not enough and not ended and spent <= plan.until.within
    if event.verdict is Verdict.PASS or ended:
        return False
    made = sum(1 for a in step.attempts if not a.lost)
    wanted = not plan.retry.only or event.cause in plan.retry.only
    return wanted and made < plan.retry.attempts


@_fold.register
def _(event: AttemptLost, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    attempt = step.attempts[event.attempt - 1]
    attempt.lost, attempt.finished = True, at
    state.running.pop(event.step, None)
    if not step.plan.repeatable:
        step.status = StepStatus.WAITING_FOR_PERSON
        state.unasked[event.step] = None
    elif sum(1 for a in step.attempts if a.lost) < LOST_LIMIT:
        step.status = StepStatus.WAITING
        state.ready[event.step] = None
    else:
        step.cause = "lost"
        step.message = f"its owner died {LOST_LIMIT} times while it ran"
        step.hint = "find out what kills drorch while this step runs, then start a new run"
        _close(state, step, StepStatus.FAILED, at)


@_fold.register
def _(event: RetryScheduled, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    step.next_try = event.not_before
    step.attempts[-1].wait = event.delay
    state.unscheduled.pop(event.step, None)
    _wait(state, step, at)


def _wait(state: RunFold, step: StepState, now: Moment) -> None:
    """Note when the step is due, on the boot clock that `now` is told by."""
    due = step.next_try or now
    same_boot = due.boot == now.boot
    left = due.ticks - now.ticks if same_boot else (due.at - now.at).total_seconds()
    step.due_ticks = now.ticks + max(0.0, left)
    heapq.heappush(state.scheduled, (step.due_ticks, step.plan.id))


@_fold.register
def _(event: StepSkipped, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    step.why = event.why
    _close(state, step, StepStatus.SKIPPED, at)


@_fold.register
def _(event: StepGivenUp, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    step.why = event.why
    step.cause = step.cause or event.cause
    step.message = step.message or event.why
    _close(state, step, StepStatus.FAILED, at)


@_fold.register
def _(event: PersonAsked, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    step.questions.append(Question(event, at))
    step.status = StepStatus.WAITING_FOR_PERSON
    state.ready.pop(event.step, None)
    state.unasked.pop(event.step, None)
    state.asked[event.step] = None


@_fold.register
def _(event: PersonAnswered, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    question = step.question
    if question is None:
        return
    question.answers.append((at, event))
    if not event.approved:
        step.cause, step.message = "refused", f"refused by {event.by}: {event.reason}"
        _close(state, step, StepStatus.FAILED, at)
        return
    people = {a.by for _, a in question.answers if a.approved}
    if len(people) >= question.asked.quorum:
        step.outputs = {"by": sorted(people), "reason": event.reason}
        _close(state, step, StepStatus.PASSED, at)


@_fold.register
def _(event: StepSettled, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    if not step.unknown:
        return
    step.settled.append((at, event))
    state.asked.pop(event.step, None)
    state.unasked.pop(event.step, None)
    if step.question is not None:
        step.question.closed = at
    if event.happened:
        step.why = f"settled by {event.by}: it happened ({event.reason})"
        _close(state, step, StepStatus.PASSED, at)
        return
    step.attempts[-1].denied = True
    step.status = StepStatus.WAITING
    state.ready[event.step] = None


@_fold.register
def _(event: AbortRequested, state: RunFold, _at: Moment) -> None:
    if state.abort is None:
        state.abort, state.abort_phase = event, state.phase
    state.halted = state.halted or "the run was aborted"


@_fold.register
def _(event: FindingRecorded, state: RunFold, _at: Moment) -> None:
    state.findings.append(("", event.finding))


@_fold.register
def _(event: RunFinished, state: RunFold, at: Moment) -> None:
    state.finished, state.finished_at = event, at


def _close(state: RunFold, step: StepState, status: StepStatus, at: Moment) -> None:
    plan = step.plan
    step.status, step.closed = status, at
    step.next_try = step.due_ticks = None
    if step.question is not None:
        step.question.closed = at
    for waiting in (state.ready, state.unscheduled, state.unasked, state.asked):
        waiting.pop(plan.id, None)
    if status is StepStatus.PASSED:
        state.outputs[plan.id] = step.outputs
    elif status is StepStatus.FAILED:
        _halt_if_it_stops(state, plan)
    for dependent in state.dependents[plan.id]:
        _met(state, dependent)
    state.open_steps[plan.phase] -= 1
    _advance(state)


def _advance(state: RunFold) -> None:
    while state.open_steps[state.phase] == 0:
        following = _NEXT_PHASE[state.phase]
        if following is None:
            return
        _enter(state, following)


def _halt_if_it_stops(state: RunFold, plan: PlannedStep) -> None:
    stops = plan.phase is Phase.STEPS and plan.on_failure is OnFailure.STOP
    if stops:
        state.failed_step = state.failed_step or plan.id
        state.halted = state.halted or f"step {plan.id} failed"


def _met(state: RunFold, step: str) -> None:
    waiting = state.steps[step]
    waiting.unmet -= 1
    if waiting.unmet == 0 and waiting.plan.phase is state.phase:
        state.ready[step] = None


def _enter(state: RunFold, phase: Phase) -> None:
    # A failed precondition is told only now, so that one look shows all that is wrong.
    if phase is Phase.STEPS and _any_failed(state, Phase.PRECONDITIONS) and not state.halted:
        state.halted = "a precondition failed"
    state.phase = phase
    if phase is Phase.CLEANUP:
        state.touched = any(
            state.steps[s].may_have_happened
            for s in state.started_order
            if state.steps[s].plan.phase is Phase.STEPS
        )
        _order_undo(state)
    for step in state.plan.steps:
        waiting = state.steps[step.id]
        if step.phase is phase and not waiting.unmet and not waiting.status.final:
            state.ready[step.id] = None


def _order_undo(state: RunFold) -> None:
    """Chain the undo steps in the reverse of the order in which their steps began, before the rest."""
    undoing = {s.undoes: s.id for s in state.plan.steps if s.undoes}
    chain = [undoing.pop(s) for s in reversed(state.started_order) if s in undoing]
    chain += undoing.values()
    if not chain:
        return
    written = (s for s in state.plan.steps if s.phase is Phase.CLEANUP and not s.undoes)
    roots = [s.id for s in written if not s.needs]
    for before, after in [*pairwise(chain), *((chain[-1], r) for r in roots)]:
        state.dependents[before].append(after)
        state.steps[after].unmet += 1


def _any_failed(state: RunFold, phase: Phase) -> bool:
    return any(s.status is StepStatus.FAILED for s in state.steps.values() if s.plan.phase is phase)


def outcome_of(state: RunFold) -> Outcome:
    """What the run comes to, once its steps are final."""
    aborted = state.abort is not None and state.abort_phase is not Phase.CLEANUP
    if aborted or _any_failed(state, Phase.PRECONDITIONS):
        return Outcome.ABORTED
    if state.failed_step or _any_failed(state, Phase.VERIFY):
        return Outcome.FAILED
    return Outcome.PASSED


def left_behind(state: RunFold) -> tuple[str, ...]:
    """The cleanup steps that failed: what they were to remove may still be there."""
    return tuple(
        s.plan.id
        for s in state.steps.values()
        if s.plan.phase is Phase.CLEANUP and s.status is StepStatus.FAILED
    )
