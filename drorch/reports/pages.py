"""Templates of HTML pages: everything put into them is escaped, and what is missing is an error.

Every page knows the filters `css_string`, and `kind`: the name of a value's class.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def pages() -> "Environment":
    """The templates, by their names below templates/; further filters and tests are the page's own."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("drorch.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(css_string=css_string, kind=lambda value: type(value).__name__)
    return environment


def css_string(text: str) -> str:
    """The text as a string of CSS, which knows escapes of its own and ends at a line's end."""
    from markupsafe import Markup

    plain = "".join(c if c.isalnum() or c in " .,:·()-/" else f"\\{ord(c):x} " for c in text)
    return Markup(f'"{plain}"')  # noqa: S704 - everything else has just been escaped
