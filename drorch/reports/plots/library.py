"""The door itself: matplotlib's figures, and what it writes made fit for our pages.

It is used without pyplot, so no state is shared; it still draws one picture at a time, since its
settings and Python's list of warnings are the process's. Its texts are measured in the font that
comes with it (DejaVu Sans, wider than those that pages use), so the same values give the same
drawing on every machine and labels do not run into each other.
"""

import io
import logging
import os
import re
import tempfile
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from html import escape
from threading import RLock
from typing import TYPE_CHECKING, Final

from drorch.reports.plots.palette import Ink
from drorch.reports.plots.picture import Picture

if TYPE_CHECKING:
    from types import ModuleType

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Height of letters, in pixels.
LETTERS: Final = 12

#: The group id of a text that lies on lines: it is kept free of them.
ON_LINES: Final = "on-lines"

_FONT: Final = "DejaVu Sans"
_SETTINGS: Final = {
    "svg.fonttype": "none",
    "svg.hashsalt": "drorch",
    "svg.id": None,
    "font.family": _FONT,
    "font.size": LETTERS,
    "text.parse_math": False,
    "hatch.linewidth": 1.2,
    "axes.linewidth": 1.0,
}
_DRAWING = RLock()

_HEAD = re.compile(r"^.*?</defs>", re.DOTALL)
_UNUSED_ID = re.compile(r' id="(?!p[0-9a-f]{10}|m[0-9a-f]{10}|h[0-9a-f]{10})[^"]*"')
_FAMILY = re.compile(rf"font: (?:(bold|\d+) )?([\d.]+)px '{_FONT}'|; font-family: '{_FONT}'")
_NO_TURN = re.compile(r' transform="rotate\(-?0 [^)]*\)"')
_TIP = re.compile(r'<g id="tip-(\d+)">')
_ON_LINES = f'<g style="paint-order: stroke; stroke: {Ink.PAPER.stand_in}; stroke-width: 4px">'


@contextmanager
def drawing(width: int, height: int) -> "Iterator[Figure]":
    """An empty figure of so many pixels; others wait until it is done."""
    with _DRAWING, warnings.catch_warnings():
        # A letter that its font lacks is the page's to show: text stays text.
        warnings.simplefilter("ignore")
        matplotlib = _library()
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        with matplotlib.rc_context(_SETTINGS):
            figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
            FigureCanvasSVG(figure)
            yield figure


def axes(figure: "Figure", left: float, top: float, width: float, height: float) -> "Axes":
    """Axes at that place, in pixels from the upper left corner; without frame and ticks."""
    whole_width, whole_height = figure.get_size_inches() * 72
    found = figure.add_axes(
        (
            left / whole_width,
            1 - (top + height) / whole_height,
            width / whole_width,
            height / whole_height,
        ),
        facecolor="none",
    )
    found.set_axis_off()
    return found


def page_axes(figure: "Figure", *, behind: bool = False) -> "Axes":
    """Axes over all of the figure whose units are pixels from the upper left corner; before all
    others or behind them.
    """
    width, height = figure.get_size_inches() * 72
    found = axes(figure, 0, 0, width, height)
    found.set_xlim(0, width)
    found.set_ylim(height, 0)
    found.set_zorder(-1 if behind else 1)
    return found


def written(title: str, description: str, tips: Mapping[int, str], figure: "Figure") -> Picture:
    """The picture. What was drawn with the group id `tip-N` shows `tips[N]` when pointed at."""
    kept = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(kept, format="svg", metadata=nothing)
    width, height = figure.get_size_inches() * 72
    return Picture(title, description, round(width), round(height), _clean(kept.getvalue(), tips))


@lru_cache(4096)
def text_width(text: str, size: float = LETTERS, *, bold: bool = False) -> float:
    """Pixels that the text takes at most."""
    with _DRAWING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _library()
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import text_to_path

        font = FontProperties(family=_FONT, size=size, weight="bold" if bold else "normal")
        return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def printable(text: str) -> str:
    """The text without letters that no XML can hold."""
    return "".join(" " if c.isspace() else c for c in text if unicodedata.category(c) not in _NONE)


_NONE: Final = frozenset({"Cc", "Cs", "Cn"})


def _clean(svg: str, tips: Mapping[int, str]) -> str:
    """What stands inside of <svg>, without what would reach into the page around it."""
    svg = _HEAD.sub("", svg, count=1).rsplit("</svg>", 1)[0]
    svg = _TIP.sub(lambda found: f"<g><title>{escape(tips[int(found[1])])}</title>", svg)
    svg = svg.replace(f'<g id="{ON_LINES}">', _ON_LINES)
    svg = _UNUSED_ID.sub("", svg)
    svg = _NO_TURN.sub("", _FAMILY.sub(_size_alone, svg))
    return re.sub(r"\s*\n\s*", "\n", svg).strip()


def _size_alone(found: re.Match[str]) -> str:
    """Whichever way the library writes a font: which one is the page's to say."""
    if found[2] is None:
        return ""
    weight = f"; font-weight: {found[1]}" if found[1] else ""
    return f"font-size: {found[2]}px{weight}"


@cache
def _library() -> "ModuleType":
    """matplotlib, imported so that it leaves nothing behind: it keeps a list of this machine's
    fonts in the user's home, which a daemon does not have and a report does not need.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    given = os.environ.get("MPLCONFIGDIR")
    with tempfile.TemporaryDirectory(prefix="drorch-plots-") as folder:
        os.environ["MPLCONFIGDIR"] = folder
        try:
            import matplotlib as mpl
            import matplotlib.font_manager  # reads the list of fonts, in that folder
        finally:
            if given is None:
                del os.environ["MPLCONFIGDIR"]
            else:
                os.environ["MPLCONFIGDIR"] = given
    return mpl


__all__ = [
    "LETTERS",
    "ON_LINES",
    "Ink",
    "axes",
    "drawing",
    "page_axes",
    "printable",
    "text_width",
    "written",
]
