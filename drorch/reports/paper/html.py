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


def css_string(text: str) -> str:
    """The text as a string of CSS, which knows escapes of its own and ends at a line's end."""
    from markupsafe import Markup

    plain = "".join(c if c.isalnum() or c in " .,:·()-/" else f"\\{ord(c):x} " for c in text)
    return Markup(f'"{plain}"')  # noqa: S704 - everything else has just been escaped


@cache
def _template() -> "Template":
    environment = pages()
    environment.filters["css_string"] = css_string
    return environment.get_template("paper.html")
