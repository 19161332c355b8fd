"""The one door to Typst: a template of ours and values become a PDF.

PDF/A-2a for the archive and PDF/UA-1 for who cannot see it. Fonts are Typst's own, so a page looks
the same everywhere; where a text has letters that they lack, those of this machine are tried.
"""

import json
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files

from drorch.core.errors import DrorchError


def typeset(
    template: str, values: Mapping[str, object], made: datetime, settings: Mapping[str, str]
) -> bytes:
    """The PDF of templates/`template`, dated `made`: the same values give the same bytes.

    `values` reach it as JSON, never as markup. Raises DrorchError for letters that no font has.
    """
    from typst import TypstError

    try:
        return _compiled(template, values, made, settings, own_fonts_only=True)
    except TypstError as error:
        if "could not be displayed" not in error.message:
            raise
    try:
        return _compiled(template, values, made, settings, own_fonts_only=False)
    except TypstError as error:
        if "could not be displayed" not in error.message:
            raise
        letters = error.message.split("`")[1].strip('"')
        raise DrorchError(
            f"no font on this machine can print {letters!r}",
            "install a font that has it (Debian: fonts-noto), or write HTML: --format html",
        ) from None


def _printable(value: object) -> object:
    """The value without letters that no page can have, such as control characters: they show
    nothing, and PDF/A forbids them.
    """
    match value:
        case str():
            return "".join(" " if c in "\t\n\r" else c for c in value if not _forbidden(c))
        case Mapping():
            return {key: _printable(item) for key, item in value.items()}
        case list() | tuple():
            return [_printable(item) for item in value]
        case _:
            return value


def _forbidden(letter: str) -> bool:
    control = unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\t\n\r"
    return control or letter == "\ufeff" or ord(letter) & 0xFFFE == 0xFFFE


def _compiled(
    template: str,
    values: Mapping[str, object],
    made: datetime,
    settings: Mapping[str, str],
    *,
    own_fonts_only: bool,
) -> bytes:
    import typst

    source = files("drorch.reports").joinpath("templates", template).read_bytes()
    return typst.compile(
        source,
        format="pdf",
        ignore_system_fonts=own_fonts_only,
        sys_inputs={"data": json.dumps(_printable(values)), **settings},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=made.replace(microsecond=0),
    )
