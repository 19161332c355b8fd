"""The run report in each format. What goes in is the run's document alone, so that the same
document, even one taken out of an old bundle, always gives the same report.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from drorch.core.errors import UsageError


class ReportFormat(StrEnum):
    """What a run report can be written as; the value is also the file's suffix."""

    HTML = "html"
    MARKDOWN = "md"
    JSON = "json"


def render_run(document: Mapping[str, Any], report_format: ReportFormat) -> str:
    """The report as text, to be written as UTF-8.

    Raises UsageError if the document is not one of a whole run.
    """
    if "steps" not in document or "objectives" not in document:
        raise UsageError(
            "this is not the document of a whole run: it has no steps",
            "take the output of drorch run show ID --json",
        )
    match report_format:
        case ReportFormat.HTML:
            from drorch.reports.html import html_report

            return html_report(document)
        case ReportFormat.MARKDOWN:
            from drorch.reports.markdown import markdown_report

            return markdown_report(document)
        case ReportFormat.JSON:
            return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
