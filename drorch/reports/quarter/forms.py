"""The quarterly report in each form for people. JSON and CSV are the document itself."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from drorch.core.encoding import utf8
from drorch.core.errors import UsageError
from drorch.reports.language import language as language_of
from drorch.reports.quarter.view import report


class QuarterForm(StrEnum):
    """What it can be written as; the value is also the file's suffix."""

    HTML = "html"
    PDF = "pdf"
    MARKDOWN = "md"


def render_quarter(document: Mapping[str, Any], form: str, language: str) -> bytes:
    """The report of a quarter's document (docs/schema/quarter.json), as a file's content.

    Raises UsageError if it is no such document, DrorchError if no font has its letters.
    """
    if not {"quarter", "headline", "datasets", "controls"} <= set(document):
        raise UsageError(
            "this is not the document of a quarter: it has no headline or no datasets",
            "take the output of drorch report quarter 2026Q4 --format json",
        )
    written = report(document, language_of(language))
    match QuarterForm(form):
        case QuarterForm.HTML:
            from drorch.reports.quarter.html import html

            return utf8(html(written))
        case QuarterForm.PDF:
            from drorch.reports.quarter.pdf import pdf

            return pdf(written, document["made_at"])
        case QuarterForm.MARKDOWN:
            from drorch.reports.quarter.markdown import markdown

            return utf8(markdown(written))
