"""What a run comes to, and what it leaves behind: read off its folded state."""

from drorch.core.names import Outcome, Phase, StepStatus
from drorch.core.state import RunFold


def any_failed(state: RunFold, phase: Phase) -> bool:
    """Whether a step of the phase has failed."""
    return any(s.status is StepStatus.FAILED for s in state.steps.values() if s.plan.phase is phase)


def outcome_of(state: RunFold) -> Outcome:
    """What the run comes to, once its steps are final.

    What had failed when somebody aborted has failed: an abort does not take a finding back.
    """
    if state.failed:
        return Outcome.FAILED
    aborted = state.abort is not None and state.abort_phase is not Phase.CLEANUP
    if aborted or any_failed(state, Phase.PRECONDITIONS):
        return Outcome.ABORTED
    return Outcome.PASSED


def left_behind(state: RunFold) -> tuple[str, ...]:
    """The cleanup steps that failed: what they were to remove may still be there."""
    return tuple(
        s.plan.id
        for s in state.steps.values()
        if s.plan.phase is Phase.CLEANUP and s.status is StepStatus.FAILED
    )
