"""The run report as one HTML page: no script, nothing fetched, for screen and paper."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from drorch.reports.afteraction.picture import pictured
from drorch.reports.language import Language
from drorch.reports.pages import pages
from drorch.reports.pen import Pen
from drorch.reports.plots.picture import NARROW, WIDE
from drorch.reports.plots.timeline import timeline
from drorch.reports.view import view

if TYPE_CHECKING:
    from jinja2 import Template


def html_report(document: Mapping[str, Any], language: Language) -> str:
    """The page. Everything from the document is escaped by the template engine."""
    pen = Pen(language, document["timezone"], document["started_at"])
    told = pictured(document, pen)
    drawn = {
        name: [
            picture.in_page(f"timeline-{name}-{number}")
            for number, picture in enumerate(timeline(told, language, width), 1)
        ]
        for name, width in (("wide", WIDE), ("narrow", NARROW))
        if told is not None
    }
    return str(_template().render(v=view(document, language), drawn=drawn))


@cache
def _template() -> "Template":
    environment = pages()
    environment.tests["a"] = lambda block, kind: type(block).__name__ == kind
    return environment.get_template("run.html")
