"""The quarterly report as Markdown: the same blocks, pictures told by their description."""

from collections.abc import Iterator

from drorch.reports.language import Language, language
from drorch.reports.markdown import escaped, on_one_line
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

_TO_FILL_IN = "…………………………"
_MARKS = {"good": "✓ ", "warn": "△ ", "bad": "✗ "}


def markdown(written: Report) -> str:
    """The whole text; what stands in the document is never markup."""
    lines = [
        f"# {escaped(written.title)}",
        "",
        f"**{escaped(written.first)}**",
        "",
        escaped(written.second),
        "",
        escaped(written.foot),
        "",
    ]
    spoken = language(written.language)
    for section in written.sections:
        lines += _section(section, spoken)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section, spoken: Language) -> Iterator[str]:
    yield f"## {escaped(section.heading)}"
    yield ""
    for block in section.blocks:
        yield from _block(block, spoken)
        yield ""


def _block(block: Block, spoken: Language) -> Iterator[str]:
    match block:
        case Paragraph(text, tone):
            yield f"**{escaped(text)}**" if tone in ("warn", "bad") else escaped(text)
        case Bullets(items):
            yield from (f"- {escaped(item)}" for item in items)
        case Facts(rows):
            yield from (f"- {escaped(name)}{spoken.colon}{escaped(value)}" for name, value in rows)
        case Code(lines):
            yield from (f"    {on_one_line(line)}" for line in lines)
        case Table():
            yield from _table(block)
        case Drawing():
            yield f"*{escaped(block.said)}*"
        case Signature(name, role, labels):
            given = (name, role)
            values = (*given, *("" for _ in labels[len(given) :]))
            yield from (
                f"- {escaped(label)}{spoken.colon}{escaped(value) or _TO_FILL_IN}"
                for label, value in zip(labels, values, strict=True)
            )


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield from (escaped(table.caption), "")
    yield "| " + " | ".join(escaped(column.head) for column in table.columns) + " |"
    yield "|" + "|".join(" --: " if c.kind == "num" else " --- " for c in table.columns) + "|"
    for row in table.rows:
        yield "| " + " | ".join(_cell(cell) for cell in row) + " |"


def _cell(cell: Cell) -> str:
    small = f"<br>{escaped(cell.small)}" if cell.small else ""
    text = "<br>".join(escaped(line) for line in cell.text.splitlines())
    return f"{_MARKS.get(cell.tone, '')}{text}{small}"
