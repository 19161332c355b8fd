"""What is measured: series of one quantity, and figures that hold two of them against each other.

Pure. A figure's ratio is taken within each repetition, so that a noisy minute hits both sides.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class LeftOut(Exception):
    """A figure that cannot be taken here: something foreign is missing, or --quick."""


class Broken(Exception):
    """What was to be measured did not work."""


class Verdict(StrEnum):
    """How a figure stands to its bound."""

    WITHIN = "within"
    BEYOND = "beyond"
    TOLD = "told"


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity in every repetition, in their order."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle."""
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        """The smallest."""
        return min(self.values)

    @property
    def most(self) -> float:
        """The largest."""
        return max(self.values)

    def over(self, other: "Series") -> "Series":
        """The ratios of two series, repetition by repetition."""
        pairs = zip(self.values, other.values, strict=True)
        return Series(tuple(ours / theirs for ours, theirs in pairs))

    def per(self, other: "Series", count: int) -> "Series":
        """What one of `count` further things costs, from the larger case over the smaller."""
        pairs = zip(self.values, other.values, strict=True)
        return Series(tuple((larger - smaller) / count for larger, smaller in pairs))

    def document(self) -> dict[str, Any]:
        """For machines."""
        return {
            "median": self.median,
            "min": self.least,
            "max": self.most,
            "values": list(self.values),
        }


@dataclass(frozen=True, slots=True)
class Bound:
    """What was promised: the ratio (or, with nothing beside, the value) is at most, or at least."""

    limit: float
    at_least: bool = False

    def holds(self, value: float) -> bool:
        """Whether the promise is kept."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `theirs` None: the value itself is what counts.

    `inverse`: the ratio says how many times as long theirs takes.
    """

    what: str
    ours: Series
    unit: str
    theirs: Series | None = None
    beside: str = ""
    bound: Bound | None = None
    inverse: bool = False
    note: str = ""

    @property
    def ratio(self) -> Series | None:
        """Ours over theirs, or the inverse."""
        if self.theirs is None:
            return None
        return self.theirs.over(self.ours) if self.inverse else self.ours.over(self.theirs)

    @property
    def judged(self) -> float:
        """The median that is held against the bound."""
        return (self.ratio or self.ours).median

    @property
    def verdict(self) -> Verdict:
        """How the figure stands to its bound."""
        if self.bound is None:
            return Verdict.TOLD
        return Verdict.WITHIN if self.bound.holds(self.judged) else Verdict.BEYOND

    def document(self) -> dict[str, Any]:
        """For machines."""
        return {
            "what": self.what,
            "beside": self.beside or None,
            "unit": self.unit,
            "ours": self.ours.document(),
            "theirs": self.theirs.document() if self.theirs else None,
            "ratio": self.ratio.document() if self.ratio else None,
            "ratio_is": ("theirs/ours" if self.inverse else "ours/theirs") if self.theirs else None,
            "bound": str(self.bound) if self.bound else None,
            "verdict": str(self.verdict),
            "note": self.note or None,
        }


Measure = Callable[[], float]


def interleaved(
    contenders: Mapping[str, Measure], repetitions: int, *, warm_up: bool = False
) -> dict[str, Series]:
    """Measure A, B, …, A, B, … With `warm_up` each is done once more, first, and not counted."""
    if warm_up:
        for measure in contenders.values():
            measure()
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repetitions):
        for name, measure in contenders.items():
            found[name].append(measure())
    return {name: series(values) for name, values in found.items()}


def series(values: Sequence[float]) -> Series:
    """A series of measured values."""
    return Series(tuple(values))
