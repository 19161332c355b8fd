"""The forms that the recovery kit can be written in."""

import json
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from drorch.core.encoding import utf8
from drorch.reports.kit.share import share_sheet
from drorch.reports.kit.source import Source
from drorch.reports.kit.view import Kit, kit
from drorch.reports.language import language as language_of
from drorch.reports.pages import pages
from drorch.reports.typeset import typeset

if TYPE_CHECKING:
    from jinja2 import Template


class KitFormat(StrEnum):
    """What a kit can be written as; the value is also the file's suffix."""

    PDF = "pdf"
    HTML = "html"
    JSON = "json"


def render_kit(source: Source, form: KitFormat, language: str, size: str = "a4") -> bytes:
    """The document; `size` is a4 or letter, for a PDF.

    Raises DrorchError if a text has characters that no font here can show.
    """
    return _rendered(kit(source, language_of(language)), source, form, size)


def render_share(
    source: Source, number: int, words: str, form: KitFormat, language: str, size: str = "a4"
) -> bytes:
    """The sheet of one holder. Raises ValueError if the kit is not shared."""
    if source.shared is None:
        raise ValueError("a kit that nobody shares has no sheets")
    spoken = language_of(language)
    sheet = share_sheet(source, source.shared, number, words.split(), spoken)
    return _rendered(sheet, source, form, size)


def _rendered(written: Kit, source: Source, form: KitFormat, size: str) -> bytes:
    match form:
        case KitFormat.PDF:
            return _pdf(written, source.printed, size)
        case KitFormat.HTML:
            return utf8(str(_template().render(k=written, l=written.labels)))
        case KitFormat.JSON:
            return utf8(json.dumps(_shown(written), indent=2, ensure_ascii=False) + "\n")


def _pdf(written: Kit, printed: datetime, size: str) -> bytes:
    paper = {"a4": "a4", "letter": "us-letter"}[size]
    return typeset("kit.typ", _shown(written), printed, {"size": paper})


def _shown(written: Kit) -> dict[str, object]:
    """The texts, each block with what it is."""
    shown = asdict(written)
    shown["sections"] = [
        {
            "id": one.id,
            "heading": one.heading,
            "blocks": [{"type": type(b).__name__, **asdict(b)} for b in one.blocks],
        }
        for one in written.sections
    ]
    return shown


@cache
def _template() -> "Template":
    return pages().get_template("kit.html")
