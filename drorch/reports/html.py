"""The run report as one HTML page: no script, nothing fetched, for screen and paper."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from drorch.reports.view import FILTERS, view

if TYPE_CHECKING:
    from jinja2 import Template


def html_report(document: Mapping[str, Any]) -> str:
    """The page. Everything from the document is escaped by the template engine."""
    return str(_template().render(v=view(document), d=document))


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
    environment.filters.update(FILTERS)
    return environment.get_template("run.html")
