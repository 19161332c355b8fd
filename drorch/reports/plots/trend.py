"""What was measured quarter by quarter, as ranges from the best to the worst, against what was promised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drorch.reports.language import Language
from drorch.reports.plots.legend import Key, legend, legend_height
from drorch.reports.plots.library import (
    ON_LINES,
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
from drorch.reports.plots.ticks import time_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Point:
    """One quarter: seconds from the best to the worst drill that passed, and what was promised.

    None: nothing was measured, or promised. `failed` drills failed or were aborted.
    """

    quarter: str
    best: float | None
    worst: float | None
    target: float | None
    drills: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Trend:
    """One service and one objective (`RTA`, `RPA`), from the oldest quarter to this one."""

    title: str
    description: str
    points: tuple[Point, ...]


_KEPT = area(Ink.BAR, Ink.BAR, width=1.5)
_MISSED = area(Ink.BAD_BACK, Ink.BAD, "/////", 1.5)

_TOP, _PLOT, _NAMES, _FOOT = 26, 120, 42, 6


def trend(value: Trend, language: Language, width: int = WIDE) -> Picture:
    """The picture: a bar for each quarter, a mark at its worst, the promise as a dashed line."""
    keys = tuple(_keys(value, language))
    height = _TOP + _PLOT + _NAMES + _FOOT + legend_height(keys, width)
    most = _most(value.points)
    ticks = [(second, _tick(second, language)) for second in time_ticks(0, most, 4)]
    left, right = 18 + max(text_width(text) for _, text in ticks), 14.0
    with drawing(width, height) as figure:
        page = page_axes(figure)
        page.text(8, 15, printable(value.title), weight="bold", color=Ink.INK.stand_in)
        room = axes(figure, left, _TOP, width - left - right, _PLOT)
        room.set_xlim(-0.5, len(value.points) - 0.5)
        room.set_ylim(0, most)
        _scale(room, page, left, most, ticks)
        _promise(room, value.points)
        step = (width - left - right) / len(value.points)
        for place, point in enumerate(value.points):
            x = left + step * (place + 0.5)
            _measured(room, place, point, most)
            if point.best is None:
                word = "✕" if point.failed else "–"
                page.text(x, _TOP + _PLOT - 6, word, ha="center", color=Ink.DIM.stand_in)
            elif width > NARROW or place == len(value.points) - 1:
                _worst(page, point, min(x, width - 34), most, language)
            _name(page, value.points, place, x, step)
        legend(page, keys, 8, _TOP + _PLOT + _NAMES + _FOOT, width)
        return written(value.title, value.description, {}, figure)


def _most(points: Sequence[Point]) -> float:
    """The top of the axis: over all that is shown, with room for the words above it."""
    shown = (v for p in points for v in (p.worst, p.target) if v is not None)
    return max(shown, default=60.0) * 1.18


def _tick(second: float, language: Language) -> str:
    return language.duration(timedelta(seconds=second)) if second else "0"


def _scale(
    room: "Axes", page: "Axes", left: float, most: float, ticks: Sequence[tuple[float, str]]
) -> None:
    for second, text in ticks:
        room.axhline(second, color=Ink.LINE.stand_in, linewidth=1, zorder=0.5)
        y = _TOP + _PLOT * (1 - second / most)
        page.text(left - 8, y + 4, text, ha="right", color=Ink.DIM.stand_in)


def _promise(room: "Axes", points: Sequence[Point]) -> None:
    """A dashed line, quarter by quarter: promises change."""
    for place, point in enumerate(points):
        if point.target is not None:
            room.plot(
                [place - 0.5, place + 0.5],
                [point.target, point.target],
                color=Ink.BAD.stand_in,
                linewidth=2,
                linestyle=(0, (4, 2.5)),
                zorder=3,
            )


def _measured(room: "Axes", place: int, point: Point, most: float) -> None:
    from matplotlib.patches import Rectangle

    if point.best is None or point.worst is None:
        return
    kept = point.target is None or point.worst <= point.target
    low = min(point.best, point.worst - most * 0.012)
    style = _KEPT if kept else _MISSED
    room.add_patch(Rectangle((place - 0.16, low), 0.32, point.worst - low, **style))


def _worst(page: "Axes", point: Point, x: float, most: float, language: Language) -> None:
    """The worst in words: above its bar, below it where the promise would run through them."""
    high, low = (_TOP + _PLOT * (1 - (v or 0) / most) for v in (point.worst, point.best))
    promised = _TOP + _PLOT * (1 - (point.target or -most) / most)
    y = low + 14 if high - 18 < promised < high - 1 else high - 5
    words = language.duration(timedelta(seconds=_rounded(point.worst or 0)))
    page.text(x, y, words, ha="center", color=Ink.INK.stand_in, size=11, gid=ON_LINES)


def _rounded(second: float) -> float:
    """Without seconds where there are minutes, as the table leaves out what is left over."""
    return second if second < 60 else 60 * (second // 60)


def _name(page: "Axes", points: Sequence[Point], place: int, x: float, step: float) -> None:
    """The quarter, every second one where there is no room, and how many drills there were."""
    point, last = points[place], len(points) - 1
    every = 1 if step > text_width(point.quarter) + 6 else 2 if 2 * step > 60 else 4
    color = Ink.DIM.stand_in
    if (last - place) % every == 0:
        weight = "bold" if place == last else "normal"
        page.text(x, _TOP + _PLOT + 16, point.quarter, ha="center", color=color, weight=weight)
    page.text(x, _TOP + _PLOT + 34, f"n={point.drills}", ha="center", color=color, size=11)


def _keys(value: Trend, language: Language) -> Iterator[Key]:
    say, points = language.say, value.points
    measured = [p for p in points if p.worst is not None]
    if any(p.target is None or (p.worst or 0) <= p.target for p in measured):
        yield Key(say("measured, from best to worst"), _KEPT)
    if any(p.target is not None and (p.worst or 0) > p.target for p in measured):
        yield Key(say("the worst missed the promise"), _MISSED)
    if any(p.target is not None for p in points):
        yield Key(say("promised"), {}, line="target")
    if any(p.drills == 0 for p in points):
        yield Key(say("– no drill"), {}, line="none")
    if any(p.worst is None and p.failed for p in points):
        yield Key(say("✕ none passed"), {}, line="none")
    yield Key(say("n: how many drills"), {}, line="none")
