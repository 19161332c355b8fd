"""What came of an exercise's goals: a fold of the run, so that every report says the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from drorch.core.exercises import Goal
from drorch.core.names import StepStatus
from drorch.core.state import RunFold, StepState
from drorch.core.timing import Timing

#: Causes of steps that did not fail by themselves: something else ended the run.
FALLOUT = frozenset({"halted", "cancelled", "aborted"})


class Judgement(StrEnum):
    """Whether a goal was reached; not judged where nothing shows it either way."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not-judged"


@dataclass(frozen=True, slots=True)
class Judged:
    """A goal, what came of it, and what of `shown_by` decided: what failed, what said nothing."""

    goal: Goal
    result: Judgement
    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def judged(goal: Goal, state: RunFold, timing: Timing) -> Judged:
    """What the run shows of the goal."""
    found = {name: _shown(name, state, timing) for name in goal.shown_by}
    failed = tuple(name for name, met in found.items() if met is False)
    unknown = tuple(name for name, met in found.items() if met is None)
    if failed:
        return Judged(goal, Judgement.FAILED, failed, unknown)
    reached = bool(found) and not unknown
    return Judged(goal, Judgement.PASSED if reached else Judgement.NOT_JUDGED, (), unknown)


def _shown(name: str, state: RunFold, timing: Timing) -> bool | None:
    if name == "RTO":
        return timing.rto.met
    if name == "RPO":
        return timing.rpo.met
    if name in state.steps:
        return _of_step(state.steps[name])
    nested = [s for s in _nested_in(name, state) if s.status is not StepStatus.SKIPPED]
    told = {_of_step(step) for step in nested}
    if False in told:
        return False
    return True if told == {True} else None


def _nested_in(name: str, state: RunFold) -> Iterator[StepState]:
    yield from (step for id_, step in state.steps.items() if id_.startswith(f"{name}/"))


def _of_step(step: StepState) -> bool | None:
    if step.status is StepStatus.PASSED:
        return True
    return False if step.status is StepStatus.FAILED and step.cause not in FALLOUT else None
