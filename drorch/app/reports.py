"""Use cases around reports of runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drorch.adapters.evidence import make_private, write_durably
from drorch.app.program import Program
from drorch.app.runs import RunView, view
from drorch.reports.run import ReportFormat, render_run


def run_report(
    program: Program, run: str, report_format: ReportFormat, language: str | None = None
) -> bytes:
    """The report of a run as it stands; without a language in the configuration's."""
    spoken = language or program.configuration.language
    return render_run(view(program, run).document, report_format, spoken)


def report_folder(program: Program, run: str) -> Path:
    """Where the reports of a run are kept."""
    return program.configuration.work / "reports" / run


def write_run_reports(program: Program, seen: RunView) -> Path:
    """Write a run's report in every format into its folder; returns the HTML file."""
    folder = report_folder(program, seen.run)
    make_private(folder)
    document, spoken = seen.document, program.configuration.language
    for one in ReportFormat:
        write_durably(folder / f"report.{one.value}", render_run(document, one, spoken))
    return folder / f"report.{ReportFormat.HTML.value}"


#: What a run's report is sealed as, to be read; its figures are sealed beside.
_SEALED = ("html", "md", "pdf")


def report_files(document: Mapping[str, Any], language: str) -> Mapping[str, bytes]:
    """A run's report in a language, in the formats that people read, as files by name: of the same
    document always the same bytes. They go into sealed bundles.
    """
    formats = [one for one in ReportFormat if one.value in _SEALED]
    return {
        f"report.{language}.{one.value}": render_run(document, one, language) for one in formats
    }
