"""How the state of a run moves from one place to the next: steps closed, phases entered, waits noted.

In place, and at a cost that does not grow with the plan. Which fact leads where stands in run.py
and people.py.
"""

import heapq
from datetime import timedelta
from itertools import pairwise

from drorch.core.moment import Moment
from drorch.core.names import OnFailure, Phase, StepStatus
from drorch.core.outcome import any_failed, fence_holds
from drorch.core.plan import PlannedStep
from drorch.core.state import RunFold, StepState

_NEXT_PHASE = {
    Phase.PRECONDITIONS: Phase.FENCE,
    Phase.FENCE: Phase.STEPS,
    Phase.STEPS: Phase.VERIFY,
    Phase.VERIFY: Phase.CLEANUP,
    Phase.CLEANUP: None,
}


def close(state: RunFold, step: StepState, status: StepStatus, at: Moment) -> None:
    """The step is final: what waits for it is told, and the next phase entered if it was the last."""
    plan = step.plan
    step.status, step.closed = status, at
    end_wait(state, step)
    if step.question is not None:
        step.question.closed = at
    state.ready.discard(plan.id)
    for waiting in (state.unscheduled, state.unasked, state.asked):
        waiting.pop(plan.id, None)
    if status is StepStatus.PASSED:
        state.outputs[plan.id] = step.outputs
    elif status is StepStatus.FAILED:
        _count_failure(state, plan)
    lost = plan.id if _isolated(plan, status) else state.cut_off.get(plan.id)
    for dependent in state.dependents[plan.id]:
        if lost is not None:
            state.cut_off.setdefault(dependent, lost)
        _met(state, dependent)
    del state.open_steps[plan.phase][plan.id]
    advance(state)


def advance(state: RunFold) -> None:
    """Enter the phases that follow, as long as nothing is open in the present one."""
    while not state.open_steps[state.phase]:
        following = _NEXT_PHASE[state.phase]
        if following is None:
            return
        enter(state, following)


def _isolated(plan: PlannedStep, status: StepStatus) -> bool:
    """Whether what needs the step is left out while the rest goes on."""
    failed = status is StepStatus.FAILED and plan.phase is Phase.STEPS
    return failed and plan.on_failure is OnFailure.ISOLATE


def _count_failure(state: RunFold, plan: PlannedStep) -> None:
    stops = plan.phase is Phase.STEPS and plan.on_failure is not OnFailure.CONTINUE
    if state.abort is None:
        state.failed = state.failed or stops or plan.phase is Phase.VERIFY
        state.failed_step = state.failed_step or (plan.id if stops else "")
    if stops and plan.on_failure is not OnFailure.ISOLATE:
        state.halted = state.halted or f"step {plan.id} failed"


def _met(state: RunFold, step: str) -> None:
    waiting = state.steps[step]
    waiting.unmet -= 1
    # A run that was halted has closed it already, while what it needs was still under way.
    if waiting.unmet == 0 and waiting.plan.phase is state.phase and not waiting.status.final:
        state.ready.add(step)


def enter(state: RunFold, phase: Phase) -> None:
    """The phase begins."""
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
            state.ready.add(step)


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


def wait(state: RunFold, step: StepState, now: Moment) -> None:
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


def end_wait(state: RunFold, step: StepState) -> None:
    """It waits for no moment any more."""
    step.next_try = step.due_ticks = None
    # Entries of waits that are over are dropped when they come to the top, not searched for.
    while state.scheduled and state.steps[state.scheduled[0][1]].due_ticks != state.scheduled[0][0]:
        heapq.heappop(state.scheduled)
