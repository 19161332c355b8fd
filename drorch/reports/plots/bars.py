"""What bars of a timeline look like: each kind differs by its hatch or outline, too."""

from enum import StrEnum
from typing import Any

from drorch.reports.plots.library import Ink


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
        Bar.PASSED: _style(Ink.BAR, Ink.BAR),
        Bar.FAILED: _style(Ink.BAD_BACK, Ink.BAD, hatch="/////", linewidth=1.5),
        Bar.LOST: _style(Ink.PAPER, Ink.BAD, linewidth=1.5, linestyle=_DASHED),
        Bar.RUNNING: _style(Ink.IDLE_BACK, Ink.BAR, linewidth=1.5, linestyle=_DASHED),
        Bar.WAIT: _style(Ink.PAPER, Ink.IDLE, hatch="||||", linewidth=0.8),
        Bar.PERSON: _style(Ink.PAPER, Ink.PERSON, hatch="xxxx", linewidth=0.8),
        Bar.REST: _style(Ink.IDLE_BACK, Ink.IDLE),
    }
    style = styles[bar]
    if not critical or bar in (Bar.WAIT, Bar.PERSON):
        return style
    return {**style, "edgecolor": Ink.INK.stand_in, "linewidth": 2.4}


def _style(face: Ink, edge: Ink, **more: Any) -> dict[str, Any]:
    plain = {"facecolor": face.stand_in, "edgecolor": edge.stand_in, "linewidth": 1.0}
    return {**plain, "hatchcolor": edge.stand_in, **more}
