"""How far practice reached: the services of each tier by when they were last drilled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Practice(StrEnum):
    """When a service was last drilled."""

    DRILLED = "drilled"
    BEFORE = "before"
    NEVER = "never"
    NO_RUNBOOK = "no-runbook"


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier, and how many of its services stand how."""

    label: str
    counts: Mapping[Practice, int]


@dataclass(frozen=True, slots=True)
class Coverage:
    """All tiers, the most urgent first."""

    title: str
    description: str
    tiers: tuple[Tier, ...]


_ROW, _TOP, _FOOT = 34, 8, 6


def coverage(value: Coverage, language: Language, width: int = WIDE) -> Picture:
    """The picture: a bar for each tier, divided by shares; each share with its count."""
    keys = tuple(_keys(value, language))
    body = _ROW * len(value.tiers)
    left = 0.3 * width if width <= NARROW else 0.18 * width
    with drawing(width, _TOP + body + _FOOT + legend_height(keys, width)) as figure:
        page = page_axes(figure)
        room = axes(figure, left, _TOP, width - left - 14, body)
        room.set_xlim(0, 1)
        room.set_ylim(len(value.tiers), 0)
        for place, tier in enumerate(value.tiers):
            y = _TOP + _ROW * place + _ROW / 2 + 4
            page.text(8, y, printable(tier.label), color=Ink.INK.stand_in, weight="bold")
            _bar(room, page, place, tier, (left, width - left - 14), language)
        legend(page, keys, 8, _TOP + body + _FOOT, width)
        return written(value.title, value.description, {}, figure)


def _bar(
    room: "Axes",
    page: "Axes",
    place: int,
    tier: Tier,
    span: tuple[float, float],
    language: Language,
) -> None:
    from matplotlib.patches import Rectangle

    total = sum(tier.counts.values()) or 1
    begin = 0.0
    for practice in Practice:
        share = tier.counts.get(practice, 0) / total
        if share:
            room.add_patch(Rectangle((begin, place + 0.15), share, 0.7, **_STYLES[practice]))
            words = language.number(tier.counts[practice])
            if share * span[1] > text_width(words, bold=True) + 8:
                x = span[0] + span[1] * (begin + share / 2)
                y = _TOP + _ROW * place + _ROW / 2 + 4
                color = (Ink.PAPER if practice is Practice.DRILLED else Ink.INK).stand_in
                gid = None if practice is Practice.DRILLED else ON_LINES
                page.text(x, y, words, ha="center", color=color, weight="bold", gid=gid)
        begin += share


_STYLES: Mapping[Practice, dict[str, Any]] = {
    Practice.DRILLED: area(Ink.BAR, Ink.BAR),
    Practice.BEFORE: area(Ink.WARN_BACK, Ink.WARN, "|||"),
    Practice.NEVER: area(Ink.BAD_BACK, Ink.BAD, "/////"),
    Practice.NO_RUNBOOK: area(Ink.PAPER, Ink.BAD, "xxx"),
}


def _keys(value: Coverage, language: Language) -> Iterator[Key]:
    say = language.say
    words = {
        Practice.DRILLED: say("drilled this quarter"),
        Practice.BEFORE: say("drilled before, not this quarter"),
        Practice.NEVER: say("never drilled"),
        Practice.NO_RUNBOOK: say("no runbook: cannot be drilled"),
    }
    for practice, word in words.items():
        if any(tier.counts.get(practice) for tier in value.tiers):
            yield Key(word, _STYLES[practice])
