"""The run report in each format. What goes in is the run's document alone, so that the same
document, even one taken out of an old bundle, always gives the same report.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from drorch.core.errors import UsageError
from drorch.reports.language import LANGUAGES, SOURCE


class ReportFormat(StrEnum):
    """What a run report can be written as; the value is also the file's suffix."""

    HTML = "html"
    MARKDOWN = "md"
    JSON = "json"


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
    match report_format:
        case ReportFormat.HTML:
            from drorch.reports.html import html_report

            return html_report(document).encode()
        case ReportFormat.MARKDOWN:
            from drorch.reports.markdown import markdown_report

            return markdown_report(document).encode()
        case ReportFormat.JSON:
            return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
