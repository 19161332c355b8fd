"""The legend under a picture: signs and words, in as many lines as they need."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drorch.reports.plots.library import Ink, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 22
_SIGN = 28
_GAP = 18


@dataclass(frozen=True, slots=True)
class Key:
    """A sign and what it means. `style` is a rectangle's, `line` a named line's: slack, window,
    target; `none` for words alone.
    """

    word: str
    style: Mapping[str, Any]
    line: str = ""


def legend_height(keys: Sequence[Key], width: int) -> int:
    """Pixels that the legend takes."""
    rows = [row for _, _, row in _placed(keys, 8, width)]
    return _ROW * (max(rows, default=-1) + 1)


def legend(page: "Axes", keys: Sequence[Key], left: float, top: float, width: int) -> None:
    """Draws it onto axes whose units are pixels."""
    from matplotlib.patches import Rectangle

    for key, x, row in _placed(keys, left, width):
        y = top + _ROW * row + 3
        if key.line:
            _line(page, key.line, x, y + 6)
        else:
            page.add_patch(Rectangle((x, y), _SIGN - 6, 12, **key.style))
        page.text(
            x + (0 if key.line == "none" else _SIGN), y + 11, key.word, color=Ink.DIM.stand_in
        )


def _line(page: "Axes", line: str, x: float, y: float) -> None:
    end = x + _SIGN - 6
    match line:
        case "slack":
            color = Ink.IDLE.stand_in
            page.plot([x, end], [y, y], color=color, linewidth=1.4, linestyle=(0, (1, 2)))
            page.plot([end, end], [y - 4, y + 4], color=color, linewidth=1.4)
        case "none":
            pass
        case "window":
            page.plot([x, end], [y, y], color=Ink.DIM.stand_in, linewidth=5, solid_capstyle="butt")
        case _:
            dashes = (0, (4, 2.5))
            page.plot([x, end], [y, y], color=Ink.BAD.stand_in, linewidth=2, linestyle=dashes)


def _placed(keys: Sequence[Key], left: float, width: int) -> Iterator[tuple[Key, float, int]]:
    """Each key with its place from the left and its row."""
    x, row = left, 0
    for key in keys:
        size = text_width(key.word) + (0 if key.line == "none" else _SIGN)
        if x > left and x + size > width - 4:
            x, row = left, row + 1
        yield key, x, row
        x += size + _GAP
