"""What a run comes to, and what it leaves behind: read off its folded state."""

from drorch.core.facts import Fact, ServiceActive
from drorch.core.names import Mode, Outcome, Phase, RunKind, StepStatus
from drorch.core.state import RunFold


def any_failed(state: RunFold, phase: Phase) -> bool:
    """Whether a step of the phase has failed."""
    return any(s.status is StepStatus.FAILED for s in state.steps.values() if s.plan.phase is phase)


def fence_holds(state: RunFold) -> bool:
    """Whether the fencing gate lets the run through: by what was found, or by a person's word."""
    return state.forced is not None or not any_failed(state, Phase.FENCE)


def outcome_of(state: RunFold) -> Outcome:
    """What the run comes to, once its steps are final.

    What had failed when somebody aborted has failed: an abort does not take a finding back.
    """
    if state.failed:
        return Outcome.FAILED
    aborted = state.abort is not None and state.abort_phase is not Phase.CLEANUP
    if aborted or any_failed(state, Phase.PRECONDITIONS) or not fence_holds(state):
        return Outcome.ABORTED
    return Outcome.PASSED


def moved_by(state: RunFold, outcome: Outcome) -> tuple[Fact, ...]:
    """Where the service runs now, if the run moved one for real."""
    plan = state.plan
    moves = plan.kind in (RunKind.FAILOVER, RunKind.FAILBACK) and plan.mode is Mode.LIVE
    if outcome is not Outcome.PASSED or not moves or not plan.service:
        return ()
    away = plan.kind is RunKind.FAILOVER
    return (ServiceActive(plan.service, plan.site, state.run, failed_over=away),)


def left_behind(state: RunFold) -> tuple[str, ...]:
    """The cleanup steps that failed: what they were to remove may still be there."""
    return tuple(
        s.plan.id
        for s in state.steps.values()
        if s.plan.phase is Phase.CLEANUP and s.status is StepStatus.FAILED
    )


def waiting_for_person(state: RunFold) -> bool:
    """Whether the run goes on only when somebody answers; a paused one is told apart."""
    return state.finished is None and any(
        state.steps[s].status is StepStatus.WAITING_FOR_PERSON for s in state.asked
    )
