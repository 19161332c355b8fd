"""The quarterly report as one HTML page: no script, nothing fetched, for screen and paper."""

from functools import cache
from typing import TYPE_CHECKING

from drorch.reports.pages import pages
from drorch.reports.plots.picture import NARROW, WIDE
from drorch.reports.quarter.blocks import Drawing, Report

if TYPE_CHECKING:
    from jinja2 import Template


def html(written: Report) -> str:
    """The page. Everything but our own pictures is escaped by the template engine."""
    return str(_template().render(r=written, l=written.labels))


def _pictures(drawing: Drawing) -> dict[str, str]:
    """A drawing for wide and narrow pages; which one is seen is the style sheet's."""
    from markupsafe import Markup

    # plots/ has escaped all texts in it.
    return {
        "wide": Markup(drawing.draw(WIDE).in_page(f"{drawing.name}-w")),  # noqa: S704
        "narrow": Markup(drawing.draw(NARROW).in_page(f"{drawing.name}-n")),  # noqa: S704
    }


@cache
def _template() -> "Template":
    environment = pages()
    environment.filters["pictures"] = _pictures
    return environment.get_template("quarter.html")
