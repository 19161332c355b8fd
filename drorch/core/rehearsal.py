"""A rehearsal of a runbook: how its steps are to end, what is expected of the run, and the judgement.

Pure. A runbook's author writes it beside the runbook; the engine carries it out with scripted
actions (engine/rehearsing.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from drorch.core.durations import format_duration
from drorch.core.names import Mode, Outcome, StepStatus, Verdict
from drorch.core.render import as_text
from drorch.core.state import RunFold
from drorch.core.timing import time_run
from drorch.core.values import Value


class Reply(StrEnum):
    """What a person does when asked."""

    YES = "yes"
    NO = "no"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Scripted:
    """How one attempt ends, and after how long (None: a second; of `wait`, what it waits)."""

    verdict: Verdict = Verdict.PASS
    cause: str = ""
    message: str = ""
    outputs: Mapping[str, Value] = field(default_factory=dict)
    takes: timedelta | None = None
    reply: Reply = Reply.YES


@dataclass(frozen=True, slots=True)
class Expected:
    """What the run must come to; what is None or empty is not looked at.

    `order` names steps that must begin one after the other; others may come between.
    """

    outcome: Outcome | None = None
    dirty: bool | None = None
    order: tuple[str, ...] = ()
    statuses: Mapping[str, StepStatus] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    arguments: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One rehearsal. The last scripted end of a step is that of all further attempts."""

    name: str
    mode: Mode = Mode.DRILL
    inputs: Mapping[str, str] = field(default_factory=dict)
    script: Mapping[str, tuple[Scripted, ...]] = field(default_factory=dict)
    expected: Expected = field(default_factory=Expected)
    path: tuple[str | int, ...] = ()

    def named(self) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """Every step that it names, and where it does."""
        wanted = self.expected
        for step in self.script:
            yield step, ("outcomes", step)
        for key in ("statuses", "attempts", "outputs", "arguments"):
            for step in getattr(wanted, key):
                yield step, ("expect", key, step)
        for number, step in enumerate(wanted.order):
            yield step, ("expect", "order", number)


@dataclass(frozen=True, slots=True)
class Unmet:
    """Something that came otherwise; `path` leads from the rehearsal to what was expected."""

    message: str
    path: tuple[str | int, ...]


def unmet(state: RunFold, expected: Expected, *, dirty: bool) -> list[Unmet]:
    """Everything that the finished run did otherwise."""
    return [
        *_ending(state, expected, dirty=dirty),
        *_order(state, expected.order),
        *_steps(state, expected),
        *_values(state, expected),
    ]


def _ending(state: RunFold, expected: Expected, *, dirty: bool) -> Iterator[Unmet]:
    outcome = state.finished.outcome if state.finished else None
    if expected.outcome is not None and outcome is not expected.outcome:
        why = f": {state.failed_step} failed" if state.failed_step else ""
        yield Unmet(f"the run {outcome}{why}, not {expected.outcome}", ("expect", "outcome"))
    if expected.dirty is not None and dirty is not expected.dirty:
        said = "leaves something behind" if dirty else "leaves nothing behind"
        yield Unmet(f"the run {said}", ("expect", "dirty"))
    took = time_run(state, state.latest).window
    if expected.within is not None and took is not None and took.length > expected.within:
        most = format_duration(expected.within)
        said = f"the recovery took {format_duration(took.length)}, more than {most}"
        yield Unmet(said, ("expect", "within"))


def _order(state: RunFold, order: tuple[str, ...]) -> Iterator[Unmet]:
    began = {
        name: (step.attempts[0].started if step.attempts else step.questions[0].at).ticks
        for name, step in state.steps.items()
        if step.attempts or step.questions
    }
    before: str | None = None
    for number, step in enumerate(order):
        place = ("expect", "order", number)
        if step not in began:
            yield Unmet(f"{step} was never begun", place)
            continue
        if before is not None and began[step] < began[before]:
            yield Unmet(f"{step} began before {before}", place)
        before = step


def _steps(state: RunFold, expected: Expected) -> Iterator[Unmet]:
    for name, wanted in expected.statuses.items():
        step = state.steps[name]
        if step.status is not wanted:
            why = step.message or step.why
            said = f"{name} is {step.status}, not {wanted}" + (f": {why}" if why else "")
            yield Unmet(said, ("expect", "statuses", name))
    for name, count in expected.attempts.items():
        made = len(state.steps[name].attempts)
        if made != count:
            yield Unmet(f"{name} was tried {made} times, not {count}", ("expect", "attempts", name))


def _values(state: RunFold, expected: Expected) -> Iterator[Unmet]:
    for kind, wanted in (("outputs", expected.outputs), ("arguments", expected.arguments)):
        for name, values in wanted.items():
            found = _found(state, kind, name)
            for key, value in values.items():
                if as_text(found.get(key)) != as_text(value):
                    said = f"{name}: {key} is {as_text(found.get(key))}, not {as_text(value)}"
                    yield Unmet(said, ("expect", kind, name, key))


def _found(state: RunFold, kind: str, name: str) -> Mapping[str, Value]:
    step = state.steps[name]
    if kind == "outputs":
        return step.outputs
    return step.attempts[-1].arguments if step.attempts else {}
