"""The shapes of a dataset's parts: its copies, what is kept and checked, how fast, how politely."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from drorch.config.shapes import (
    Argv,
    Count,
    Duration,
    ScheduleOrAge,
    Shape,
    Share,
    Size,
    Text,
    refused,
)
from drorch.core.hours import parse_hours
from drorch.core.priority import NICEST

#: restic takes no lower limit, in KiB a second.
LEAST_RATE = 1024


def _between(text: str) -> str:
    try:
        parse_hours(text)
    except ValueError as error:
        raise refused(str(error), 'write it like "06:00-22:00"') from None
    return text


def _rate(size: int) -> int:
    if size < LEAST_RATE:
        raise refused(f"{size} bytes a second is no rate", "write at least 1KiB, or leave it out")
    return size


class CopyShape(Shape):
    """A further region of a dataset."""

    mode: Literal["mirror", "copy"]
    password: Text | None = Field(default=None, description="a secret's name; only for `copy`")


class DumpShape(Shape):
    """A command whose output is the data."""

    command: Argv
    filename: Annotated[Text, StringConstraints(pattern=r"^[^/\s]+$")]


class KeepShape(Shape):
    """How many snapshots retention keeps."""

    last: Count | None = None
    hourly: Count | None = None
    daily: Count | None = None
    weekly: Count | None = None
    monthly: Count | None = None
    yearly: Count | None = None
    within: Duration | None = None


class VerifyShape(Shape):
    """How often the copies are checked."""

    check: ScheduleOrAge | None = None
    scrub: ScheduleOrAge | None = None
    scrub_budget: Size | None = None
    restore_test: ScheduleOrAge | None = None
    key: Duration | None = None


class WindowShape(Shape):
    """When and how fast data may be sent."""

    limit_upload: Annotated[Size, AfterValidator(_rate)] | None = None
    limit_download: Annotated[Size, AfterValidator(_rate)] | None = None
    between: Annotated[Text, AfterValidator(_between)] | None = None


class GuardShape(Shape):
    """What makes a backup suspicious."""

    min_files: Count | None = None
    max_change: Share | None = None


class PriorityShape(Shape):
    """How much restic stands back for others while it works for a dataset; restores never do."""

    nice: Annotated[Count, Field(le=NICEST)] = 0
    io: Literal["low", "idle"] | None = Field(
        default=None, description="whose disk requests come first: low, idle: everybody else's"
    )
