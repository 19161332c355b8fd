"""What happened in a run, in words: one sentence for each event, for terminals and logs."""

from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    Event,
    FenceForced,
    FindingRecorded,
    PersonAnswered,
    PersonAsked,
    RetryRequested,
    RetryScheduled,
    RunContinued,
    RunFinished,
    RunPaused,
    RunStarted,
    RunTaken,
    SkipRequested,
    StepGivenUp,
    StepSettled,
    StepSkipped,
)
from drorch.core.names import Verdict
from drorch.core.phrases import counted, lasted, one_line
from drorch.core.state import RunFold

_VERDICTS = {Verdict.PASS: "passed", Verdict.FAIL: "failed", Verdict.ERROR: "could not be done"}


def answer_to(asked: PersonAsked, run: str) -> str:
    """The command that answers a question."""
    if asked.question == "settle":
        return (
            f"say: drorch run settle {run} {asked.step} --happened|--did-not-happen --reason TEXT"
        )
    if asked.question == "failed":
        return f"say: drorch run retry|skip {run} {asked.step} --reason TEXT"
    return f"answer: drorch run approve {run} {asked.step} --reason TEXT"


def sentence(state: RunFold, event: Event) -> str:
    """One event in words."""
    match event:
        case RunStarted():
            plan = event.plan
            return f"{plan.kind} of {plan.name} begins: {counted(len(plan.steps), 'step')}"
        case RunTaken():
            said = ", as they say" if event.on_word else ""
            return f"taken over by {event.by}: the process that carried it was gone{said}"
        case RunFinished():
            left = f"; left behind: {', '.join(event.left_behind)}" if event.left_behind else ""
            return f"{state.plan.kind} of {state.plan.name} {event.outcome}{left}"
        case AbortRequested() | FenceForced() | RunPaused() | RunContinued():
            return _decided(event)
        case FindingRecorded():
            return f"finding: {event.finding.subject}: {one_line(event.finding.message)}"
        case _:
            return f"{event.step}: {_polled(state, event) or _of_step(event)}"


def _decided(event: AbortRequested | FenceForced | RunPaused | RunContinued) -> str:
    """What a person decided about the run as a whole."""
    match event:
        case AbortRequested():
            return f"ended by {event.by}: {one_line(event.reason)}"
        case RunPaused():
            return f"paused by {event.by}: {one_line(event.reason)}"
        case RunContinued():
            why = f": {one_line(event.reason)}" if event.reason else ""
            return f"goes on, by {event.by}{why}"
        case FenceForced():
            return f"the fencing gate may be passed, says {event.by}: {one_line(event.reason)}"


def _polled(state: RunFold, event: Event) -> str:
    """A check that is repeated until it passes: a failure is not yet one, a pass not yet enough."""
    step = state.steps[event.step] if isinstance(event, AttemptFinished | RetryScheduled) else None
    if step is None or step.plan.until is None:
        return ""
    if isinstance(event, RetryScheduled):
        again = f"looks again in {lasted(event.delay.total_seconds())}"
        wanted = step.plan.until.successes
        return f"{again}, passed {step.streak} of {wanted} times" if step.streak else again
    if isinstance(event, AttemptFinished) and event.verdict is not Verdict.PASS:
        return f"not yet: {one_line(event.message)}"
    return ""


def _of_step(  # noqa: PLR0911 - one line for each kind of event
    event: AttemptStarted
    | AttemptFinished
    | AttemptLost
    | RetryScheduled
    | StepSkipped
    | StepGivenUp
    | PersonAsked
    | PersonAnswered
    | StepSettled
    | RetryRequested
    | SkipRequested,
) -> str:
    match event:
        case RetryRequested():
            return f"tried again, by {event.by}: {one_line(event.reason)}"
        case SkipRequested():
            return f"left out by {event.by}: {one_line(event.reason)}"
        case AttemptStarted():
            return "started" if event.attempt == 1 else f"started, attempt {event.attempt}"
        case AttemptFinished():
            return _finished(event)
        case AttemptLost():
            return f"attempt {event.attempt} was lost: whether it happened is unknown"
        case RetryScheduled():
            return f"tries again in {lasted(event.delay.total_seconds())}"
        case StepSkipped():
            return f"skipped: {one_line(event.why)}"
        case StepGivenUp():
            return f"given up: {one_line(event.why)}"
        case PersonAsked():
            return f"waits for a person ({event.question}): {one_line(event.prompt)}"
        case PersonAnswered():
            word = "approved" if event.approved else "refused"
            return f"{word} by {event.by}: {one_line(event.reason)}"
        case StepSettled():
            word = "it happened" if event.happened else "it did not happen"
            return f"{event.by} says {word}: {one_line(event.reason)}"


def _finished(event: AttemptFinished) -> str:
    why = one_line(event.message)
    hint = f" (hint: {one_line(event.hint)})" if event.hint else ""
    told = f": {why}{hint}" if why and event.verdict is not Verdict.PASS else ""
    return f"{_VERDICTS[event.verdict]} in {lasted(event.elapsed.total_seconds())}{told}"
