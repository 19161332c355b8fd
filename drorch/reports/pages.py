"""Templates of HTML pages: everything put into them is escaped, and what is missing is an error."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def pages() -> "Environment":
    """The templates, by their names below templates/; filters and tests are the page's own."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("drorch.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
