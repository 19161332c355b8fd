"""The shape of a runbook file. Whether it makes sense is for the compiler to say."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from drorch.config.shapes import (
    AnyText,
    Duration,
    Flag,
    Number,
    ObjectivesShape,
    Positive,
    Ratio,
    Shape,
    StepName,
    Text,
    empty_is_none_given,
    refused,
)

InputName = StepName


class InputShape(Shape):
    """A value given when a run starts; without a default it must be given."""

    default: AnyText | None = None
    doc: AnyText = ""


class RetryShape(Shape):
    """Exponential back-off."""

    attempts: Positive = Field(description="in all, the first included")
    delay: Duration | None = None
    backoff: Annotated[Number, Field(ge=1)] | None = None
    jitter: Ratio | None = None
    limit: Duration | None = Field(default=None, description="the longest wait")
    only: tuple[Text, ...] = Field(
        default=(), description="causes that are retried; empty: every one"
    )


class UntilShape(Shape):
    """Look again until it holds."""

    within: Duration
    every: Duration | None = None
    successes: Positive = 1


class WhenShape(Shape):
    """Do the step only if the value compares so."""

    value: Any
    is_: Any = Field(default=None, alias="is")
    is_not: Any = None
    in_: list[Any] | None = Field(default=None, alias="in")

    @model_validator(mode="after")
    def _one_comparison(self) -> "WhenShape":
        if len(self.model_fields_set & {"is_", "is_not", "in_"}) != 1:
            hint = 'write it like `when: {value: "{step.output}", is: primary}`'
            raise refused("a condition compares by exactly one of is, is_not, in", hint)
        return self


class ForEachShape(Shape):
    """What a nested runbook is carried out for, once each."""

    as_: StepName = Field(alias="as", description="the name that each goes by: {name}")
    in_: Annotated[tuple[Text, ...], Field(min_length=1)] | None = Field(
        default=None, alias="in", description="a list"
    )
    tier: AnyText | None = Field(
        default=None, description="the configuration's datasets of a tier, or `all`"
    )

    @model_validator(mode="after")
    def _one_source(self) -> "ForEachShape":
        if (self.in_ is None) == (self.tier is None):
            raise refused(
                "needs exactly one of in, tier",
                "write `in: [one, another]`, or `tier: all` for the configuration's datasets",
            )
        return self


class CallShape(Shape):
    """An action and its arguments."""

    do: Text
    arguments: dict[str, Any] = Field(default_factory=dict, alias="with")


class StepShape(CallShape):
    """One step, or one check."""

    step: StepName | None = None
    check: StepName | None = None
    title: AnyText = ""
    needs: tuple[Text, ...] | None = None
    retry: RetryShape | None = None
    until: UntilShape | None = None
    timeout: Duration | None = None
    when: WhenShape | None = None
    for_each: ForEachShape | None = None
    on_failure: Literal["stop", "continue", "ask", "isolate"] = "stop"
    repeatable: Flag | None = None
    live_only: Flag = False
    undo: CallShape | None = None
    always: Flag = False

    @model_validator(mode="after")
    def _one_name(self) -> "StepShape":
        if (self.step is None) == (self.check is None):
            raise refused("needs a name", "write `step: name`, or `check: name` for a check")
        return self

    @property
    def name(self) -> str:
        """As a step or as a check."""
        return self.step or self.check or ""


class GoalShape(Shape):
    """What is to be shown, and what shows it."""

    text: Text
    shown_by: tuple[Text, ...] = Field(
        default=(),
        description="steps that show it by passing; RTO and RPO show it by being met",
    )


def _goal(value: object) -> object:
    return value if isinstance(value, dict | GoalShape) else {"text": value}


#: A sentence alone, or with what shows it.
Goal = Annotated[GoalShape, BeforeValidator(_goal)]


class AreasShape(Shape):
    """What was tested beside the recovery itself; left out, or `not tested`: nothing."""

    notification: Goal | None = Field(default=None, description="how people were called")
    connectivity: Goal | None = Field(default=None, description="connections in and out")
    performance: Goal | None = Field(default=None, description="under how much load")
    return_: Goal | None = Field(default=None, alias="return", description="the way back to normal")


class ExerciseShape(Shape):
    """What an exercise of it is for. It goes into the plan, the journal and the report."""

    type: Literal["tabletop", "component", "isolated", "live"] | None = None
    scenario: AnyText = Field(default="", description="what is played; inputs may stand in it")
    scope: AnyText = ""
    objectives: tuple[Goal, ...] = Field(default=(), description="what it is to show")
    criteria: tuple[Goal, ...] = Field(default=(), description="what counts as success")
    assumptions: tuple[Text, ...] = ()
    excluded: tuple[Text, ...] = Field(default=(), description="what is left out on purpose")
    areas: AreasShape = AreasShape()


class PhasesShape(Shape):
    """Where to, what was promised, and the steps by phase."""

    title: AnyText = ""
    site: Text | None = Field(
        default=None, description="where the service runs once this has passed for real"
    )
    objectives: ObjectivesShape | None = None
    exercise: ExerciseShape | None = None
    preconditions: tuple[StepShape, ...] = ()
    fence: tuple[StepShape, ...] = Field(
        default=(), description="of a live run: how it is known that the primary is down or fenced"
    )
    steps: tuple[StepShape, ...] = ()
    verify: tuple[StepShape, ...] = ()
    cleanup: tuple[StepShape, ...] = ()

    @model_validator(mode="after")
    def _something_to_do(self) -> "PhasesShape":
        if not self.steps and not self.verify:
            raise refused("has neither steps nor verify: nothing to do", "add `steps:`")
        return self


class FailbackShape(PhasesShape):
    """The way home: phases of its own, or another runbook."""

    runbook: StepName | None = Field(default=None, description="the runbook that leads home")
    inputs: dict[InputName, AnyText] = Field(
        default_factory=dict, description="of that runbook; inputs of this one may stand in them"
    )

    @model_validator(mode="after")
    def _something_to_do(self) -> "FailbackShape":
        phases = (self.preconditions, self.fence, self.steps, self.verify, self.cleanup)
        if self.runbook is not None and any(phases):
            raise refused("names a runbook and has phases too", "keep one of them")
        if self.runbook is None and self.inputs:
            raise refused("inputs go with `runbook:` only", "its phases know this file's inputs")
        if self.runbook is None and not self.steps and not self.verify:
            raise refused("has neither steps nor verify: nothing to do", "add `steps:`")
        return self


class RunbookShape(PhasesShape):
    """A whole runbook."""

    runbook: StepName
    service: Text | None = None
    owner: AnyText = ""
    inputs: dict[InputName, Annotated[InputShape, BeforeValidator(empty_is_none_given)]] = Field(
        default_factory=dict
    )
    parallel: Positive = 8
    unfenced: Text | None = Field(
        default=None, description="why a failover needs no fence; it stands in every report"
    )
    failback: FailbackShape | None = Field(
        default=None, description="the way home; it shares the inputs"
    )

    @model_validator(mode="after")
    def _fenced_or_not(self) -> "RunbookShape":
        if self.unfenced is not None and self.fence:
            raise refused("has a fence and says that none is needed", "keep one of them")
        return self


def runbook_schema() -> dict[str, Any]:
    """JSON Schema of a runbook, for editors."""
    schema = RunbookShape.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
