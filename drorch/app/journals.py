"""Use cases around the journal itself: verify it, export a run, rebuild what is derived."""

from pathlib import Path

from drorch.app.program import Program
from drorch.core.values import Value
from drorch.journal.bundle import export_run, verify_bundle
from drorch.journal.rebuild import rebuild as rebuild_projections
from drorch.journal.report import VerifyReport
from drorch.journal.verify import verify_journal


def verify(program: Program) -> dict[str, Value]:
    """Whether the whole journal is as it was recorded."""
    return _document(verify_journal(program.journal))


def verify_exported(path: Path) -> dict[str, Value]:
    """Whether an exported bundle is as it was written; needs no configuration."""
    return _document(verify_bundle(path))


def export(program: Program, run: str, output: Path) -> dict[str, Value]:
    """Write a run as a bundle: a folder, or one file if `output` has a suffix."""
    row = program.journal.find(run)
    return _document(export_run(program.journal, row.run, output)) | {
        "run": row.run,
        "path": str(output),
    }


def rebuild(program: Program) -> dict[str, Value]:
    """Recompute every projection from the events, and say what differed."""
    done = rebuild_projections(program.journal)
    return {"runs": done.runs, "differences": list(done.differences)}


def _document(report: VerifyReport) -> dict[str, Value]:
    return {
        "ok": report.ok,
        "runs": report.runs,
        "events": report.events,
        "head": f"sha256:{report.head}",
        "flaws": [{"subject": f.subject, "message": f.message} for f in report.flaws],
    }
