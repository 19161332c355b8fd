"""The quarterly report as a PDF for the archive."""

from dataclasses import asdict
from datetime import datetime

from drorch.reports.plots.picture import PAPER
from drorch.reports.quarter.blocks import Block, Cell, Drawing, Report, Table
from drorch.reports.typeset import typeset


def pdf(written: Report, made_at: str) -> bytes:
    """The pages, dated as the document is (RFC 3339)."""
    sections = [
        {
            "name": section.name,
            "heading": section.heading,
            "blocks": [_value(block) for block in section.blocks],
        }
        for section in written.sections
    ]
    shown = {
        "language": written.language,
        "title": written.title,
        "organization": written.organization,
        "over": written.over,
        "tone": written.tone,
        "first": written.first,
        "second": written.second,
        "foot": written.foot,
        "labels": written.labels,
        "sections": sections,
    }
    return typeset("quarter.typ", shown, datetime.fromisoformat(made_at), {})


def _value(block: Block) -> dict[str, object]:
    """The block as the template knows it."""
    if isinstance(block, Drawing):
        picture = block.draw(PAPER)
        alternative = f"{picture.title}. {picture.description}"
        return {"kind": "Drawing", "svg": picture.alone(), "alt": alternative}
    value = asdict(block)
    if isinstance(block, Table):
        value["rows"] = [[_lines(cell) for cell in row] for row in block.rows]
    return {"kind": type(block).__name__, **value}


def _lines(cell: Cell) -> dict[str, object]:
    return {"lines": cell.text.splitlines(), "tone": cell.tone, "small": cell.small}
