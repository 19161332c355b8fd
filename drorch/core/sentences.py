"""What happened in a run, in words: one sentence for each event, for terminals and logs."""

from datetime import datetime

from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    ConfigurationTaken,
    Event,
    FenceForced,
    FindingRecorded,
    JobsSeen,
    PersonAnswered,
    PersonAsked,
    RetryRequested,
    RetryScheduled,
    RunContinued,
    RunFinished,
    RunPaused,
    RunStarted,
    RunTaken,
    ScheduleFact,
    SkipRequested,
    SlotsMissed,
    SlotTaken,
    StepGivenUp,
    StepSettled,
    StepSkipped,
)
from drorch.core.names import Verdict
from drorch.core.phrases import counted, lasted, named, one_line
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


def sentence(state: RunFold, event: Event) -> str:  # noqa: PLR0911 - one line for each kind of event
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
        case SlotTaken() | SlotsMissed() | JobsSeen() | ConfigurationTaken():
            return _scheduled(event)
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


def _scheduled(event: ScheduleFact) -> str:
    """What the start of a run told of schedules."""
    match event:
        case SlotTaken():
            late = f", late: {one_line(event.why)}" if event.late else ""
            return f"{event.job} was due at {_utc(event.due_at)}{late}"
        case SlotsMissed():
            span = _utc(event.first_at)
            if event.count > 1:
                span = f"{span} to {_utc(event.last_at)}"
            slots = counted(event.count, "slot")
            return f"{slots} of {event.job} missed, {span}: {one_line(event.why)}"
        case JobsSeen():
            jobs = counted(len(event.jobs), "job")
            return f"{jobs} to be done from {_utc(event.since)} on: {named(event.jobs)}"
        case ConfigurationTaken():
            return f"configuration {one_line(event.file)} taken over: {one_line(event.why)}"


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


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
