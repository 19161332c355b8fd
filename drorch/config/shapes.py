"""The small shapes that configuration and runbooks share: texts, durations, sizes, schedules.

Each is a pydantic type that takes what YAML gives, says in a sentence what is wrong, and
describes itself in JSON Schema.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from drorch.core.durations import parse_duration
from drorch.core.exercises import Participant, participant
from drorch.core.schedules import SCHEDULE_HINT, check_schedule_or_age, parse_schedule
from drorch.core.units import parse_share, parse_size

T = TypeVar("T")

#: The type of our own errors: the message is a sentence, the context may hold a hint.
OURS = "drorch"


def refused(message: str, hint: str = "") -> PydanticCustomError:
    """A validation error with our own sentence and hint."""
    return PydanticCustomError(OURS, "{message}", {"message": message, "hint": hint})


class Shape(BaseModel):
    """A mapping with exactly these keys; a key without a value counts as left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_keys(cls, value: object) -> object:
        if isinstance(value, dict):
            return {key: item for key, item in value.items() if item is not None}
        return value


def as_text(value: object) -> object:
    """Numbers become the text they were written as; truth values are refused."""
    if isinstance(value, bool):
        word = str(value).lower()
        raise refused(f"should be text, not the truth value {word}", f'put it in quotes: "{word}"')
    return str(value) if isinstance(value, int | float) else value


def empty_is_none_given(value: object) -> object:
    """A key without a value stands for the mapping without keys."""
    return {} if value is None else value


def one_or_more(value: object) -> object:
    """One item stands for the list of it."""
    return value if isinstance(value, list | tuple) else [value]


def parsed(parse: Callable[[str], T], hint: str) -> Callable[[Any], T]:
    """A validator from a parser that raises ValueError with a sentence."""

    def validate(value: object) -> T:
        text = as_text(value)
        if not isinstance(text, str):
            raise refused("should be text", hint)
        try:
            return parse(text)
        except ValueError as error:
            raise refused(str(error), hint) from None

    return validate


def _schedule(text: str) -> str:
    parse_schedule(text)
    return text


def _schedule_or_age(text: str) -> str:
    check_schedule_or_age(text)
    return text


def _ratio(value: object) -> float:
    """A share as `20%`, or as a number from 0 to 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    return parsed(parse_share, "write it like 20%")(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused("should be a number", "write digits, without quotes")
    return float(value)


_TEXT_SCHEMA = {"type": "string"}
_DURATION_SCHEMA = {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d|w|y))+$"}
_SHARE_SCHEMA = {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"}

Text = Annotated[str, BeforeValidator(as_text), StringConstraints(min_length=1)]
AnyText = Annotated[str, BeforeValidator(as_text)]
Name = Annotated[Text, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
StepName = Annotated[Text, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Flag = StrictBool
Count = Annotated[StrictInt, Field(ge=0)]
Positive = Annotated[StrictInt, Field(ge=1)]
Argv = Annotated[tuple[AnyText, ...], Field(min_length=1)]
Number = Annotated[float, PlainValidator(_number), WithJsonSchema({"type": "number"})]
Duration = Annotated[
    timedelta,
    PlainValidator(parsed(parse_duration, "write it like 500ms, 90s, 30m, 1h30m or 30d")),
    WithJsonSchema(_DURATION_SCHEMA),
]
Size = Annotated[
    int,
    PlainValidator(parsed(parse_size, "write it like 500KiB, 20MiB or 2GiB")),
    WithJsonSchema({"anyOf": [_TEXT_SCHEMA, {"type": "integer"}]}),
]
Share = Annotated[
    float,
    PlainValidator(parsed(parse_share, "write it like 40%")),
    WithJsonSchema(_SHARE_SCHEMA),
]
Ratio = Annotated[
    float,
    PlainValidator(_ratio),
    WithJsonSchema({"anyOf": [_SHARE_SCHEMA, {"type": "number", "minimum": 0, "maximum": 1}]}),
]
Schedule = Annotated[
    str,
    PlainValidator(parsed(_schedule, SCHEDULE_HINT)),
    WithJsonSchema(_TEXT_SCHEMA | {"examples": ["*/15 * * * *", "every 15m", "daily at 02:00"]}),
]
ScheduleOrAge = Annotated[
    str,
    PlainValidator(parsed(_schedule_or_age, SCHEDULE_HINT + "; or an age such as 30d")),
    WithJsonSchema(_TEXT_SCHEMA | {"examples": ["weekly", "30d"]}),
]
Jurisdiction = Annotated[Text, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]

Someone = Annotated[
    Participant,
    PlainValidator(parsed(participant, "write it like `Marie Tremblay, incident lead`")),
    WithJsonSchema(_TEXT_SCHEMA | {"examples": ["Marie Tremblay, incident lead"]}),
]


class ObjectivesShape(Shape):
    """Promises."""

    rto: Duration | None = Field(default=None, description="recovery time: back within")
    rpo: Duration | None = Field(default=None, description="recovery point: at most this much lost")
    mtpd: Duration | None = Field(default=None, description="longest tolerable outage")
