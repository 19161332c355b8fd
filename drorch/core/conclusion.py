"""What is known from now on, once a run as a whole is over. Pure."""

from drorch.core.alarms import RunEnded
from drorch.core.facts import Fact
from drorch.core.names import Outcome, RunKind
from drorch.core.outcome import moved_by
from drorch.core.readiness import readiness_of
from drorch.core.state import RunFold
from drorch.core.timing import time_run

#: A channel that fails, and a runbook that could not begin, are told by facts of their own.
_NO_NEWS = frozenset({RunKind.TELL, RunKind.READINESS, RunKind.SCHEDULE})


def concluded(state: RunFold, outcome: Outcome) -> tuple[Fact, ...]:
    """Where a service runs now, which runbooks could begin, and how the run ended."""
    return (*moved_by(state, outcome), *readiness_of(state), *_ended(state, outcome))


def _ended(state: RunFold, outcome: Outcome) -> tuple[Fact, ...]:
    """How it ended, where that is news."""
    plan = state.plan
    # What somebody aborted is no news; but a quarter's report is owed until it has gone out.
    aborted = outcome is Outcome.ABORTED
    if plan.kind in _NO_NEWS or (aborted and plan.kind is not RunKind.REPORT):
        return ()
    failed = outcome is not Outcome.PASSED
    missed = () if failed else _missed(state)
    why = _why(state) if failed else ""
    good = not failed and not missed
    return (RunEnded(plan.kind.value, plan.name, state.run, good, outcome.value, missed, why),)


def _missed(state: RunFold) -> tuple[str, ...]:
    promised = state.plan.objectives
    if promised.rto is None and promised.rpo is None:
        return ()
    timing = time_run(state, state.latest)
    measured = {"RTO": timing.rto, "RPO": timing.rpo}
    return tuple(name for name, one in measured.items() if one.met is False)


def _why(state: RunFold) -> str:
    step = state.steps.get(state.failed_step)
    if step is None:
        return f"ended by {state.abort.by}: {state.abort.reason}" if state.abort else ""
    return f"{step.plan.id}: {step.message or step.why or step.cause}"
