"""Exercises: which runs count as evidence, what an exercise is for, and who takes part.

A runbook's `exercise:` section and the participants lie in the plan, and so in the journal: what
an exercise was to show is known from before it began.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from drorch.core.names import RunKind

#: Runs that are evidence of what can be recovered: exercises and recoveries.
EVIDENCE: Final = frozenset(
    {
        RunKind.DRILL,
        RunKind.FAILOVER,
        RunKind.FAILBACK,
        RunKind.RESTORE,
        RunKind.RESTORE_TEST,
    }
)

#: Of an area, in place of words: it was not tested.
NOT_TESTED: Final = "not tested"

#: What may stand beside steps as proof of a goal: an objective that is met.
OBJECTIVES: Final = ("RTO", "RPO")


class ExerciseType(StrEnum):
    """How near an exercise comes to the real thing, as NIST SP 800-84 and DORA tell them apart."""

    TABLETOP = "tabletop"
    COMPONENT = "component"
    ISOLATED = "isolated"
    LIVE = "live"


class Area(StrEnum):
    """What NIST SP 800-34 §3.5.1 wants tested beside the recovery itself."""

    NOTIFICATION = "notification"
    CONNECTIVITY = "connectivity"
    PERFORMANCE = "performance"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that an exercise is to show; `shown_by` are steps that show it by passing, and
    OBJECTIVES that show it by being met. Without any, people must judge.
    """

    text: str
    shown_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exercise:
    """What an exercise is for. All of it may be left out; an area that is, was not tested."""

    type: ExerciseType | None = None
    scenario: str = ""
    scope: str = ""
    objectives: tuple[Goal, ...] = ()
    criteria: tuple[Goal, ...] = ()
    assumptions: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    areas: Mapping[Area, Goal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who took part; an empty role was not given."""

    name: str
    role: str = ""


def participant(text: str) -> Participant:
    """From `Name, role`; ValueError if it names nobody."""
    name, _, role = text.partition(",")
    if not name.strip():
        raise ValueError(f"{text!r} names nobody")
    return Participant(" ".join(name.split()), " ".join(role.split()))
