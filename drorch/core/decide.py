"""What comes next: `decide(state, now) -> commands`.

Pure: it looks at the state and changes nothing. It costs what there is to do, not what the plan
holds. The engine turns each command into an event, records it, folds it, and only then acts.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import TypeAlias

from drorch.core.durations import parse_duration
from drorch.core.events import PersonAsked
from drorch.core.moment import Moment, elapsed
from drorch.core.names import Mode, Otherwise, Outcome, Phase, Requester, StepStatus
from drorch.core.outcome import outcome_of
from drorch.core.plan import PlannedStep
from drorch.core.render import MissingOutputs, render
from drorch.core.runbook import When
from drorch.core.state import Question, RunFold, StepState
from drorch.core.values import Value

_BEFORE_CLEANUP = (Phase.PRECONDITIONS, Phase.FENCE, Phase.STEPS, Phase.VERIFY)

#: Why a step was left out whose `when` did not hold.
NOT_MET = "its condition does not hold"

#: What is due within this is due: waits are rounded, and nobody should wait for a rounding.
_ROUNDING = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Start:
    """Carry out this attempt, with these rendered arguments."""

    step: str
    attempt: int
    arguments: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ScheduleRetry:
    """Say when the step is tried again; `made` counts the attempts that came to a result."""

    step: str
    made: int


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave the step out, and why."""

    step: str
    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop trying or waiting for the step."""

    step: str
    cause: str
    why: str


@dataclass(frozen=True, slots=True)
class Abort:
    """End the run as if a person had: nobody answered, and the runbook wants it so."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a person."""

    question: PersonAsked


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Nothing to do before this moment, unless something happens."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Finish:
    """Every step is final."""

    outcome: Outcome


Order: TypeAlias = Start | ScheduleRetry | Skip | GiveUp | Abort | Ask | WakeAt | Finish


def decide(state: RunFold, now: Moment) -> list[Order]:
    """What is to be done now; empty while running attempts or people are waited for."""
    if state.finished is not None:
        return []
    if state.phase is Phase.CLEANUP and not state.open_steps[Phase.CLEANUP]:
        return [Finish(outcome_of(state))]
    if state.paused is not None:
        return []
    if state.halted and state.phase is not Phase.CLEANUP:
        return list(_wind_down(state))
    return _go_on(state, now)


def _wind_down(state: RunFold) -> Iterator[Order]:
    """Close every step that is not running, in every phase before cleanup."""
    phases = [state.open_steps[p] for p in _BEFORE_CLEANUP]
    if sum(map(len, phases)) == len(state.running):
        return  # nothing but what runs: not looked through again whenever one of many ends
    for step in (state.steps[s] for phase in phases for s in phase):
        if step.status is StepStatus.RUNNING:
            continue
        if step.unknown:
            yield GiveUp(step.plan.id, "unknown-outcome", f"outcome unknown, and {state.halted}")
        elif step.attempts or step.questions:
            yield GiveUp(step.plan.id, "halted", state.halted)
        else:
            yield Skip(step.plan.id, step.plan.skip or state.halted)


def _go_on(state: RunFold, now: Moment) -> list[Order]:
    orders: list[Order] = [ScheduleRetry(s, state.steps[s].made) for s in state.unscheduled]
    orders += _questions(state, now)
    free = state.plan.parallel - len(state.running)
    due, next_due = _due(state, now, free)
    for step in chain(due, state.ready):
        if free <= 0:
            break
        order = _begin(state, state.steps[step])
        orders.append(order)
        free -= isinstance(order, Start)
    # A step that is given up may stop the run: what else there is to do is decided after it.
    if any(isinstance(order, GiveUp | Abort) for order in orders):
        return [order for order in orders if isinstance(order, GiveUp | Abort | Skip)]
    if next_due is not None and not orders:
        orders.append(WakeAt(next_due))
    return orders


def _questions(state: RunFold, now: Moment) -> Iterator[Order]:
    for step in state.unasked:
        if state.abort is not None:
            yield GiveUp(step, "unknown-outcome", "outcome unknown, and the run was aborted")
        elif state.steps[step].unknown:
            yield Ask(_settle_question(state.steps[step]))
        else:
            yield Ask(_question_on_failure(state.steps[step]))
    for step in state.asked:
        question = state.steps[step].question
        if state.abort is not None:
            yield GiveUp(step, "aborted", "the run was aborted")
        elif question is not None and _overdue(question, now):
            yield _unanswered(question.asked)


def _overdue(question: Question, now: Moment) -> bool:
    within = question.asked.within
    spent = elapsed(question.at, now) - question.held
    return within is not None and spent + _ROUNDING >= within


def _unanswered(asked: PersonAsked) -> Order:
    why = f"nobody answered within {asked.within}"
    match asked.otherwise:
        case Otherwise.FAIL:
            return GiveUp(asked.step, "no-answer", why)
        case Otherwise.ABORT:
            return Abort(f"{asked.step}: {why}")
        case Otherwise.CONTINUE:
            return Skip(asked.step, f"{why}; the runbook says to go on")


def _settle_question(step: StepState) -> PersonAsked:
    attempt = step.attempts[-1]
    return PersonAsked(
        step.plan.id,
        "settle",
        f"the process that carried {step.plan.id} (attempt {attempt.number}) died: did it happen?",
    )


def _question_on_failure(step: StepState) -> PersonAsked:
    said = step.message or step.cause
    prompt = f"{step.plan.id} failed: {said}. Try it again, leave it out, or end the run?"
    return PersonAsked(step.plan.id, "failed", prompt)


def _due(state: RunFold, now: Moment, most: int) -> tuple[list[str], Moment | None]:
    """Steps whose wait is over, longest waiting first, and the next moment something is due.

    At most so many, so that a crowd that became due at once is not looked through again for
    each of them; no moment is needed then, since it goes on when one of those running ends.
    """
    due: dict[str, None] = {}
    upcoming: float | None = None
    # `scheduled` is a heap: its entries are walked from the smallest on without taking them out.
    frontier = [(state.scheduled[0], 0)] if state.scheduled else []
    while frontier and len(due) < most:
        (ticks, step), index = heapq.heappop(frontier)
        if ticks > now.ticks + _ROUNDING.total_seconds():
            upcoming = ticks
            break
        if state.steps[step].due_ticks == ticks:
            due[step] = None
        for child in (2 * index + 1, 2 * index + 2):
            if child < len(state.scheduled):
                heapq.heappush(frontier, (state.scheduled[child], child))
    deadline = _next_deadline(state, now)
    waits = [w for w in (upcoming, deadline) if w is not None]
    if not waits:
        return list(due), None
    return list(due), now.later(timedelta(seconds=max(0.0, min(waits) - now.ticks)))


def _next_deadline(state: RunFold, now: Moment) -> float | None:
    """Ticks at which the first open question's time is up."""
    left = [
        question.asked.within + question.held - elapsed(question.at, now)
        for step in state.asked
        if (question := state.steps[step].question) is not None
        and question.asked.within is not None
    ]
    return now.ticks + min(left).total_seconds() if left else None


def _begin(state: RunFold, step: StepState) -> Order:
    plan = step.plan
    reason = _reason_to_skip(state, step)
    if reason:
        return Skip(plan.id, reason)
    try:
        # The condition first: what a step refers to may have been skipped by the same condition.
        if plan.when is not None and not _holds(state, plan.when):
            return Skip(plan.id, NOT_MET)
        arguments = render(plan.arguments, state.plan.inputs, state.outputs)
    except MissingOutputs as missing:
        return _without_outputs(state, plan, str(missing))
    if plan.person:
        return _ask(plan, arguments, state.plan.mode)
    return Start(plan.id, len(step.attempts) + 1, arguments)


def _reason_to_skip(state: RunFold, step: StepState) -> str:
    plan = step.plan
    if plan.skip:
        return plan.skip
    if plan.id in state.cut_off:
        return f"it needs {state.cut_off[plan.id]}, which failed"
    if plan.phase is not Phase.CLEANUP or step.attempts:
        return ""
    if plan.undoes and not state.steps[plan.undoes].may_have_happened:
        return f"nothing to undo: {plan.undoes} did not run"
    if not state.touched:
        return "nothing was started"
    return ""


def _without_outputs(state: RunFold, plan: PlannedStep, missing: str) -> Order:
    """Cleanup of what never came to be is no failure; anything else cannot be done.

    Nor can what a lost attempt began be taken back without its outputs: that is left behind.
    """
    if plan.phase is not Phase.CLEANUP:
        return GiveUp(plan.id, "missing-output", f"{missing} never came to be")
    if plan.undoes and state.steps[plan.undoes].attempts[-1].lost:
        why = f"{missing} was never seen: what {plan.undoes} began may still be there"
        return GiveUp(plan.id, "missing-output", why)
    return Skip(plan.id, f"{missing} never came to be")


def _holds(state: RunFold, when: When) -> bool:
    value = render(when.value, state.plan.inputs, state.outputs)
    operand = render(when.operand, state.plan.inputs, state.outputs)
    return when.holds(value, operand)


def _ask(plan: PlannedStep, arguments: Mapping[str, Value], mode: Mode) -> Order:
    """The question. What came in by a reference is text, and only known now: a quorum that
    cannot be understood asks nobody, rather than fewer people than were meant.
    """
    within = arguments.get("within")
    try:
        quorum = int(str(arguments.get("quorum", 1)))
        limit = None if within is None else parse_duration(str(within))
        requester = Requester(str(arguments.get("requester") or _may_requester(plan, mode)))
        otherwise = Otherwise(str(arguments.get("otherwise") or Otherwise.FAIL))
    except ValueError as error:
        return GiveUp(plan.id, "argument", f"the question cannot be put: {error}")
    if quorum < 1:
        return GiveUp(plan.id, "argument", f"the question cannot be put: quorum is {quorum}")
    prompt = str(arguments.get("prompt", plan.title or plan.id))
    by, groups = _names(arguments.get("by")), _names(arguments.get("groups"))
    return Ask(
        PersonAsked(plan.id, plan.do, prompt, quorum, limit, by, groups, requester, otherwise)
    )


def _may_requester(plan: PlannedStep, mode: Mode) -> Requester:
    """For real, who declared it needs another to agree; an exercise one can do by oneself."""
    alone = mode is Mode.DRILL or plan.do != "approve"
    return Requester.ALONE if alone else Requester.NOT_ALONE


def _names(value: Value) -> tuple[str, ...]:
    """A list of names; one alone may come by a reference, as text."""
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()
