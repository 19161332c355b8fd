"""How old the newest copy was on each day, against its RPO: a line for each copy, a field for each day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Any

from drorch.reports.figures import middle_cut
from drorch.reports.language import Language
from drorch.reports.plots.legend import Key, legend, legend_height
from drorch.reports.plots.library import (
    Ink,
    axes,
    drawing,
    page_axes,
    printable,
    text_width,
    written,
)
from drorch.reports.plots.picture import NARROW, WIDE, Picture
from drorch.reports.plots.styles import area

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Age(StrEnum):
    """How old the newest copy became in a day, against its RPO."""

    KEPT = "kept"
    OVER = "over"
    FAR_OVER = "far-over"
    NOTHING = "nothing"
    UNPROMISED = "unpromised"


@dataclass(frozen=True, slots=True)
class Copies:
    """One line: a copy, or several of which each day shows the worst."""

    label: str
    days: tuple[Age, ...]
    heading: bool = False


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The quarter: `days` is the axis of all lines."""

    title: str
    description: str
    days: tuple[date, ...]
    lines: tuple[Copies, ...]


_ROW, _TOP, _FOOT = 19, 26, 8

#: So many times its RPO is far over it.
_FAR = 4


def age_of(worst: float | None, rpo: float | None) -> Age:
    """The class of one day: seconds against seconds; None where nothing lay there, or is promised."""
    if worst is None:
        return Age.NOTHING
    if not rpo:
        return Age.UNPROMISED
    if worst <= rpo:
        return Age.KEPT
    return Age.OVER if worst <= _FAR * rpo else Age.FAR_OVER


def worst_of(days: Sequence[Age]) -> Age:
    """What stands for several copies on one day: the worst of those that hold something."""
    return max(days, key=_BY_BADNESS.index, default=Age.NOTHING)


_BY_BADNESS = (Age.NOTHING, Age.UNPROMISED, Age.KEPT, Age.OVER, Age.FAR_OVER)


def heat_map(value: HeatMap, language: Language, width: int = WIDE) -> Picture:
    """The picture. Days of the same class in a row are one field."""
    keys = tuple(_keys(value, language))
    body = _ROW * len(value.lines)
    left = 0.36 * width if width <= NARROW else 0.27 * width
    with drawing(width, _TOP + body + _FOOT + legend_height(keys, width)) as figure:
        page = page_axes(figure)
        room = axes(figure, left, _TOP, width - left - 10, body)
        room.set_xlim(0, len(value.days))
        room.set_ylim(len(value.lines), 0)
        for place, line in enumerate(value.lines):
            _label(page, place, line, left)
            _fields(room, place, line)
        _months(room, page, value, left, (width - left - 10) / len(value.days), language)
        legend(page, keys, 8, _TOP + body + _FOOT, width)
        return written(value.title, value.description, {}, figure)


def _label(page: "Axes", place: int, line: Copies, left: float) -> None:
    text, most = printable(line.label), len(line.label)
    while most > 4 and text_width(middle_cut(text, most), bold=line.heading) > left - 16:
        most -= 1
    page.text(
        8,
        _TOP + _ROW * place + 14,
        middle_cut(text, most),
        color=(Ink.DIM if line.heading else Ink.INK).stand_in,
        weight="bold" if line.heading else "normal",
    )


def _fields(room: "Axes", place: int, line: Copies) -> None:
    from matplotlib.patches import Rectangle

    begin = 0
    for age, group in groupby(line.days):
        length = len(list(group))
        room.add_patch(Rectangle((begin, place + 0.1), length, 0.8, **_STYLES[age]))
        begin += length


def _months(
    room: "Axes", page: "Axes", value: HeatMap, left: float, day: float, language: Language
) -> None:
    """Where months begin, and weeks as small marks."""
    for place, at in enumerate(value.days):
        if at.day == 1:
            room.axvline(place, color=Ink.INK.stand_in, linewidth=1.2)
            page.text(
                left + day * place + 3,
                17,
                language.month(at),
                color=Ink.DIM.stand_in,
                weight="bold",
            )
        elif at.weekday() == 0:
            x = left + day * place
            page.plot([x, x], [_TOP - 4, _TOP - 1], color=Ink.DIM.stand_in, linewidth=1)


_STYLES: Mapping[Age, dict[str, Any]] = {
    Age.KEPT: area(Ink.GOOD_BACK, Ink.GOOD, width=0.6),
    Age.OVER: area(Ink.BAD_BACK, Ink.BAD, "/////"),
    Age.FAR_OVER: area(Ink.BAD, Ink.BAD),
    Age.NOTHING: area(Ink.PAPER, Ink.LINE, width=0.6),
    Age.UNPROMISED: area(Ink.IDLE_BACK, Ink.IDLE, width=0.6),
}


def _keys(value: HeatMap, language: Language) -> Iterator[Key]:
    say = language.say
    words = {
        Age.KEPT: say("within its RPO"),
        Age.OVER: say("over its RPO"),
        Age.FAR_OVER: say("over four times its RPO"),
        Age.NOTHING: say("nothing lay there, or not yet"),
        Age.UNPROMISED: say("no RPO is promised"),
    }
    found = {age for line in value.lines for age in line.days}
    for age, word in words.items():
        if age in found:
            yield Key(word, _STYLES[age])
