"""A run in the log: each event as a line that says how grave it is and whom it concerns."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from drorch.core.codec import encode_event
from drorch.core.events import (
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    Event,
    FindingRecorded,
    PersonAsked,
    RetryScheduled,
    RunFinished,
    RunStarted,
    RunTaken,
    SlotsMissed,
    SlotTaken,
    StepGivenUp,
)
from drorch.core.moment import Moment, elapsed
from drorch.core.names import Outcome, Verdict
from drorch.core.sentences import sentence
from drorch.core.state import RunFold
from drorch.core.values import Value
from drorch.ports import Progress

if TYPE_CHECKING:
    from drorch.adapters.logs import Field, Log

#: Seconds between two words on how far a step is.
INTERVAL = 60.0
#: Outputs of a step that are worth a place on its line.
_TOLD = ("region", "snapshot", "files", "bytes", "objects")


class RunLog:
    """A watcher of one run. Every line carries the run's id, kind and name, and `facts`."""

    def __init__(
        self,
        log: "Log",
        facts: Mapping[str, "Field"],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._facts = dict(facts)
        self._ticks = ticks
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def happened(self, state: RunFold, event: Event, at: Moment) -> None:
        """Tell what happened."""
        if "run" not in self._facts:
            self._know(state)
        if isinstance(event, AttemptStarted):
            with self._lock:
                self._last[event.step] = self._ticks()
        if _only_looks_again(state, event):
            return
        word = encode_event(event)[0]
        of_step = _of_step(state, event)
        facts = {**self._facts, **of_step, **_of_event(state, event, at)}
        _at_level(self._log, event)(word, sentence(state, event), **facts)
        for finding in event.findings if isinstance(event, AttemptFinished) else ():
            told = FindingRecorded(finding)
            facts = {**self._facts, **of_step, **_of_event(state, told, at)}
            self._log.warning("finding.recorded", sentence(state, told), **facts)

    def progress(self, step: str, progress: Progress) -> None:
        """Tell how far a step is, now and then."""
        with self._lock:
            now = self._ticks()
            if now - self._last.setdefault(step, now) < INTERVAL:
                return
            self._last[step] = now
        told: dict[str, Field] = {
            "bytes_done": progress.bytes_done,
            "bytes_total": progress.bytes_total,
            "files_done": progress.files_done,
            "files_total": progress.files_total,
        }
        message = f"{step}: {progress.message or 'under way'}"
        self._log.info("progress", message, **{**self._facts, "step": step, **told})

    def _know(self, state: RunFold) -> None:
        plan = state.plan
        self._facts |= {"run": state.run, "kind": plan.kind.value, "name": plan.name}
        if len(plan.datasets) == 1:
            self._facts["dataset"] = plan.datasets[0]


def _only_looks_again(state: RunFold, event: Event) -> bool:
    """A check that is repeated until it passes says so only when it has, or gave up."""
    match event:
        case RetryScheduled():
            return state.steps[event.step].plan.until is not None
        case AttemptStarted():
            return event.attempt > 1 and state.steps[event.step].plan.until is not None
        case AttemptFinished():
            waits = state.steps[event.step].plan.until is not None
            return waits and event.verdict is not Verdict.PASS
        case _:
            return False


def _at_level(log: "Log", event: Event) -> Callable[..., None]:
    match event:
        case RunFinished(outcome=Outcome.FAILED) | StepGivenUp():
            return log.error
        case RunFinished():
            good = event.outcome is Outcome.PASSED and not event.left_behind
            return log.info if good else log.warning
        case AttemptFinished():
            return log.info if event.verdict is Verdict.PASS else log.warning
        case AttemptLost() | RunTaken() | FindingRecorded() | PersonAsked() | SlotsMissed():
            return log.warning
        case _:
            return log.info


def _of_step(state: RunFold, event: Event) -> "dict[str, Field]":
    step = getattr(event, "step", "")
    if step not in state.steps:
        return {}
    planned = state.steps[step].plan
    facts: dict[str, Field] = {"step": step, "action": planned.do}
    for name in ("dataset", "region"):
        value = planned.arguments.get(name)
        if isinstance(value, str):
            facts[name] = value
    return facts


def _of_event(state: RunFold, event: Event, at: Moment) -> "dict[str, Field]":
    match event:
        case RunStarted():
            return {"trigger": event.trigger, "by": event.by, "due_at": event.due_at}
        case AttemptFinished():
            told = {name: _plain(event.outputs.get(name)) for name in _TOLD}
            given = {name: value for name, value in told.items() if value is not None}
            return {
                "verdict": event.verdict.value,
                "cause": event.cause or None,
                "elapsed_s": event.elapsed,
                **given,
            }
        case SlotTaken() | SlotsMissed():
            return _of_slots(event)
        case FindingRecorded():
            return {"what": event.finding.what, "subject": event.finding.subject}
        case RunFinished():
            return {"outcome": event.outcome.value, "elapsed_s": elapsed(state.started, at)}
        case _:
            return {}


def _of_slots(event: SlotTaken | SlotsMissed) -> "dict[str, Field]":
    if isinstance(event, SlotTaken):
        return {"job": event.job, "due_at": event.due_at, "late": event.late}
    return {"job": event.job, "missed": event.count}


def _plain(value: Value) -> "Field":
    return value if isinstance(value, bool | int | float | str) else None
