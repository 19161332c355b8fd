"""Use cases around reports of runs."""

from pathlib import Path

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
