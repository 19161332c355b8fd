"""Findings that no attempt reported but that the run's facts add up to."""

from collections.abc import Iterator

from drorch.core.durations import format_duration
from drorch.core.names import OnFailure, Phase, StepStatus
from drorch.core.run import left_behind
from drorch.core.state import RunFold, StepState
from drorch.core.timing import Timing
from drorch.core.values import Finding

#: Causes of steps that did not fail by themselves: something else ended the run.
_FALLOUT = frozenset({"halted", "cancelled", "aborted"})


def derived_findings(state: RunFold, timing: Timing) -> Iterator[tuple[str, Finding]]:
    """Step ("" for the run) and finding: what failed first, then what a reader must allow for."""
    for step in state.steps.values():
        yield from ((step.plan.id, f) for f in _step_findings(step))
    yield from (("", f) for f in _missed(timing))
    yield from (("", f) for f in _circumstances(state))


def _step_findings(step: StepState) -> Iterator[Finding]:
    plan = step.plan
    if step.status is StepStatus.FAILED and step.cause not in _FALLOUT:
        yield _failure(step)
    for _, settled in step.settled:
        said = "happened" if settled.happened else "did not happen"
        yield Finding(
            "step.settled",
            plan.id,
            f"{plan.id} was of unknown outcome; {settled.by} said that it {said}"
            + (f": {settled.reason}" if settled.reason else ""),
            "check at the target that this is so",
        )
    if plan.skip and step.status is StepStatus.SKIPPED:
        yield Finding(
            "step.not-tested",
            plan.id,
            f"{plan.id} was not tested: {plan.skip}",
            "practise it in another way, or the first try is in earnest",
        )


def _failure(step: StepState) -> Finding:
    plan = step.plan
    said = step.message or step.why or step.cause or "it failed without a word"
    if plan.phase is Phase.CLEANUP:
        return Finding("cleanup.failed", plan.id, f"{plan.id} failed: {said}", step.hint)
    went_on = plan.phase is Phase.STEPS and plan.on_failure is OnFailure.CONTINUE
    if went_on:
        return Finding(
            "step.failed", plan.id, f"{plan.id} failed and the run went on: {said}", step.hint
        )
    return Finding("step.failed", plan.id, f"{plan.id} failed: {said}", step.hint)


def _missed(timing: Timing) -> Iterator[Finding]:
    for word, measured in (("RTO", timing.rto), ("RPO", timing.rpo)):
        if measured.met is not False or measured.target is None:
            continue
        promised = format_duration(measured.target)
        came_to = (
            f"it came to {format_duration(measured.actual)}"
            if measured.actual is not None
            else "the service was not recovered in that time"
        )
        yield Finding(
            "objective.missed",
            word.lower(),
            f"the {word} of {promised} was missed: {came_to}",
            _MISSED_HINTS[word],
        )


_MISSED_HINTS = {
    "RTO": "the critical path names the steps to shorten; otherwise promise what can be kept",
    "RPO": "back up more often, or find out why the newest snapshot was not in this region",
}


def _circumstances(state: RunFold) -> Iterator[Finding]:
    left = left_behind(state)
    if left:
        yield Finding(
            "run.dirty",
            state.plan.name,
            f"cleanup did not finish; what these were to remove may still be there: {', '.join(left)}",
            "remove it by hand, then look again",
        )
    for at, taking in state.takings:
        yield Finding(
            "run.taken-over",
            state.plan.name,
            f"the process that carried the run was gone; {taking.by} took it over on "
            f"{taking.owner.host} at {at.at:%H:%M:%S} UTC",
            "find out why it ended; the times before are those that its journal holds",
        )
    for at, step in state.clock_steps:
        way = "forward" if step.total_seconds() > 0 else "back"
        yield Finding(
            "clock.moved",
            state.owner.host,
            f"the wall clock was set {way} by {format_duration(abs(step))} at {at.at:%H:%M:%S} UTC",
            "durations here are by the boot clock and hold; times of day before it are off by that",
        )
    for notice in state.plan.notices:
        yield Finding("plan.notice", state.plan.name, notice)
