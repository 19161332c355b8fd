"""The shape of `reports:`: what is written by itself, when, and whom it is sent to."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, model_validator

from drorch.config.shapes import Argv, Shape, Someone, Text, empty_is_none_given, refused


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise refused(f"{text!r} is not a time of day", 'write it like "06:00"')
    return text


#: As core/quarter_controls.py has them; a test holds the two together.
FrameworkName = Literal[
    "hipaa", "nist", "iso-22301", "soc-2", "quebec-health", "quebec-private", "dora", "nis-2"
]


class RecipientShape(Shape):
    """Whom reports are given to: exactly one of these."""

    to: Text | None = Field(default=None, description="a secret holding an Apprise URL")
    command: Argv | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "RecipientShape":
        if (self.to is None) == (self.command is None):
            hint = "write the secret's name, or `{command: [PROGRAM, …]}`"
            raise refused("a report goes to one secret's address, or to one command", hint)
        return self


def _recipient(value: object) -> object:
    return {"to": value} if isinstance(value, str) else value


class QuarterlyShape(Shape):
    """The quarterly report that the daemon writes and sends; defaults stand in core/settings.py."""

    day: Annotated[StrictInt, Field(ge=1, le=28)] | None = Field(
        default=None, description="of the month after the quarter; 5 unless told"
    )
    at: Annotated[Text, AfterValidator(_time_of_day)] | None = Field(
        default=None, description="local time; 06:00 unless told"
    )
    languages: Annotated[tuple[Literal["en", "fr"], ...], Field(min_length=1)] | None = Field(
        default=None, description="the configuration's `language` unless told"
    )
    formats: (
        Annotated[tuple[Literal["pdf", "html", "md", "json", "csv"], ...], Field(min_length=1)]
        | None
    ) = Field(default=None, description="pdf, html and json unless told")
    to: tuple[
        Annotated[
            RecipientShape,
            BeforeValidator(_recipient, json_schema_input_type=str | RecipientShape),
        ],
        ...,
    ] = Field(
        default=(), description="whom it is sent to: secrets that hold Apprise URLs, or commands"
    )


class ReportsShape(Shape):
    """Reports that come by themselves, who signs them off, and which requirements they tell of."""

    quarterly: Annotated[QuarterlyShape, BeforeValidator(empty_is_none_given)] = QuarterlyShape()
    sign_off: tuple[Someone, ...] = Field(default=(), description="each as `Name, role`")
    controls: Annotated[tuple[FrameworkName, ...], Field(min_length=1)] | None = Field(
        default=None, description="laws and standards; all unless told"
    )
