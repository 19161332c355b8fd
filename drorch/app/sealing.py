"""Use cases of sealing: a run, or any named files, as a bundle that a stranger can check."""

from collections.abc import Mapping
from pathlib import Path

from drorch.app.keyring import sealing_key
from drorch.app.outbox import Brought, bring, put_down, putting_down
from drorch.app.program import Program
from drorch.app.reports import report_document, report_files
from drorch.app.runs import view
from drorch.core.codec import canonical
from drorch.core.document import run_document
from drorch.core.errors import DrorchError
from drorch.core.names import RunState
from drorch.core.run import replay
from drorch.core.values import Value
from drorch.journal.bundle import Exported, exported
from drorch.journal.ledger import last_entry
from drorch.sealing.bundle import About, bundled
from drorch.sealing.head import HEAD, Head, signed_head
from drorch.sealing.packing import Files, is_name, packed, write

#: What the figures of a run's report are called in its bundle.
REPORT = "report.json"

#: Kinds of bundles.
RUN, FILES = "run", "files"


def run_document_of(run: Exported) -> Mapping[str, Value]:
    """The contract's JSON of a finished run, from its events alone."""
    return run_document(
        replay(run.recorded),
        run=run.run,
        journal_head=run.head,
        state_word=RunState.FINISHED,
        now=run.recorded[-1].at,
    )


def seal_run(program: Program, run: str) -> Files:
    """A finished run's bundle, sealed if there is a key. Of the same run always the same bytes,
    as long as no corrective action to one of its findings changes, which its report tells.

    Raises UsageError for a run that goes on, JournalUntrusted for a broken chain.
    """
    found = exported(program.journal, run)
    document = run_document_of(found)
    evidence, missing = _evidence(program, found)
    content = {
        **found.files,
        **evidence,
        REPORT: canonical(document) + b"\n",
        **_reports(program, run),
    }
    facts: dict[str, Value] = {
        "events": len(found.rows),
        "head": f"sha256:{found.head}",
        "missing": missing,
    }
    plan = replay(found.recorded).plan
    about = About(RUN, found.run, plan.organization, found.recorded[-1].at.at, facts)
    return bundled(content, about, sealing_key(program))


def _reports(program: Program, run: str) -> Files:
    """The report that people read, in each of the organisation's languages: with corrective actions as
    they stand now.
    """
    configuration = program.configuration
    languages = configuration.reports.quarterly.languages or (configuration.language,)
    document = report_document(program, view(program, run))
    found = [report_files(document, language) for language in languages]
    return {name: content for files in found for name, content in files.items()}


def _evidence(program: Program, run: Exported) -> tuple[Files, list[Value]]:
    """The files its events name, and the names of those that are not there any more."""
    files: dict[str, bytes] = {}
    missing: list[Value] = []
    for name, kept in sorted(run.evidence.items()):
        inside = f"evidence/{name}"
        try:
            content = program.evidence.read(run.run, name, kept.sha256)
        except DrorchError:
            missing.append(inside)
            continue
        if is_name(inside):
            files[inside] = content
        else:
            missing.append(inside)
    return files, missing


def export_run(program: Program, run: str, output: Path) -> Files:
    """Write a finished run's bundle: a folder, or with a suffix one zip file."""
    files = seal_run(program, run)
    write(files, output)
    return files


def seal_files(
    program: Program, name: str, files: Files, facts: Mapping[str, Value] | None = None
) -> bytes:
    """Any named files (a quarter's report in all its formats) as a bundle, the bytes of a zip.

    With a key it is sealed, and holds the signed head of the ledger as it is now, so that it shows on
    which records the files rest. Names are of files or of files in one folder; `manifest.json`,
    `seal.json`, `README.md`, `verify.py` and `ledger-head.json` are taken.
    """
    key, now = sealing_key(program), program.clock.now().at
    organization = program.configuration.organization
    head = {HEAD: signed_head(found, key)} if key and (found := head_now(program)) else {}
    about = About(FILES, name, organization, now, dict(facts or {}))
    return packed(bundled({**files, **head}, about, key))


def head_now(program: Program) -> Head | None:
    """Where the ledger ends now; None before the first run."""
    last = last_entry(program.journal)
    if last is None:
        return None
    organization = program.configuration.organization
    return Head(organization, last.n, last.hash, program.clock.now().at)


def keep_in_regions(program: Program, name: str, bundle: bytes) -> Brought:
    """Keep a bundle of files in every region of `evidence.regions`, as `evidence/files/NAME.….zip`.

    A region that does not answer costs seconds and is owed: the daemon brings it later, and `status`
    says so meanwhile. Raises DrorchError only where it cannot even be put down here.
    """
    with putting_down(program):
        put_down(program, "files", f"{name}.zip", bundle)
    return bring(program)
