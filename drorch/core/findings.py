"""A run's findings: those that attempts reported, and those that its facts add up to."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from drorch.core.durations import format_duration
from drorch.core.events import (
    PersonAnswered,
    RetryRequested,
    RunContinued,
    RunPaused,
    SkipRequested,
    StepSettled,
)
from drorch.core.judging import FALLOUT
from drorch.core.moment import Moment
from drorch.core.names import OnFailure, Phase, StepStatus
from drorch.core.outcome import left_behind
from drorch.core.plan import PlannedStep
from drorch.core.state import RunFold, StepState, Word
from drorch.core.timing import Timing
from drorch.core.values import Finding


def all_findings(state: RunFold, timing: Timing) -> Iterator[tuple[str, Finding]]:
    """Step ("" for the run) and finding, gravest first: what failed, what was missed or left
    behind, what attempts reported, and then what a reader must allow for.
    """
    steps = state.steps.values()
    for step in steps:
        if step.status is StepStatus.FAILED and step.cause not in FALLOUT:
            yield step.plan.id, _failure(step)
    yield from (("", f) for f in (*_missed(timing), *_dirt(state)))
    yield from (("", f) for f in _forced(state))
    yield from ((word.step, _overridden(word)) for _, word in state.overrides)
    yield from (_unheeded(state, at, word, why) for at, word, why in state.unheeded)
    yield from state.findings
    yield from ((s.plan.id, f) for s in steps for f in _settled(s))
    yield from (("", f) for f in (*_taken_over(state), *_clock_moved(state)))
    for step in steps:
        if step.plan.skip and step.status is StepStatus.SKIPPED:
            yield step.plan.id, _not_tested(step.plan)
    for notice in state.plan.notices:
        yield "", Finding("plan.notice", state.plan.name, notice)


def _forced(state: RunFold) -> Iterator[Finding]:
    if state.forced is None:
        return
    gate = [s for s in state.steps.values() if s.plan.phase is Phase.FENCE]
    found = "; ".join(f"{s.plan.id}: {s.message or s.why}" for s in gate if not s.passed)
    yield Finding(
        "override.unfenced",
        state.plan.service or state.plan.name,
        f"{state.forced.by} let the fencing gate be passed: {state.forced.reason}"
        + (f" (found: {found})" if found else " (it would have opened by itself)"),
        "make sure that the old primary cannot come back by itself and write",
    )


def _overridden(word: RetryRequested | SkipRequested) -> Finding:
    if isinstance(word, RetryRequested):
        message = f"{word.by} had {word.step} tried again: {word.reason}"
        return Finding("override.retry", word.step, message)
    return Finding(
        "override.skip",
        word.step,
        f"{word.by} had {word.step} left out: {word.reason}",
        "do by hand what it was for, or make sure that it was not needed",
    )


_WISHES: Mapping[type[Word], str] = {
    PersonAnswered: "answered",
    StepSettled: "settled",
    RetryRequested: "wanted to try again",
    SkipRequested: "wanted to leave out",
    RunPaused: "wanted to pause",
    RunContinued: "wanted to let go on",
}


def _unheeded(state: RunFold, at: Moment, word: Word, why: str) -> tuple[str, Finding]:
    """A word that came too late: who said it may believe that it was done."""
    step = getattr(word, "step", "")
    who = f"{getattr(word, 'by', '')} {_WISHES[type(word)]} {step or 'the run'}"
    return step, Finding(
        "word.unheeded",
        step or state.plan.name,
        f"{who} at {at.at:%H:%M:%S} UTC, which changed nothing: {why}",
        "nothing was done for it; see whether it is still wanted",
    )


def _settled(step: StepState) -> Iterator[Finding]:
    for _, settled in step.settled:
        said = "happened" if settled.happened else "did not happen"
        yield Finding(
            "step.settled",
            step.plan.id,
            f"{step.plan.id} was of unknown outcome; {settled.by} said that it {said}"
            + (f": {settled.reason}" if settled.reason else ""),
            "check at the target that this is so",
        )


def _not_tested(plan: PlannedStep) -> Finding:
    return Finding(
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
        promised = _said(measured.target)
        came_to = (
            f"it came to {_said(measured.actual)}"
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


def _said(duration: timedelta) -> str:
    """As people say it: 30s, not 30.0s."""
    return format_duration(duration).replace(".0s", "s")


def _dirt(state: RunFold) -> Iterator[Finding]:
    left = left_behind(state)
    if left:
        yield Finding(
            "run.dirty",
            state.plan.name,
            f"cleanup did not finish; what these were to remove may still be there: {', '.join(left)}",
            "remove it by hand, then look again",
        )


def _taken_over(state: RunFold) -> Iterator[Finding]:
    for at, taking in state.takings:
        took = f"{taking.by} took it over on {taking.owner.host} at {at.at:%H:%M:%S} UTC"
        was_gone = f"the process that carried the run was gone; {took}"
        said_gone = f"{took}, saying that the process that carried the run, elsewhere, was gone"
        yield Finding(
            "run.taken-over",
            state.plan.name,
            said_gone if taking.on_word else was_gone,
            "see that it is: what it had begun may have gone on until its next record"
            if taking.on_word
            else "find out why it ended; the times before are those that its journal holds",
        )


def _clock_moved(state: RunFold) -> Iterator[Finding]:
    for step in state.clock_steps:
        by = _said(timedelta(seconds=round(abs(step.by).total_seconds(), 1)))
        at = f"{step.at.at:%H:%M:%S} UTC"
        way = "forward" if step.by.total_seconds() > 0 else "back"
        across = f"at {at}, under another boot, the wall clock read {by} less than it had before"
        yield Finding(
            "clock.moved",
            state.owner.host,
            across if step.reboot else f"the wall clock was set {way} by {by} at {at}",
            "how long nobody carried the run is not known; times of day before it are off"
            if step.reboot
            else "durations here are by the boot clock and hold; times of day before it are off by that",
        )
