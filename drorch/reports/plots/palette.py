"""The colours of pictures, by what they mean. While a picture is drawn each is a stand-in.

A page in HTML has them as the CSS variables of templates/report.css, so that they follow light and
dark; paper has the fixed ones. No meaning hangs on a colour alone: marks, hatches and words tell it,
too.
"""

import re
from enum import IntEnum, auto
from typing import Final


class Ink(IntEnum):
    """A colour by its meaning; the name in small letters is the CSS variable's."""

    INK = auto()
    DIM = auto()
    LINE = auto()
    BAND = auto()
    PAPER = auto()
    GOOD = auto()
    WARN = auto()
    BAD = auto()
    IDLE = auto()
    BAR = auto()
    PERSON = auto()
    GOOD_BACK = auto()
    WARN_BACK = auto()
    BAD_BACK = auto()
    IDLE_BACK = auto()

    @property
    def stand_in(self) -> str:
        """What the library draws with: a colour that means nothing else."""
        return f"#0d{self.value:02x}0e"

    @property
    def variable(self) -> str:
        """The colour in a page with templates/report.css."""
        return f"var(--{self.name.lower().replace('_', '-')})"


#: The colours of report.css for paper.
ON_PAPER: Final = {
    Ink.INK: "#000000",
    Ink.DIM: "#3d4853",
    Ink.LINE: "#c3ccd4",
    Ink.BAND: "#f1f4f7",
    Ink.PAPER: "#ffffff",
    Ink.GOOD: "#17703a",
    Ink.WARN: "#7a4a00",
    Ink.BAD: "#b3261e",
    Ink.IDLE: "#4a5a6a",
    Ink.BAR: "#2f6fb0",
    Ink.PERSON: "#7a3fa0",
    Ink.GOOD_BACK: "#e8f5ec",
    Ink.WARN_BACK: "#fdf3e0",
    Ink.BAD_BACK: "#fdeceb",
    Ink.IDLE_BACK: "#eef2f6",
}

_STAND_IN = re.compile(r"#0d([0-9a-f]{2})0e")


def as_variables(svg: str) -> str:
    """The drawing with the colours of the page around it."""
    return _STAND_IN.sub(lambda found: Ink(int(found[1], 16)).variable, svg)


def on_paper(svg: str) -> str:
    """The drawing with the colours of paper."""
    return _STAND_IN.sub(lambda found: ON_PAPER[Ink(int(found[1], 16))], svg)
