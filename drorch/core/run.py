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

from drorch.core.errors import JournalUntrusted
from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    Event,
    FenceForced,
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
from drorch.core.names import OnFailure, Phase, StepStatus, Verdict
from drorch.core.outcome import any_failed, fence_holds
from drorch.core.plan import PlannedStep
from drorch.core.state import Attempt, Question, RunFold, StepState

#: How often a repeatable step may be lost with its owner before it counts as failed.
LOST_LIMIT = 3

#: Causes after which a step is never tried again: it was told to stop, or may still be at it.
_NEVER_AGAIN = frozenset({"cancelled", "abandoned"})

#: A wall clock that moves further than this against the boot clock between two events is told.
CLOCK_TOLERANCE = timedelta(seconds=2)

_NEXT_PHASE = {
    Phase.PRECONDITIONS: Phase.FENCE,
    Phase.FENCE: Phase.STEPS,
    Phase.STEPS: Phase.VERIFY,
    Phase.VERIFY: Phase.CLEANUP,
    Phase.CLEANUP: None,
}


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
    )
    _enter(state, Phase.PRECONDITIONS)
    _advance(state)
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
    state.scheduled = []
    for step in (state.steps[s] for phase in Phase for s in state.open_steps[phase]):
        # Nobody looked while nobody carried the run: an `until` has its whole time again.
        step.streak, step.looking_since = 0, None
        # Waits journalled under another boot are told by the wall clock from here on.
        if step.due_ticks is not None:
            _wait(state, step, at)


@_fold.register
def _(event: AttemptStarted, state: RunFold, at: Moment) -> None:
    step = state.steps[event.step]
    if not step.attempts:
        state.started_order.append(event.step)
    step.attempts.append(Attempt(event.attempt, at, event.arguments))
    step.status = StepStatus.RUNNING
    step.looking_since = step.looking_since or at
    state.ready.pop(event.step, None)
    state.running[event.step] = None
    _end_wait(state, step)


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
        _close(state, step, StepStatus.PASSED, at)
    elif _goes_again(state, step, event, at):
        step.status = StepStatus.RETRYING
        state.unscheduled[event.step] = None
    else:
        if step.streak:
            step.cause = "halted" if state.halted else "unsteady"
            step.message = f"passed {step.streak} of the {wanted} times in a row that are wanted"
        _close(state, step, StepStatus.FAILED, at)


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
    if due.boot == now.boot:
        left = due.ticks - now.ticks
    else:
        # A wall clock set back across a reboot must not make the wait longer than it was.
        whole = step.attempts[-1].wait or timedelta()
        left = min(due.at - now.at, whole).total_seconds()
    step.due_ticks = now.ticks + max(0.0, left)
    heapq.heappush(state.scheduled, (step.due_ticks, step.plan.id))


def _end_wait(state: RunFold, step: StepState) -> None:
    step.next_try = step.due_ticks = None
    # Entries of waits that are over are dropped when they come to the top, not searched for.
    while state.scheduled and state.steps[state.scheduled[0][1]].due_ticks != state.scheduled[0][0]:
        heapq.heappop(state.scheduled)


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
    if question is None or step.unknown:  # whether something happened is settled, not approved
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
def _(event: FenceForced, state: RunFold, _at: Moment) -> None:
    state.forced = event


@_fold.register
def _(event: FindingRecorded, state: RunFold, _at: Moment) -> None:
    state.findings.append(("", event.finding))


@_fold.register
def _(event: RunFinished, state: RunFold, at: Moment) -> None:
    state.finished, state.finished_at = event, at


def _close(state: RunFold, step: StepState, status: StepStatus, at: Moment) -> None:
    plan = step.plan
    step.status, step.closed = status, at
    _end_wait(state, step)
    if step.question is not None:
        step.question.closed = at
    for waiting in (state.ready, state.unscheduled, state.unasked, state.asked):
        waiting.pop(plan.id, None)
    if status is StepStatus.PASSED:
        state.outputs[plan.id] = step.outputs
    elif status is StepStatus.FAILED:
        _count_failure(state, plan)
    for dependent in state.dependents[plan.id]:
        _met(state, dependent)
    del state.open_steps[plan.phase][plan.id]
    _advance(state)


def _advance(state: RunFold) -> None:
    while not state.open_steps[state.phase]:
        following = _NEXT_PHASE[state.phase]
        if following is None:
            return
        _enter(state, following)


def _count_failure(state: RunFold, plan: PlannedStep) -> None:
    stops = plan.phase is Phase.STEPS and plan.on_failure is OnFailure.STOP
    if state.abort is None:
        state.failed = state.failed or stops or plan.phase is Phase.VERIFY
        state.failed_step = state.failed_step or (plan.id if stops else "")
    if stops:
        state.halted = state.halted or f"step {plan.id} failed"


def _met(state: RunFold, step: str) -> None:
    waiting = state.steps[step]
    waiting.unmet -= 1
    # A run that was halted has closed it already, while what it needs was still under way.
    if waiting.unmet == 0 and waiting.plan.phase is state.phase and not waiting.status.final:
        state.ready[step] = None


def _enter(state: RunFold, phase: Phase) -> None:
    # A failed precondition is told only now, so that one look shows all that is wrong.
    if phase is Phase.FENCE and any_failed(state, Phase.PRECONDITIONS) and not state.halted:
        state.halted = "a precondition failed"
    if phase is Phase.STEPS and not fence_holds(state) and not state.halted:
        state.halted = "the primary is not known to be down or fenced"
    state.phase = phase
    if phase is Phase.CLEANUP:
        state.touched = any(
            state.steps[s].may_have_happened
            for s in state.started_order
            if state.steps[s].plan.phase is Phase.STEPS
        )
        _order_undo(state)
    for step in state.open_steps[phase]:
        if not state.steps[step].unmet:
            state.ready[step] = None


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
