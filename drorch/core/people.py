"""What a person's word means to a run: answers, settlements, overrides, pauses, the end.

Whoever asks has looked before; but between the look and the word the run may have moved on. A
word that no longer fits stands in the journal and changes nothing, and the state says why.
"""

from functools import singledispatch
from typing import get_args

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
from drorch.core.state import Pause, Question, RunFold, StepState, Word
from drorch.core.transitions import close, end_wait

#: Every kind of word, for whoever folds them.
WORDS: tuple[type, ...] = get_args(Word)


#: What somebody may leave for a run's living owner to heed, beside the wish to end it.
_LEFT = (PersonAnswered, StepSettled, RetryRequested, SkipRequested, RunPaused, RunContinued)


def may_be_left(word: object, state: RunFold) -> bool:
    """Whether it is a word that can be folded into this run."""
    step = getattr(word, "step", None)
    return isinstance(word, _LEFT) and (step is None or step in state.steps)


def heed(word: Word, state: RunFold, at: Moment) -> None:
    """Take in a person's word; one that changes nothing is kept with the reason."""
    why = _heed(word, state, at)
    if why:
        state.unheeded.append((at, word, why))


@singledispatch
def _heed(word: Word, state: RunFold, at: Moment) -> str:  # noqa: ARG001 - its registrations use them
    """Why the word changes nothing; empty if it does."""
    raise TypeError(f"{type(word).__name__} is no word of a person")


@_heed.register
def _(word: PersonAsked, state: RunFold, at: Moment) -> str:
    step = state.steps[word.step]
    step.questions.append(Question(word, at))
    step.status = StepStatus.WAITING_FOR_PERSON
    state.ready.discard(word.step)
    state.unasked.pop(word.step, None)
    state.asked[word.step] = None
    return ""


@_heed.register
def _(word: PersonAnswered, state: RunFold, at: Moment) -> str:
    step = state.steps[word.step]
    question = step.question
    # Whether something happened is settled, and how a failed step goes on is decided, not approved.
    if question is None or not step.plan.person:
        return f"it waits for no answer, it is {step.status}"
    terms = Terms.of(question.asked)
    if not terms.admit(word):
        return f"{word.by} may not answer it"
    question.answers.append((at, word))
    if not word.approved:
        step.cause, step.message = "refused", f"refused by {word.by}: {word.reason}"
        close(state, step, StepStatus.FAILED, at)
        return ""
    people = {a.by for _, a in question.answers if a.approved}
    if not terms.wanting(people, state.by):
        step.outputs = {"by": sorted(people), "reason": word.reason}
        close(state, step, StepStatus.PASSED, at)
    return ""


@_heed.register
def _(word: StepSettled, state: RunFold, at: Moment) -> str:
    step = state.steps[word.step]
    if not step.unknown:
        return f"its outcome is not unknown, it is {step.status}"
    step.settled.append((at, word))
    _close_question(state, step, at)
    if word.happened:
        step.why = f"settled by {word.by}: it happened ({word.reason})"
        close(state, step, StepStatus.PASSED, at)
    else:
        step.attempts[-1].denied = True
        _start_anew(state, step)
    return ""


@_heed.register
def _(word: RetryRequested, state: RunFold, at: Moment) -> str:
    step = state.steps[word.step]
    stands_still = state.halted and state.phase is not Phase.CLEANUP
    if stands_still:
        return f"nothing more is started, since {state.halted}"
    if not (step.failed_and_asks or step.status is StepStatus.RETRYING):
        return f"it is not waiting to be tried again, it is {step.status}"
    if step.failed_and_asks:
        step.forgiven = len(step.attempts) - step.losses
        step.streak, step.looking_since = 0, None
        _close_question(state, step, at)
    state.overrides.append((at, word))
    state.unscheduled.pop(word.step, None)
    end_wait(state, step)
    _start_anew(state, step)
    return ""


@_heed.register
def _(word: SkipRequested, state: RunFold, at: Moment) -> str:
    step = state.steps[word.step]
    why = why_not_skipped(state, step)
    if not why:
        state.overrides.append((at, word))
        state.unscheduled.pop(word.step, None)
        step.why = f"left out by {word.by}: {word.reason}"
        close(state, step, StepStatus.SKIPPED, at)
    return why


def why_not_skipped(state: RunFold, step: StepState) -> str:
    """Neither what is over, runs or may have happened; nor a gate, an approval or cleanup. Empty: it may be."""
    if step.status.final or step.status is StepStatus.RUNNING:
        return f"it is {step.status}"
    if step.unknown:
        return "whether it happened is unknown, and must be settled"
    if step.plan.person:
        return "it is a person's to answer"
    if state.halted:
        return f"nothing more is started, since {state.halted}"
    needed = step.plan.phase in (Phase.FENCE, Phase.CLEANUP)
    return f"it belongs to {step.plan.phase}, which is always done" if needed else ""


@_heed.register
def _(word: RunPaused, state: RunFold, at: Moment) -> str:
    if state.paused is not None:
        return "it was paused already"
    if state.abort is not None:
        return "it was being ended"
    state.pauses.append(Pause(word, at))
    return ""


@_heed.register
def _(word: RunContinued, state: RunFold, at: Moment) -> str:
    why = "" if state.paused is not None else "it was not paused"
    _end_pause(state, word.by, at)
    return why


@_heed.register
def _(word: AbortRequested, state: RunFold, at: Moment) -> str:
    _end_pause(state, word.by, at)
    if state.abort is None:
        stuck = next((s.plan.id for s in state.steps.values() if s.failed_and_asks), "")
        # It had failed before: ending the run does not take that back.
        state.failed = state.failed or bool(stuck)
        state.failed_step = state.failed_step or stuck
        state.abort, state.abort_phase, state.aborted_at = word, state.phase, at
    state.halted = state.halted or "the run was aborted"
    return ""


@_heed.register
def _(word: FenceForced, state: RunFold, at: Moment) -> str:
    state.forced, state.forced_at = word, at
    return ""


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
    state.ready.add(step.plan.id)
