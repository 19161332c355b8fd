"""The timeline of a run: attempts, waits and people's time as bars, step by step, on one axis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drorch.reports.figures import middle_cut
from drorch.reports.language import Language
from drorch.reports.plots.bars import Bar, style_of
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
from drorch.reports.plots.ticks import time_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: A longer timeline goes on in a further picture with an axis of its own; two fit on one page.
LINES_ON_A_SHEET = 20


@dataclass(frozen=True, slots=True)
class Stretch:
    """An attempt or a wait, in seconds on the run's line. `tip` is said when it is pointed at."""

    bar: Bar
    begin: float
    end: float
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A phase's heading, or a step with its bars. `slack` is seconds that it could have taken longer.

    `took` is written beside the bars: `3 min 5 s`, or `skipped`.
    """

    label: str
    heading: bool = False
    critical: bool = False
    stretches: tuple[Stretch, ...] = ()
    slack: float = 0.0
    took: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All of it. Seconds count as the stretches' do; the axis shows them less `zero`.

    `window` is the measured time; `objective` a second, with the words that name it.
    """

    title: str
    description: str
    lines: tuple[Line, ...]
    begin: float
    end: float
    zero: float = 0.0
    window: tuple[float, float] | None = None
    objective: tuple[float, str] | None = None


def timeline(value: Timeline, language: Language, width: int = WIDE) -> tuple[Picture, ...]:
    """The pictures, one below the other. `width` is WIDE, PAPER, or
    NARROW, where labels stand above their bars.
    """
    lines = value.lines
    sheets = [lines[n : n + LINES_ON_A_SHEET] for n in range(0, len(lines), LINES_ON_A_SHEET)]
    return tuple(
        _Sheet(value, sheet, language, width=width, number=number, last=len(sheets)).picture()
        for number, sheet in enumerate(sheets, 1)
    )


_TOP = 30
_FOOT = 8


class _Sheet:
    """Draws one picture of the timeline. On the axes y counts lines, from 0 at the top."""

    def __init__(
        self,
        value: Timeline,
        lines: Sequence[Line],
        language: Language,
        *,
        width: int,
        number: int,
        last: int,
    ) -> None:
        self._value = value
        self._lines = lines
        self._language = language
        self._width = width
        self._narrow = narrow = width <= NARROW
        self._row = 36 if narrow else 23
        self._left = 6.0 if narrow else 0.29 * width
        self._right = 10 if narrow else 16
        self._number = number
        self._last = last
        self._tips: dict[int, str] = {}

    def picture(self) -> Picture:
        keys = tuple(self._keys())
        body = self._row * len(self._lines)
        foot = legend_height(keys, self._width) + _FOOT
        with drawing(self._width, _TOP + body + foot) as figure:
            self._figure(figure, body, keys)
            return written(self._title(), self._value.description, self._tips, figure)

    def _figure(self, figure: "Figure", body: int, keys: Sequence[Key]) -> None:
        width = self._width
        page = page_axes(figure)
        self._bands(page_axes(figure, behind=True))
        room = axes(figure, self._left, _TOP, width - self._left - self._right, body)
        room.set_xlim(self._value.begin, self._value.end)
        room.set_ylim(len(self._lines), 0)
        self._second = (self._value.end - self._value.begin) / (width - self._left - self._right)
        self._axis(room, page)
        for place, line in enumerate(self._lines):
            self._label(page, place, line)
            self._bars(room, place, line)
            self._slack(room, place, line)
            self._took(page, place, line)
        self._objective(room, page)
        legend(page, keys, 8, _TOP + body + _FOOT, width)

    def _title(self) -> str:
        if self._last == 1:
            return self._value.title
        say = self._language.say
        return say(
            "{title}, part {number} of {last}",
            title=self._value.title,
            number=self._number,
            last=self._last,
        )

    def _x(self, second: float) -> float:
        """Pixels from the left."""
        return self._left + (second - self._value.begin) / self._second

    def _bands(self, page: "Axes") -> None:
        """Every second phase lies on a band; a heading begins one."""
        from matplotlib.patches import Rectangle

        shaded = False
        for place, line in enumerate(self._lines):
            shaded = not shaded if line.heading else shaded
            if shaded:
                low = _TOP + place * self._row
                color = Ink.BAND.stand_in
                page.add_patch(
                    Rectangle((0, low), self._width, self._row, facecolor=color, linewidth=0)
                )

    def _axis(self, room: "Axes", page: "Axes") -> None:
        value, most = self._value, 4 if self._narrow else 7
        height = len(self._lines)
        page.plot([self._x(value.begin), self._x(value.end)], [_TOP, _TOP], color=Ink.LINE.stand_in)
        for second in time_ticks(value.begin - value.zero, value.end - value.zero, most):
            at = value.zero + second
            room.plot([at, at], [0, height], color=Ink.LINE.stand_in, linewidth=1, zorder=0.5)
            self._tick_label(page, at, second)
        if value.window is not None:
            begin, end = (self._x(second) for second in value.window)
            page.plot(
                [begin, max(end, begin + 2)],
                [_TOP - 3, _TOP - 3],
                color=Ink.DIM.stand_in,
                linewidth=5,
                solid_capstyle="butt",
            )

    def _tick_label(self, page: "Axes", at: float, second: float) -> None:
        text = self._language.duration(timedelta(seconds=second)) if second else "0"
        half, place = text_width(text) / 2, self._x(at)
        left, right = self._x(self._value.begin), self._x(self._value.end)
        place = min(max(place, (left if self._narrow else 0) + half), right + self._right - half)
        page.text(place, 17, text, ha="center", color=Ink.DIM.stand_in)

    def _label(self, page: "Axes", place: int, line: Line) -> None:
        above = self._narrow and not line.heading
        y = _TOP + place * self._row + (15 if above else self._row / 2 + 4)
        x = 8 if line.heading or self._narrow else 20
        bold = line.heading or line.critical
        mark = "◆ " if line.critical else ""
        taken = text_width(line.took) + 24 if self._narrow else 10
        room = (self._width if self._narrow or line.heading else self._left) - x - taken
        page.text(
            x,
            y,
            _fitted(mark + printable(line.label), room, bold=bold),
            weight="bold" if bold else "normal",
            color=(Ink.DIM if line.heading else Ink.INK).stand_in,
            gid=ON_LINES if above else None,
        )

    def _bars(self, room: "Axes", place: int, line: Line) -> None:
        from matplotlib.patches import Rectangle

        low, high = (0.56, 0.88) if self._narrow else (0.22, 0.78)
        for stretch in sorted(line.stretches, key=lambda one: one.begin):
            width = max(stretch.end - stretch.begin, 2 * self._second)
            begin = min(stretch.begin, self._value.end - width)
            number = len(self._tips)
            self._tips[number] = printable(f"{line.label}: {stretch.tip}")
            room.add_patch(
                Rectangle(
                    (begin, place + low),
                    width,
                    high - low,
                    gid=f"tip-{number}",
                    **style_of(stretch.bar, critical=line.critical),
                )
            )

    def _slack(self, room: "Axes", place: int, line: Line) -> None:
        """A thin line to where the step could have ended."""
        if line.slack <= 2 * self._second or not line.stretches:
            return
        end = max(stretch.end for stretch in line.stretches)
        until = min(end + line.slack, self._value.end)
        y = place + (0.72 if self._narrow else 0.5)
        room.plot(
            [end, until], [y, y], color=Ink.IDLE.stand_in, linewidth=1.4, linestyle=(0, (1, 2))
        )
        room.plot([until, until], [y - 0.16, y + 0.16], color=Ink.IDLE.stand_in, linewidth=1.4)

    def _took(self, page: "Axes", place: int, line: Line) -> None:
        """Beside the bars, where there is room; in a narrow picture at the end of the label's line."""
        y = _TOP + place * self._row + (15 if self._narrow else self._row / 2 + 4)
        beside = None if self._narrow else self._place_beside(line, text_width(line.took))
        x = self._width - 10.0 if self._narrow else beside
        if line.took and x is not None:
            color, side = Ink.DIM.stand_in, "right" if self._narrow else "left"
            page.text(x, y, line.took, ha=side, color=color, gid=ON_LINES)

    def _place_beside(self, line: Line, size: float) -> float | None:
        """Where a text of that size begins: after the bars or before them, best not on the
        objective; None if it would lie on the bars.
        """
        begin = self._x(min((s.begin for s in line.stretches), default=self._value.begin))
        end = self._x(max((s.end for s in line.stretches), default=self._value.begin)) + 2
        places = [end + line.slack / self._second + 8, begin - 8 - size, end + 8]
        free = [x for x in places if self._left <= x <= self._width - 4 - size]
        promised = self._value.objective
        line_at = self._x(promised[0]) if promised else -1.0
        clear = [x for x in free if not x - 4 < line_at < x + size + 4]
        return next(iter([*clear, *free]), None)

    def _objective(self, room: "Axes", page: "Axes") -> None:
        if self._value.objective is None:
            return
        second, label = self._value.objective
        if not self._value.begin <= second <= self._value.end:
            return
        color = Ink.BAD.stand_in
        height = len(self._lines)
        room.plot([second, second], [0, height], color=color, linewidth=2, linestyle=(0, (4, 2.5)))
        x, size = self._x(second), text_width(label, bold=True)
        side = "right" if x - size - 6 > self._left else "left"
        page.text(
            x + (-6 if side == "right" else 6),
            _TOP + 15,
            label,
            ha=side,
            color=color,
            weight="bold",
            gid=ON_LINES,
        )

    def _keys(self) -> Iterator[Key]:
        """What the signs of this timeline mean; the same on all of its sheets."""
        say, lines = self._language.say, self._value.lines
        bars = {stretch.bar for line in lines for stretch in line.stretches}
        words = {
            Bar.PASSED: say("passed"),
            Bar.FAILED: say("failed or error"),
            Bar.LOST: say("outcome unknown"),
            Bar.RUNNING: say("still running"),
            Bar.WAIT: say("waiting to try again"),
            Bar.PERSON: say("waiting for a person"),
            Bar.REST: say("several steps as one bar"),
        }
        for bar, word in words.items():
            if bar in bars:
                yield Key(word, style_of(bar))
        if any(line.critical for line in lines):
            yield Key(say("◆ on the critical path"), style_of(Bar.PASSED, critical=True))
        if any(line.slack > 2 * self._least() for line in lines):
            yield Key(say("slack: it could have taken so much longer"), {}, line="slack")
        if self._value.window is not None:
            yield Key(say("the measured time"), {}, line="window")

    def _least(self) -> float:
        return (self._value.end - self._value.begin) / WIDE


def _fitted(text: str, room: float, *, bold: bool) -> str:
    """The text, its middle cut out until it fits into the room."""
    most = len(text)
    while most > 4 and text_width(middle_cut(text, most), bold=bold) > room:
        most -= 1
    return middle_cut(text, most)
