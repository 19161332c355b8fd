"""The paper version as one HTML page: no script, nothing fetched, for a screen and for paper."""

from functools import cache
from typing import TYPE_CHECKING

from drorch.reports.pages import pages
from drorch.reports.paper.view import Paper

if TYPE_CHECKING:
    from jinja2 import Template


def html(written: Paper) -> str:
    """The page. Everything is escaped by the template engine."""
    return str(_template().render(p=written, l=written.labels))


@cache
def _template() -> "Template":
    return pages().get_template("paper.html")
