"""Which requirement the quarter has evidence for: parts of its document (core/quarter_document.py).

Words are stable; reports say them in their reader's language. It never says that a requirement is met:
that is for who applies it to judge.
"""

from dataclasses import dataclass
from enum import StrEnum


class Framework(StrEnum):
    """A law or standard, as the configuration names it."""

    HIPAA = "hipaa"
    NIST = "nist"
    ISO_22301 = "iso-22301"
    SOC_2 = "soc-2"
    QUEBEC_HEALTH = "quebec-health"
    QUEBEC_PRIVATE = "quebec-private"
    DORA = "dora"
    NIS_2 = "nis-2"


@dataclass(frozen=True, slots=True)
class Shown:
    """Something in the quarter that can support a requirement: `count` of `of` (None: of nothing), and
    the first few runs that show it.
    """

    what: str
    count: int
    of: int | None = None
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing or went wrong: how many, and the first few by name."""

    what: str
    count: int
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """One requirement: `section` is where it stands. `not_shown` is what it asks for beside, which
    drorch has no record of.
    """

    requirement: str
    framework: Framework
    section: str
    shown: tuple[Shown, ...]
    gaps: tuple[Gap, ...]
    not_shown: tuple[str, ...]
