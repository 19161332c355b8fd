"""What a person's word means to a run: answers, settlements, overrides, pauses, the end.

Whoever asks has looked before; but between the look and the word the run may have moved on. A
word that no longer fits stands in the journal and changes nothing.
"""

from functools import singledispatch
from typing import TypeAlias, get_args

from drorch.core.consent import Terms
from drorch.core.events import (
    AbortRequested,
    FenceForced,
    PersonAnswered,
    PersonAsked,
    RetryRequested,
    RunContinued,
    RunPaused,
    SkipRequested,
    StepSettled,
)
from drorch.core.moment import Moment, elapsed
from drorch.core.names import Phase, StepStatus
from drorch.core.state import Pause, Question, RunFold, StepState
from drorch.core.transitions import close, end_wait

Word: TypeAlias = (
    PersonAsked
    | PersonAnswered
    | StepSettled
    | RetryRequested
    | SkipRequested
    | RunPaused
    | RunContinued
    | AbortRequested
    | FenceForced
)

#: Every kind of word, for whoever folds them.
WORDS: tuple[type, ...] = get_args(Word)


#: What somebody may leave for a run's living owner to heed, beside the wish to end it.
_LEFT = (PersonAnswered, StepSettled, RetryRequested, SkipRequested, RunPaused, RunContinued)


def may_be_left(word: object, state: RunFold) -> bool:
    """Whether it is a word that can be folded into this run."""
    step = getattr(word, "step", None)
    return isinstance(word, _LEFT) and (step is None or step in state.steps)


@singledispatch
def heed(word: Word, state: RunFold, at: Moment) -> None:  # noqa: ARG001 - its registrations use them
    """Take in a person's word."""
    raise TypeError(f"{type(word).__name__} is no word of a person")


@heed.register
def _(word: PersonAsked, state: RunFold, at: Moment) -> None:
    step = state.steps[word.step]
    step.questions.append(Question(word, at))
    step.status = StepStatus.WAITING_FOR_PERSON
    state.ready.pop(word.step, None)
    state.unasked.pop(word.step, None)
    state.asked[word.step] = None


@heed.register
def _(word: PersonAnswered, state: RunFold, at: Moment) -> None:
    step = state.steps[word.step]
    question = step.question
    # Whether something happened is settled, and how a failed step goes on is decided, not approved.
    if question is None or not step.plan.person:
        return
    terms = Terms.of(question.asked)
    if not terms.admit(word):
        return
    question.answers.append((at, word))
    if not word.approved:
        step.cause, step.message = "refused", f"refused by {word.by}: {word.reason}"
        close(state, step, StepStatus.FAILED, at)
        return
    people = {a.by for _, a in question.answers if a.approved}
    if not terms.wanting(people, state.by):
        step.outputs = {"by": sorted(people), "reason": word.reason}
        close(state, step, StepStatus.PASSED, at)


@heed.register
def _(word: StepSettled, state: RunFold, at: Moment) -> None:
    step = state.steps[word.step]
    if not step.unknown:
        return
    step.settled.append((at, word))
    _close_question(state, step, at)
    if word.happened:
        step.why = f"settled by {word.by}: it happened ({word.reason})"
        close(state, step, StepStatus.PASSED, at)
        return
    step.attempts[-1].denied = True
    _start_anew(state, step)


@heed.register
def _(word: RetryRequested, state: RunFold, at: Moment) -> None:
    step = state.steps[word.step]
    stands_still = state.halted and state.phase is not Phase.CLEANUP
    if stands_still or not (step.failed_and_asks or step.status is StepStatus.RETRYING):
        return
    if step.failed_and_asks:
        step.forgiven = len(step.attempts) - step.losses
        step.streak, step.looking_since = 0, None
        _close_question(state, step, at)
    state.overrides.append((at, word))
    state.unscheduled.pop(word.step, None)
    end_wait(state, step)
    _start_anew(state, step)


@heed.register
def _(word: SkipRequested, state: RunFold, at: Moment) -> None:
    step = state.steps[word.step]
    if state.halted or not may_be_skipped(step):
        return
    state.overrides.append((at, word))
    state.unscheduled.pop(word.step, None)
    step.why = f"left out by {word.by}: {word.reason}"
    close(state, step, StepStatus.SKIPPED, at)


def may_be_skipped(step: StepState) -> bool:
    """Neither what is over, runs or may have happened; nor a gate, an approval or cleanup."""
    over = step.status.final or step.status is StepStatus.RUNNING or step.unknown
    needed = step.plan.person or step.plan.phase in (Phase.FENCE, Phase.CLEANUP)
    return not over and not needed


@heed.register
def _(word: RunPaused, state: RunFold, at: Moment) -> None:
    if state.paused is None and state.abort is None:
        state.pauses.append(Pause(word, at))


@heed.register
def _(word: RunContinued, state: RunFold, at: Moment) -> None:
    _end_pause(state, word.by, at)


@heed.register
def _(word: AbortRequested, state: RunFold, at: Moment) -> None:
    _end_pause(state, word.by, at)
    if state.abort is None:
        stuck = next((s.plan.id for s in state.steps.values() if s.failed_and_asks), "")
        # It had failed before: ending the run does not take that back.
        state.failed = state.failed or bool(stuck)
        state.failed_step = state.failed_step or stuck
        state.abort, state.abort_phase = word, state.phase
    state.halted = state.halted or "the run was aborted"


@heed.register
def _(word: FenceForced, state: RunFold, at: Moment) -> None:  # noqa: ARG001 - as all of them
    state.forced = word


def _end_pause(state: RunFold, by: str, at: Moment) -> None:
    pause = state.paused
    if pause is None:
        return
    pause.ended, pause.by = at, by
    for name in state.asked:
        question = state.steps[name].question
        if question is not None:
            question.held += min(elapsed(pause.at, at), elapsed(question.at, at))
    for name in state.open_steps[state.phase]:
        step = state.steps[name]
        if step.plan.until is not None and step.status is StepStatus.RETRYING:
            # Nobody looked while the run was paused: it has its whole time again.
            step.streak, step.looking_since = 0, None


def _close_question(state: RunFold, step: StepState, at: Moment) -> None:
    state.asked.pop(step.plan.id, None)
    state.unasked.pop(step.plan.id, None)
    if step.question is not None:
        step.question.closed = at


def _start_anew(state: RunFold, step: StepState) -> None:
    step.status = StepStatus.WAITING
    state.ready[step.plan.id] = None
