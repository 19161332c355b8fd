"""The run report as Markdown, for tickets, wikis and mail."""

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from drorch.reports.language import Language
from drorch.reports.view import view

if TYPE_CHECKING:
    from jinja2 import Template

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
#: White space but the kinds that French sets, which do not break.
_SPACE = re.compile(r"[^\S\u00a0\u202f]+")


def markdown_report(document: Mapping[str, Any], language: Language) -> str:
    """The report in GitHub's dialect: tables are used, HTML is not."""
    colon, semicolon = Verbatim(language.colon), Verbatim(language.semicolon)
    text = _template().render(v=view(document, language), colon=colon, semicolon=semicolon)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Autoescape knows only HTML. `finalize` sees every printed value, so that none is forgotten.
    environment = Environment(
        loader=PackageLoader("drorch.reports"),
        autoescape=False,  # noqa: S701 - finalize escapes for Markdown
        finalize=_printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["a"] = lambda block, kind: type(block).__name__ == kind
    environment.filters["code"] = code
    environment.filters["verbatim"] = Verbatim
    environment.filters["plain"] = lambda text: Verbatim(on_one_line(text))
    return environment.get_template("run.md")


class Verbatim(str):
    """Text that is Markdown already."""

    __slots__ = ()


def on_one_line(text: str) -> str:
    """The text without breaks; spaces that must not break stay."""
    return _SPACE.sub(" ", text)


def escaped(text: str) -> str:
    """The text on one line, with everything escaped that Markdown or HTML gives a meaning."""
    return _SPECIAL.sub(r"\\\1", on_one_line(text)).replace("&", "&amp;")


def _printed(value: object) -> object:
    return escaped(value) if isinstance(value, str) and not isinstance(value, Verbatim) else value


def code(value: object) -> Verbatim:
    """The value as code; a backtick or bar inside cannot end it or the table's cell."""
    text = on_one_line(str(value)).strip().replace("`", "'").replace("|", "\\|")
    return Verbatim(f"`{text}`" if text else "")
