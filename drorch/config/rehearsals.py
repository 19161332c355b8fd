"""The rehearsals beside a runbook: `NAME.test.yaml` into values, with every problem placed."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from drorch.config.shapes import AnyText, Duration, Flag, Shape, StepName, Text, refused
from drorch.config.source import Document, parse, read_text
from drorch.config.validation import in_order, shaped
from drorch.core.errors import ConfigurationError
from drorch.core.names import Mode, Outcome, StepStatus, Verdict
from drorch.core.rehearsal import Expected, Rehearsal, Reply, Scripted

SUFFIX = ".test.yaml"


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


class EndShape(Shape):
    """How an attempt ends: it passes unless `fail` or `error` gives the cause."""

    fail: Text | None = None
    error: Text | None = None
    message: AnyText = ""
    outputs: dict[str, Any] = Field(default_factory=dict)
    takes: Duration | None = None
    answer: Literal["yes", "no", "never"] = "yes"

    @model_validator(mode="after")
    def _one_end(self) -> "EndShape":
        if self.fail is not None and self.error is not None:
            raise refused("an attempt ends by either fail or error", "take one of them away")
        return self

    def value(self) -> Scripted:
        """As a value."""
        verdict = Verdict.FAIL if self.fail else Verdict.ERROR if self.error else Verdict.PASS
        cause = self.fail or self.error or ""
        return Scripted(verdict, cause, self.message, self.outputs, self.takes, Reply(self.answer))


class ExpectShape(Shape):
    """What the run must come to."""

    outcome: Literal["passed", "failed", "aborted"] | None = None
    dirty: Flag | None = None
    order: tuple[Text, ...] = ()
    statuses: dict[str, Literal["passed", "failed", "skipped"]] = Field(default_factory=dict)
    attempts: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    arguments: dict[str, dict[str, Any]] = Field(default_factory=dict)
    within: Duration | None = None

    def value(self) -> Expected:
        """As a value."""
        return Expected(
            outcome=Outcome(self.outcome) if self.outcome else None,
            dirty=self.dirty,
            order=self.order,
            statuses={step: StepStatus(word) for step, word in self.statuses.items()},
            attempts=self.attempts,
            outputs=self.outputs,
            arguments=self.arguments,
            within=self.within,
        )


class RehearsalShape(Shape):
    """One rehearsal."""

    rehearsal: Text
    mode: Literal["drill", "live"] = "drill"
    inputs: dict[str, AnyText] = Field(default_factory=dict, alias="with")
    outcomes: dict[str, Annotated[tuple[EndShape, ...], BeforeValidator(_as_list)]] = Field(
        default_factory=dict
    )
    expect: ExpectShape

    def value(self, number: int) -> Rehearsal:
        """As a value; it stands at that place in the list."""
        return Rehearsal(
            self.rehearsal,
            Mode(self.mode),
            self.inputs,
            {step: tuple(end.value() for end in ends) for step, ends in self.outcomes.items()},
            self.expect.value(),
            ("rehearsals", number),
        )


class RehearsalsShape(Shape):
    """The file."""

    runbook: StepName
    rehearsals: Annotated[tuple[RehearsalShape, ...], Field(min_length=1)]


def read_rehearsals(path: Path) -> tuple[Document, str, list[Rehearsal]]:
    """The file's document, the runbook it is for, and its rehearsals.

    Raises ConfigurationError with every problem.
    """
    document = parse(read_text(path, str(path)), str(path))
    shape, problems = shaped(RehearsalsShape, document)
    if problems or shape is None:
        raise ConfigurationError(in_order(problems))
    found = [one.value(number) for number, one in enumerate(shape.rehearsals)]
    return document, shape.runbook, found
