"""Use cases around reports of runs: the run's document, and what else of the journal belongs beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drorch.adapters.evidence import make_private, write_durably
from drorch.app.corrective import corrective_actions
from drorch.app.program import Program
from drorch.app.runs import RunView, view
from drorch.core.changes import plan_changes
from drorch.core.corrective import Corrective
from drorch.core.document import rfc3339
from drorch.core.errors import DrorchError
from drorch.core.events import RunStarted
from drorch.core.names import RunKind
from drorch.core.plan import Plan
from drorch.core.posture import RunRow
from drorch.reports.run import ReportFormat, render_run


def run_report(
    program: Program, run: str, report_format: ReportFormat, language: str | None = None
) -> bytes:
    """The report of a run as it stands; without a language in the configuration's."""
    spoken = language or program.configuration.language
    return render_run(report_document(program, view(program, run)), report_format, spoken)


def report_document(program: Program, seen: RunView) -> Mapping[str, Any]:
    """The run's document with `report`: what its own journal does not hold and a report wants."""
    return {**seen.document, "report": _about(program, seen)}


def _about(program: Program, seen: RunView) -> dict[str, Any]:
    evidence = program.configuration.evidence
    ended = seen.state.finished_at or seen.state.started
    actions = [a for a in corrective_actions(program) if _concerns(a, seen.run)]
    return {
        "corrective_actions": [_action(action) for action in actions],
        "previous": _previous(program, seen),
        "retention_until": rfc3339(evidence.until(ended.at)),
        "sealed": evidence.key is not None,
        "sign_off": [
            {"name": one.name, "role": one.role} for one in program.configuration.reports.sign_off
        ],
    }


def _concerns(action: Corrective, run: str) -> bool:
    return run in (action.run, action.finding.rpartition("/")[0])


def _action(action: Corrective) -> dict[str, Any]:
    return {
        "id": action.id,
        "title": action.title,
        "owner": action.owner,
        "due": action.due,
        "finding": action.finding,
        "status": action.status,
        "closed_by_run": action.closed_by_run,
    }


def _previous(program: Program, seen: RunView) -> dict[str, Any] | None:
    """The last drill of the same runbook before this run, and what has changed since."""
    plan = seen.state.plan
    if not plan.runbook_digest:
        return None
    for row in program.journal.rows(name=plan.name):
        earlier = row.run != seen.run and row.started_at < seen.state.started.at
        if row.kind is RunKind.DRILL and row.outcome is not None and earlier:
            return _compared(program, row, plan)
    return None


def _compared(program: Program, row: RunRow, plan: Plan) -> dict[str, Any] | None:
    """None if its journal cannot be read: `journal verify` is there to say so."""
    try:
        first = next(iter(program.journal.read(row.run))).event
    except DrorchError:
        return None
    if not isinstance(first, RunStarted):
        return None
    found = plan_changes(first.plan, plan)
    return {
        "run": row.run,
        "started_at": rfc3339(row.started_at),
        "outcome": row.outcome.value if row.outcome else None,
        "runbook_digest": f"sha256:{first.plan.runbook_digest}",
        "changed": found.any,
        "text_changed": found.text,
        "objectives_changed": found.objectives,
        "steps_added": list(found.steps_added),
        "steps_removed": list(found.steps_removed),
        "steps_changed": list(found.steps_changed),
        "inputs_changed": list(found.inputs_changed),
    }


#: What is written when a run ends. PDF and CSV are made when somebody wants them, or they are sealed.
_WRITTEN = (ReportFormat.HTML, ReportFormat.MARKDOWN, ReportFormat.JSON)


def report_folder(program: Program, run: str) -> Path:
    """Where the reports of a run are kept."""
    return program.configuration.work / "reports" / run


def write_run_reports(program: Program, seen: RunView) -> Path:
    """Write a run's report into its folder, as it is looked at first; returns the HTML file.

    Raises DrorchError where it cannot be written.
    """
    folder = report_folder(program, seen.run)
    document, spoken = report_document(program, seen), program.configuration.language
    try:
        make_private(folder)
        for one in _WRITTEN:
            write_durably(folder / f"report.{one.suffix}", render_run(document, one, spoken))
    except OSError as error:
        raise DrorchError(
            f"the report cannot be written to {folder}: {error.strerror}",
            f"see that it can be and that its disk has room, then: drorch report run {seen.run} --kept",
        ) from None
    return kept_report(program, seen.run)


def lacks_report(program: Program, run: str) -> bool:
    """Whether a run's report is not there, or not whole."""
    folder = report_folder(program, run)
    return not all((folder / f"report.{one.suffix}").is_file() for one in _WRITTEN)


def kept_report(program: Program, run: str) -> Path:
    """The one of a run's kept reports that people open first."""
    return report_folder(program, run) / f"report.{ReportFormat.HTML.suffix}"


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
