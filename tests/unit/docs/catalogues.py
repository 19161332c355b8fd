"""The sentences of the reports, as the code has them, and the catalogues of the other languages.

After a change of sentences: `python -m tests.unit.docs.catalogues`. New ones come in without a
translation, gone ones go; then write what is missing. Nothing is guessed from similar sentences.
"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

REPORTS = Path(__file__).resolve().parents[3] / "drorch" / "reports"
CATALOGUES = {path.parts[-3]: path for path in REPORTS.glob("locale/*/LC_MESSAGES/reports.po")}
#: What says a sentence in the code; of one that counts, both forms.
SAID_BY = {"say": None, "_say": None, "later": None, "say_many": (1, 2)}


def sentences() -> Catalog:
    """Every sentence in the code, and in which file it stands."""
    found = Catalog(charset="utf-8")
    for file, _, message, _, _ in extract_from_dir(
        REPORTS, [("**.py", "python")], keywords=SAID_BY, directory_filter=lambda _: True
    ):
        if message:
            found.add(message, locations=[(f"drorch/reports/{file}", None)])
    return found


def catalogue(language: str) -> Catalog:
    """What a language has."""
    with CATALOGUES[language].open("rb") as file:
        return read_po(file, locale=language)


def main() -> None:
    """Bring every catalogue up to the sentences of the code."""
    for language, path in CATALOGUES.items():
        kept = catalogue(language)
        kept.update(sentences(), no_fuzzy_matching=True, update_creation_date=False)
        kept.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, kept, width=100, include_lineno=False, sort_by_file=True)


if __name__ == "__main__":
    main()
