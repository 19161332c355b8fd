"""A runbook as its author wrote it, before it is compiled for a mode and inputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from drorch.core.exercises import Exercise
from drorch.core.model import Objectives
from drorch.core.names import OnFailure, Phase
from drorch.core.values import Value


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential back-off: `attempts` in all, waiting `delay`, then `backoff` times as long
    each time up to `limit`, spread by `jitter` (a share of the wait, 0 to 1).

    `only` names the causes that are retried; empty means every cause.
    """

    attempts: int = 1
    delay: timedelta = timedelta(seconds=5)
    backoff: float = 2.0
    jitter: float = 0.2
    limit: timedelta = timedelta(minutes=5)
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Until:
    """Look again `every` so often until `successes` in a row, giving up after `within`."""

    within: timedelta
    every: timedelta = timedelta(seconds=1)
    successes: int = 1


class WhenTest(StrEnum):
    """How a `when` compares."""

    IS = "is"
    IS_NOT = "is-not"
    IN = "in"


@dataclass(frozen=True, slots=True)
class When:
    """Run the step only if the rendered `value` compares so with `operand` (for IN, a list)."""

    value: Value
    test: WhenTest
    operand: Value

    def rewritten(self, change: Callable[[Value], Value]) -> "When":
        """The same with both sides changed."""
        return When(change(self.value), self.test, change(self.operand))

    def holds(self, value: Value, operand: Value) -> bool:
        """Whether it does for these, the rendered ones. Equal is equal as values, or as text:
        inputs are always text.
        """
        match self.test:
            case WhenTest.IS:
                return _same(value, operand)
            case WhenTest.IS_NOT:
                return not _same(value, operand)
            case WhenTest.IN:
                return isinstance(operand, list | tuple) and any(_same(value, o) for o in operand)


def _same(left: Value, right: Value) -> bool:
    return left == right or str(left) == str(right)


@dataclass(frozen=True, slots=True)
class ActionCall:
    """An action with its arguments as written."""

    do: str
    arguments: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ForEach:
    """Write a nested runbook out for each of `items`; without any, for each dataset of a tier (a
    template; `all`: every one). `name` is what the item goes by.
    """

    name: str
    items: tuple[str, ...] = ()
    tier: str = ""


@dataclass(frozen=True, slots=True)
class RunbookStep:
    """One step or check as written. `needs` None means: the step before it."""

    name: str
    phase: Phase
    call: ActionCall
    is_check: bool = False
    needs: tuple[str, ...] | None = None
    retry: Retry | None = None
    until: Until | None = None
    timeout: timedelta | None = None
    when: When | None = None
    on_failure: OnFailure = OnFailure.STOP
    repeatable: bool | None = None
    live_only: bool = False
    undo: ActionCall | None = None
    title: str = ""
    always: bool = False
    for_each: ForEach | None = None
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """A value given when a run starts. Without a default it must be given."""

    name: str
    default: str | None = None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Failback:
    """The way home, as a section of the runbook that leads away. It shares the inputs.

    `runbook` is the one that it is written in, if that is another: then its one step nests it.
    """

    title: str = ""
    site: str | None = None
    objectives: Objectives | None = None
    steps: tuple[RunbookStep, ...] = ()
    runbook: str = ""
    exercise: Exercise | None = None


@dataclass(frozen=True, slots=True)
class Runbook:
    """A whole runbook. `digest` is the SHA-256 (hex) of its text.

    `site` is where the service runs once this has passed for real; `within` leads to it in the
    document, if it is a section. `unfenced` says why a failover needs no fence; empty: it does.
    """

    name: str
    title: str = ""
    service: str | None = None
    owner: str = ""
    objectives: Objectives | None = None
    inputs: tuple[Input, ...] = ()
    parallel: int = 8
    steps: tuple[RunbookStep, ...] = ()
    digest: str = ""
    file: str = ""
    site: str | None = None
    failback: Failback | None = None
    unfenced: str = ""
    within: tuple[str, ...] = ()
    exercise: Exercise | None = None

    def homeward(self) -> "Runbook | None":
        """The section `failback` as a runbook of its own; None if there is none."""
        section = self.failback
        if section is None:
            return None
        return replace(
            self,
            name=f"{self.name}-failback",
            title=section.title,
            site=section.site,
            objectives=section.objectives,
            steps=section.steps,
            failback=None,
            exercise=section.exercise,
            within=("failback",),
        )
