"""The run report as a PDF for the archive: PDF/A, tagged, the same bytes for the same document."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from drorch.reports.afteraction.picture import pictured
from drorch.reports.blocks import Block
from drorch.reports.language import Language, language
from drorch.reports.pen import Pen
from drorch.reports.plots.picture import PAPER
from drorch.reports.plots.timeline import timeline
from drorch.reports.typeset import typeset
from drorch.reports.view import RunView, view


def pdf_report(document: Mapping[str, Any], spoken: Language) -> bytes:
    """The pages, dated by the run: its end, or where it stands."""
    shown = view(document, spoken)
    made = datetime.fromisoformat(document["finished_at"] or document["started_at"])
    return typeset("run.typ", _values(shown, _pictures(document, spoken)), made, {"size": "a4"})


def _pictures(document: Mapping[str, Any], spoken: Language) -> list[dict[str, str]]:
    told = pictured(document, Pen(spoken, document["timezone"], document["started_at"]))
    drawn = timeline(told, spoken, PAPER) if told is not None else ()
    return [{"svg": one.alone(), "alt": f"{one.title}. {one.description}"} for one in drawn]


def _values(shown: RunView, pictures: list[dict[str, str]]) -> dict[str, object]:
    sections = [
        {
            "heading": section.heading,
            "whole": section.id == "sign-off",
            "blocks": [_block(block) for block in section.blocks],
        }
        for section in shown.sections
    ]
    return {
        "language": shown.language,
        "kind": shown.kind,
        "organization": shown.organization,
        "heading": shown.heading,
        "run": shown.run,
        "foot": " · ".join((shown.kind, shown.run)),
        "headline": asdict(shown.headline),
        "notes": shown.notes,
        "boxes": [asdict(box) for box in shown.boxes],
        "sections": sections,
        "labels": shown.labels,
        "colon": language(shown.language).colon,
        "pictures": pictures,
    }


def _block(block: Block) -> dict[str, object]:
    return {"type": type(block).__name__, **asdict(block)}
