"""Which of very many steps are told one by one, and what the others are summed up to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

#: Up to so many steps are all told.
LIMIT = 240

Step: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rest:
    """Further steps of one phase that nothing happened to but what was planned.

    Times are seconds; `begin` and `end` are None if none of them began.
    """

    phase: str
    statuses: tuple[tuple[str, int], ...]
    begin: float | None
    end: float | None
    longest: float

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(n for _, n in self.statuses)


@dataclass(frozen=True, slots=True)
class PhaseSteps:
    """One phase: its steps to be told, in the plan's order, and the rest of them."""

    phase: str
    steps: tuple[Step, ...]
    rest: Rest | None


def by_phase(steps: Sequence[Step], limit: int = LIMIT) -> list[PhaseSteps]:
    """The steps phase by phase; beyond `limit` the most telling ones.

    Most telling: failed or unusual first, then the critical path, then the longest.
    """
    told = {s["step"] for s in sorted(steps, key=_telling)[:limit]}
    phases = []
    for phase, group in groupby(steps, key=lambda s: s["phase"]):
        members = list(group)
        others = [s for s in members if s["step"] not in told]
        chosen = tuple(s for s in members if s["step"] in told)
        phases.append(PhaseSteps(phase, chosen, _rest(phase, others) if others else None))
    return phases


def _telling(step: Step) -> tuple[bool, bool, float]:
    ordinary = step["status"] in ("passed", "skipped", "waiting")
    retried = step["attempts"] > 1 and not step["until"]
    unusual = not ordinary or retried or bool(step["questions"] or step["settled"])
    return (not unusual, not step["critical"], -(step["elapsed_s"] or 0.0))


def _rest(phase: str, steps: Iterable[Step]) -> Rest:
    statuses: dict[str, int] = {}
    begins, ends, longest = [], [], 0.0
    for step in steps:
        statuses[step["status"]] = statuses.get(step["status"], 0) + 1
        longest = max(longest, step["elapsed_s"] or 0.0)
        if step["from_s"] is not None:
            begins.append(step["from_s"])
            ends.append(step["from_s"] + (step["elapsed_s"] or 0.0))
    return Rest(
        phase, tuple(statuses.items()), min(begins, default=None), max(ends, default=None), longest
    )
