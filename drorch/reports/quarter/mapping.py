"""From requirements to the evidence in hand, gaps named."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from drorch.reports.quarter import mapping_words as words
from drorch.reports.quarter.blocks import Block, Cell, Column, Paragraph, Section, Table
from drorch.reports.quarter.reading import NONE, Reading


def mapping(reading: Reading) -> Section:
    """A table for each law or standard."""
    say, told = reading.say, reading.document["controls"]
    blocks: list[Block] = [
        Paragraph(
            say(
                "Evidence that can support these requirements, where they apply to the organisation. Whether they do, and whether they are met, is for its reader to judge: what a requirement asks stands in its own text."
            )
        )
    ]
    for framework, group in groupby(told, key=lambda c: c["framework"]):
        blocks.append(_table(reading, framework, list(group)))
    return Section("controls", say("Requirements and evidence"), tuple(blocks))


def _table(reading: Reading, framework: str, told: Sequence[Mapping[str, Any]]) -> Table:
    say = reading.say
    columns = (
        Column(say("Requirement"), width=1.5),
        Column(say("Evidence in hand"), width=2),
        Column(say("Gaps"), width=1.7),
        Column(say("Not on record here"), width=1.2),
    )
    rows = tuple(_row(reading, one) for one in told)
    return Table(columns, rows, reading.word(words.FRAMEWORKS, framework))


def _row(reading: Reading, control: Mapping[str, Any]) -> tuple[Cell, ...]:
    shown = [s for s in control["shown"] if s["count"]]
    runs = list(dict.fromkeys(run for s in shown for run in s["runs"]))[:3]
    gaps = list(_gaps(reading, control["gaps"]))
    missing = "\n".join(reading.word(words.NOT_SHOWN, one) for one in control["not_shown"])
    return (
        Cell(
            reading.word(words.SECTIONS, control["section"]),
            small=reading.word(words.ASKS, control["requirement"]),
        ),
        Cell(
            "\n".join(_shown(reading, one) for one in shown) or reading.say("none"),
            "" if shown else "bad",
            reading.say("such as {runs}", runs=", ".join(runs)) if runs else "",
        ),
        Cell("\n".join(gaps) or reading.say("none found")),
        Cell(missing or NONE),
    )


def _shown(reading: Reading, one: Mapping[str, Any]) -> str:
    said = reading.word(words.SHOWN, one["what"])
    if one["what"] == "kept-six-years":
        return said
    count = reading.count(one["count"])
    whole = count if one["of"] is None else reading.share(one["count"], one["of"])
    return reading.say("{what}: {count}", what=said, count=whole)


def _gaps(reading: Reading, gaps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for gap in gaps:
        said = reading.word(words.GAPS, gap["what"])
        if gap["what"] in words.UNCOUNTED:
            yield said
            continue
        names = gap["subjects"][:3] if gap["what"] in words.NAMED else ()
        named = (
            f" ({', '.join(names)}{', …' if gap['count'] > len(names) else ''})" if names else ""
        )
        count = reading.count(gap["count"]) + named
        yield reading.say("{what}: {count}", what=said, count=count)
