"""The paper version in each form."""

import json
from dataclasses import asdict
from enum import StrEnum

from drorch.core.encoding import utf8
from drorch.reports.language import language as language_of
from drorch.reports.paper.source import Source
from drorch.reports.paper.view import Paper, paper


class PaperFormat(StrEnum):
    """What the paper version can be written as; the value is also the file's suffix."""

    PDF = "pdf"
    HTML = "html"
    JSON = "json"


class PageSize(StrEnum):
    """The sheet that a PDF is made for."""

    A4 = "a4"
    LETTER = "letter"


def render_paper(source: Source, form: PaperFormat, language: str, size: PageSize) -> bytes:
    """The document. Raises DrorchError if a text has characters that no font here can show."""
    written = paper(source, language_of(language))
    match form:
        case PaperFormat.PDF:
            from drorch.reports.paper.pdf import pdf

            return pdf(written, source.printed, size)
        case PaperFormat.HTML:
            from drorch.reports.paper.html import html

            return utf8(html(written))
        case PaperFormat.JSON:
            return utf8(json.dumps(as_document(written), indent=2, ensure_ascii=False) + "\n")


def as_document(written: Paper) -> dict[str, object]:
    """The document's texts as JSON has them."""
    return asdict(written)
