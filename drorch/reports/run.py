"""The run report in each format. What goes in is the run's document alone, so that the same
document, even one taken out of an old bundle, always gives the same report.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from drorch.core.encoding import utf8
from drorch.core.errors import UsageError
from drorch.reports.language import LANGUAGES, SOURCE
from drorch.reports.language import language as language_of


class ReportFormat(StrEnum):
    """What a run report can be written as. The value is the file's suffix, but the tables of CSV
    come as one zip.
    """

    HTML = "html"
    PDF = "pdf"
    MARKDOWN = "md"
    JSON = "json"
    CSV = "csv"

    @property
    def suffix(self) -> str:
        """Of a file of it."""
        return "zip" if self is ReportFormat.CSV else self.value


def render_run(
    document: Mapping[str, Any], report_format: ReportFormat, language: str = SOURCE
) -> bytes:
    """The report, ready to be written, in a language (a code of LANGUAGES).

    Raises UsageError if the document is not one of a whole run, or for another language.
    """
    if "steps" not in document or "objectives" not in document:
        raise UsageError(
            "this is not the document of a whole run: it has no steps",
            "take the output of drorch run show ID --json",
        )
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise UsageError(f"there is no language {language!r}", f"languages are: {known}")
    spoken = language_of(language)
    match report_format:
        case ReportFormat.HTML:
            from drorch.reports.html import html_report

            return utf8(html_report(document, spoken))
        case ReportFormat.PDF:
            from drorch.reports.pdf import pdf_report

            return pdf_report(document, spoken)
        case ReportFormat.MARKDOWN:
            from drorch.reports.markdown import markdown_report

            return utf8(markdown_report(document, spoken))
        case ReportFormat.CSV:
            from drorch.reports.run_tables import run_tables
            from drorch.reports.tables import zip_of

            return zip_of(run_tables(document))
        case ReportFormat.JSON:
            return utf8(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
