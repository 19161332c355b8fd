"""What bars of a timeline look like: each kind differs by its hatch or outline, too."""

from enum import StrEnum
from typing import Any

from drorch.reports.plots.library import Ink
from drorch.reports.plots.styles import area


class Bar(StrEnum):
    """What a bar of a timeline means."""

    PASSED = "passed"
    FAILED = "failed"
    LOST = "lost"
    RUNNING = "running"
    WAIT = "wait"
    PERSON = "person"
    REST = "rest"


_DASHED = (0, (3, 2))


def style_of(bar: Bar, *, critical: bool = False) -> dict[str, Any]:
    """How the library draws it: a rectangle's keywords."""
    styles: dict[Bar, dict[str, Any]] = {
        Bar.PASSED: area(Ink.BAR, Ink.BAR, width=1),
        Bar.FAILED: area(Ink.BAD_BACK, Ink.BAD, hatch="/////", width=1.5),
        Bar.LOST: area(Ink.PAPER, Ink.BAD, width=1.5, linestyle=_DASHED),
        Bar.RUNNING: area(Ink.IDLE_BACK, Ink.BAR, width=1.5, linestyle=_DASHED),
        Bar.WAIT: area(Ink.PAPER, Ink.IDLE, hatch="||||", width=0.8),
        Bar.PERSON: area(Ink.PAPER, Ink.PERSON, hatch="xxxx", width=0.8),
        Bar.REST: area(Ink.IDLE_BACK, Ink.IDLE, width=1),
    }
    style = styles[bar]
    if not critical or bar in (Bar.WAIT, Bar.PERSON):
        return style
    return {**style, "edgecolor": Ink.INK.stand_in, "linewidth": 2.4}
