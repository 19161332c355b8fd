"""The run report as one HTML page: no script, nothing fetched, for screen and paper."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from drorch.reports.condense import by_phase
from drorch.reports.gantt import chart
from drorch.reports.language import Language
from drorch.reports.pen import Pen
from drorch.reports.view import view

if TYPE_CHECKING:
    from jinja2 import Template


def html_report(document: Mapping[str, Any], language: Language) -> str:
    """The page. Everything from the document is escaped by the template engine."""
    pen = Pen(language, document["timezone"], document["started_at"])
    drawn = chart(document, tuple(by_phase(document["steps"])), pen)
    return str(_template().render(v=view(document, language), chart=drawn))


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("drorch.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["a"] = lambda block, kind: type(block).__name__ == kind
    return environment.get_template("run.html")
