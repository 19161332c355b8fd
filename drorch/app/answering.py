"""Use cases of a person's word to a run that another process may be carrying.

Where an owner lives, the word is left for it and waited for until it is in the journal: of the two
the owner alone appends. Where none lives, or it dies meanwhile, the word goes straight into the
journal; should somebody take the run over at that very moment, the fence tells, and the word is
left for them. So it is heeded or refused with a reason, and never lost.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from drorch.adapters.ownership import groups_of
from drorch.app.lives import life_of, owner_lives
from drorch.app.program import Program
from drorch.app.runs import Control, RunView, resume, view, view_of
from drorch.core.consent import Terms
from drorch.core.errors import AlreadyRunning, FenceLost, UsageError
from drorch.core.events import (
    AbortRequested,
    AttemptLost,
    Event,
    PersonAnswered,
    RetryRequested,
    RunContinued,
    RunPaused,
    SkipRequested,
    Stamped,
    StepSettled,
)
from drorch.core.names import Requester, RunState, StepStatus
from drorch.core.people import may_be_left, why_not_skipped
from drorch.core.posture import RunRow
from drorch.core.run import replay
from drorch.core.state import Question, RunFold
from drorch.engine.loop import Watcher

#: How long an owner may take to heed a word (it looks every second), and how often we look.
_PATIENCE = 15.0
_INTERVAL = 0.1

Rest = Callable[[float], None]


def answer(program: Program, run: str, word: Event, rest: Rest = time.sleep) -> RunView:
    """Give a person's word to a run, and see it recorded.

    What is given back is `left` where an owner that lives, or may live, has not taken it: the word
    lies there until one does. Raises UsageError if the run ends before it could be heeded, or has
    moved on so that the word changes nothing.
    """
    row = program.journal.find(run)
    if _over(row):
        raise UsageError(f"run {row.run} is finished", f"see it with: drorch run show {row.run}")
    since, waited, posted = row.seq, 0.0, False
    while waited < _PATIENCE:
        if _over(row) or (posted and not _left(program, row.run, word)):
            return _heeded(program, row, word, since)
        if not owner_lives(row):
            # Somebody who carries it on since has moved the fence: it is left for them.
            with suppress(FenceLost):
                _write(program, row, word)
                return _heeded(program, program.journal.find(row.run), word, since)
        elif not posted:
            program.journal.post(row.run, word)
            posted = True
            if row.owner_token == program.token:
                break  # we carry it, or shall
        else:
            rest(_INTERVAL)
            waited += _INTERVAL
        row = program.journal.find(row.run)
    return replace(view(program, row.run), left=True)


def _over(row: RunRow) -> bool:
    return row.state is RunState.FINISHED


def _write(program: Program, row: RunRow, word: Event) -> None:
    """Into the journal of a run that nobody carries, after what was left for its dead owner."""
    state = replay(program.journal.read(row.run))
    posted = program.journal.take_posted(row.run, 0)
    words = [w for _, w in posted if isinstance(w, AbortRequested) or may_be_left(w, state)]
    words += [] if word in words else [word]
    lost = _losses(program, row, state, words)
    now = program.clock.now()
    taken = max((number for number, _ in posted), default=0)
    events = [Stamped(now, event) for event in [*lost, *words]]
    program.journal.append(row.run, row.seq, events, taken=taken)


def _losses(
    program: Program, row: RunRow, state: RunFold, words: Sequence[Event]
) -> list[AttemptLost]:
    """A step is settled only once its attempt is known to be lost, with its processes ended."""
    settled = {w.step: None for w in words if isinstance(w, StepSettled)}
    lost = [AttemptLost(s, len(state.steps[s].attempts)) for s in settled if s in state.running]
    if lost:
        program.commands.reap(row.owner_token)
    return lost


def _left(program: Program, run: str, word: Event) -> bool:
    """Whether nobody has taken it yet."""
    return any(posted == word for _, posted in program.journal.take_posted(run, 0))


def _heeded(program: Program, row: RunRow, word: Event, since: int) -> RunView:
    """The run with the word that was recorded after event `since`; UsageError if it was in vain."""
    recorded = list(program.journal.read(row.run))
    stands = [r.at for r in recorded if r.seq > since and r.event == word]
    if not stands:
        raise UsageError(
            f"run {row.run} ended before it could heed this",
            f"see how it ended with: drorch run show {row.run}",
        )
    seen = view_of(program, row, recorded)
    for at, said, why in seen.state.unheeded:
        if (at, said) == (stands[-1], word):
            raise UsageError(
                f"{getattr(word, 'step', '') or row.run}: this came too late, {why}",
                f"it is recorded and changed nothing; see: drorch run show {row.run}",
            )
    return seen


def settle(program: Program, run: str, step: str, *, happened: bool, reason: str) -> RunView:
    """Say whether an attempt of unknown outcome happened."""
    seen = view(program, run)
    known = _step(seen, step)
    if not (seen.state.steps[known].unknown or _would_be_lost(seen, known)):
        raise UsageError(
            f"step {known} of {seen.run} has no unknown outcome",
            f"see what the run waits for with: drorch run show {seen.run}",
        )
    who = program.owner.user
    return answer(program, seen.run, StepSettled(known, happened, who, reason))


def _would_be_lost(seen: RunView, step: str) -> bool:
    return seen.word is RunState.INTERRUPTED and step in seen.state.running


def approve(program: Program, run: str, step: str | None, *, yes: bool, reason: str) -> RunView:
    """Answer an approval or confirmation; without a step, the only one that is open.

    Raises UsageError for who may not answer it.
    """
    seen = view(program, run)
    open_questions = [s for s in seen.state.asked if seen.state.steps[s].plan.person]
    if step is None and len(open_questions) == 1:
        step = open_questions[0]
    if step is None or step not in open_questions:
        named = ", ".join(open_questions) or "nothing"
        raise UsageError(
            f"run {seen.run} does not wait for an answer to {step or 'a step not named'}",
            f"it waits for an answer to: {named}",
        )
    question = seen.state.steps[step].question
    assert question is not None  # noqa: S101 - it is open
    return answer(program, seen.run, _answer_of(program, seen, question, yes=yes, reason=reason))


def _answer_of(
    program: Program, seen: RunView, question: Question, *, yes: bool, reason: str
) -> PersonAnswered:
    asked, who = question.asked, program.owner.user
    terms = Terms.of(asked)
    groups = tuple(sorted(groups_of(who) & {*asked.groups}))
    word = PersonAnswered(asked.step, yes, who, reason, groups)
    if not terms.admit(word):
        may = [*asked.by, *(f"a member of the group {g}" for g in asked.groups)]
        raise UsageError(f"{who} may not answer {asked.step}", f"it asks {', or '.join(may)}")
    if yes and terms.requester is Requester.NEVER and who == seen.state.by:
        raise UsageError(
            f"{who} started the run and may not approve {asked.step}", "let somebody else say yes"
        )
    return word


def pause(program: Program, run: str, reason: str) -> RunView:
    """Let nothing new start; what runs comes to its end."""
    seen = view(program, run)
    if seen.state.paused is not None:
        raise UsageError(
            f"run {seen.run} is paused already", f"let it go on: drorch run resume {seen.run}"
        )
    return answer(program, seen.run, RunPaused(program.owner.user, reason))


def carried_and_paused(program: Program, run: str) -> bool:
    """Whether a living process holds the run, paused, so that a word is enough to let it go on."""
    row = program.journal.find(run)
    return row.state is RunState.PAUSED and owner_lives(row)


def let_go_on(program: Program, run: str, reason: str) -> RunView:
    """End a pause."""
    return answer(program, run, RunContinued(program.owner.user, reason))


def retry(program: Program, run: str, step: str, reason: str) -> RunView:
    """Have a step tried again that failed and asks, or at once one that waits to be tried."""
    seen = view(program, run)
    known = _step(seen, step)
    state = seen.state.steps[known]
    if not (state.failed_and_asks or state.status is StepStatus.RETRYING):
        raise UsageError(
            f"step {known} of {seen.run} is {state.status}: it is not waiting to be tried again",
            "a failed step waits for a word if it says `on_failure: ask`, or if the run was begun "
            "with --ask-on-failure",
        )
    return answer(program, seen.run, RetryRequested(known, program.owner.user, reason))


def skip(program: Program, run: str, step: str, reason: str) -> RunView:
    """Have a step left out."""
    seen = view(program, run)
    known = _step(seen, step)
    why = why_not_skipped(seen.state, seen.state.steps[known])
    if why:
        raise UsageError(
            f"step {known} of {seen.run} cannot be left out: {why}",
            f"see where the run stands with: drorch run show {seen.run}",
        )
    return answer(program, seen.run, SkipRequested(known, program.owner.user, reason))


def abort(
    program: Program,
    run: str,
    reason: str,
    *,
    control: Control,
    watchers: Sequence[Watcher] = (),
    gone: bool = False,
    rest: Rest = time.sleep,
) -> RunView:
    """End a run, with its cleanup: by its living owner, who is waited for, or here and now.

    An owner that does not heed it within seconds is not waited for; one that dies is stood in for.
    `gone`: see `runs.resume`.
    """
    request, told = AbortRequested(program.owner.user, reason), False
    while not (told and control.stopping):
        row = program.journal.find(run)
        life = life_of(row)
        if not _over(row) and (life is False or (life is None and gone)):
            # Who takes it over at the same moment hears of it in the next turn of this loop.
            with suppress(AlreadyRunning):
                return resume(
                    program, row.run, control=control, watchers=watchers, word=request, gone=gone
                )
        elif not told:
            seen, told = answer(program, row.run, request, rest), True
            if seen.left:
                return seen
        elif _over(row):
            break
        else:
            rest(_INTERVAL)
    return view(program, run)


def _step(seen: RunView, step: str) -> str:
    if step in seen.state.steps:
        return step
    from drorch.core.nearest import did_you_mean

    raise UsageError(
        f"run {seen.run} has no step {step!r}", did_you_mean(step, seen.state.steps, "steps")
    )
