"""What a journal tells of a span of time in numbers: runs and slots, counted."""

from dataclasses import dataclass
from datetime import datetime

from drorch.core.names import Outcome, RunKind, SlotFate


@dataclass(frozen=True, slots=True)
class RunsCounted:
    """So many runs that began in the span; None as outcome: they have no end yet.

    `passed_at` is when the last of them that passed ended.
    """

    kind: RunKind
    name: str
    trigger: str
    outcome: Outcome | None
    count: int
    passed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SlotsCounted:
    """So many slots of a job in the span. Of those not missed: how the runs that took them ended."""

    job: str
    fate: SlotFate
    outcome: Outcome | None
    count: int


@dataclass(frozen=True, slots=True)
class MissedCounted:
    """So many missed slots of a job in the span, for one reason."""

    job: str
    why: str
    count: int
