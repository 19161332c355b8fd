"""The quarterly report as Markdown: the same blocks, pictures told by their description."""

import re
from collections.abc import Iterator

from drorch.reports.quarter.blocks import (
    Block,
    Bullets,
    Cell,
    Code,
    Drawing,
    Facts,
    Paragraph,
    Report,
    Section,
    Signature,
    Table,
)

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")
_TO_FILL_IN = "…………………………"
_MARKS = {"good": "✓ ", "warn": "△ ", "bad": "✗ "}


def markdown(written: Report) -> str:
    """The whole text; what stands in the document is never markup."""
    lines = [
        f"# {_plain(written.title)}",
        "",
        f"**{_plain(written.first)}**",
        "",
        _plain(written.second),
        "",
        _plain(written.foot),
        "",
    ]
    for section in written.sections:
        lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {_plain(section.heading)}"
    yield ""
    for block in section.blocks:
        yield from _block(block)
        yield ""


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text, tone):
            yield f"**{_plain(text)}**" if tone in ("warn", "bad") else _plain(text)
        case Bullets(items):
            yield from (f"- {_plain(item)}" for item in items)
        case Facts(rows):
            yield from (f"- {_plain(name)}: {_plain(value)}" for name, value in rows)
        case Code(lines):
            yield from ("```", *lines, "```")
        case Table():
            yield from _table(block)
        case Drawing():
            yield f"*{_plain(block.said)}*"
        case Signature(name, role, labels):
            given = (name, role)
            values = (*given, *("" for _ in labels[len(given) :]))
            yield from (
                f"- {_plain(label)}: {_plain(value) or _TO_FILL_IN}"
                for label, value in zip(labels, values, strict=True)
            )


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield from (_plain(table.caption), "")
    yield "| " + " | ".join(_plain(column.head) for column in table.columns) + " |"
    yield "|" + "|".join(" --: " if c.kind == "num" else " --- " for c in table.columns) + "|"
    for row in table.rows:
        yield "| " + " | ".join(_cell(cell) for cell in row) + " |"


def _cell(cell: Cell) -> str:
    small = f"<br>{_plain(cell.small)}" if cell.small else ""
    text = "<br>".join(_plain(line) for line in cell.text.splitlines())
    return f"{_MARKS.get(cell.tone, '')}{text}{small}"


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
