"""What a run that is over tells of how long its steps take. Pure.

A machine's step took its attempts, as the boot clock measured them, and the waits between them:
neither a pause of the run nor the death of its process counts. A question took from when it was
asked to its last answer, less the pauses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from drorch.core.decide import NOT_MET
from drorch.core.moment import elapsed
from drorch.core.names import Mode, OnFailure, StepStatus
from drorch.core.plan import Plan, PlannedStep
from drorch.core.render import preview
from drorch.core.state import RunFold, StepState
from drorch.core.values import Value

#: Arguments that say what is worked on: the same step with another of these is another work.
_MATTER = ("dataset", "region", "regions")


@dataclass(frozen=True, slots=True)
class Spent:
    """How long one step took in one run; None: it was passed over, for its condition did not hold.

    `matter` is what it worked on, `mode` how the run was carried out.
    """

    step: str
    do: str
    matter: Mapping[str, Value]
    mode: Mode
    took: timedelta | None


def matter_of(step: PlannedStep, plan: Plan) -> dict[str, Value]:
    """What the step works on, as far as inputs go."""
    return {
        name: preview(step.arguments[name], plan.inputs)
        for name in _MATTER
        if name in step.arguments
    }


def experience_of(state: RunFold) -> Iterator[Spent]:
    """What each step took that came through; of others nothing is known."""
    for step in state.steps.values():
        plan = step.plan
        over = step.status is StepStatus.SKIPPED and step.why == NOT_MET
        took = None if over else _took(step)
        if over or took is not None:
            matter = matter_of(plan, state.plan)
            yield Spent(plan.id, plan.do, matter, state.plan.mode, took)


def _took(step: StepState) -> timedelta | None:
    let_go = step.status is StepStatus.FAILED and step.plan.on_failure is OnFailure.CONTINUE
    if not (step.passed or let_go):
        return None
    return _asked(step) if step.plan.person else _worked(step)


def _asked(step: StepState) -> timedelta | None:
    if not step.questions or step.questions[-1].closed is None:
        return None
    question = step.questions[-1]
    return max(timedelta(), elapsed(question.at, question.closed or question.at) - question.held)


def _worked(step: StepState) -> timedelta | None:
    """The attempts and the waits between them; None where one was lost or a person stepped in."""
    if not step.attempts or step.questions or any(a.elapsed is None for a in step.attempts):
        return None
    spent = sum((a.elapsed or timedelta() for a in step.attempts), timedelta())
    return spent + sum((a.wait or timedelta() for a in step.attempts[:-1]), timedelta())
