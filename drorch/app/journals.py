"""Use cases around the journal itself: verify it, export a run, rebuild what is derived."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from drorch.adapters.crews import crew
from drorch.app.program import Program
from drorch.app.verifying import Verified, verify_bundle
from drorch.core.codec import NotDecodable, parse
from drorch.core.document import rfc3339
from drorch.core.errors import UsageError
from drorch.core.values import Value
from drorch.journal.rebuild import rebuild as rebuild_projections
from drorch.journal.report import VerifyReport
from drorch.journal.verify import verify_journal


def verify(program: Program, *, offline: bool = False) -> dict[str, Value]:
    """Whether the whole journal is as it was recorded, also by the signed heads kept here and, unless
    `offline`, in the regions.
    """
    from drorch.app.heads import compare, told

    with crew() as others:
        report = verify_journal(program.journal, others)
    compared = compare(program, offline=offline)
    flaws = dict.fromkeys((*report.flaws, *(flaw for one in compared for flaw in one.flaws)))
    held = [told(one) for one in compared if not one.flaws]
    return _document(replace(report, flaws=tuple(flaws))) | {"heads": list(held)}


def seal(program: Program) -> dict[str, Value]:
    """Seal what ended since the last time, and bring regions what they are owed."""
    from drorch.app.closing import close, newest_head
    from drorch.app.outbox import bring

    if program.configuration.evidence.key is None:
        raise UsageError(
            "there is no key to seal with",
            "make one, and name it: evidence: {key: NAME, public_key: FILE} (docs/evidence.md)",
        )
    runs: list[Value] = []
    while (closed := close(program)) is not None:
        runs.extend(closed.runs)
        if not closed.more:
            break
    brought = bring(program)
    head = newest_head(program)
    return {
        "runs": runs,
        "head": {"n": head.n, "hash": f"sha256:{head.hash}", "at": rfc3339(head.at)}
        if head
        else None,
        "kept": dict(brought.kept),
        "owed": [
            {"region": name, "message": error.message, "hint": error.hint}
            for name, error in brought.failed.items()
        ],
    }


def verify_exported(
    path: Path, keys: Sequence[str], program: Program | None, *, unsealed: bool
) -> dict[str, Value]:
    """Whether a bundle is as it was written. Trusted are the keys given (files, or texts), or else
    those of the configuration; `unsealed`: nobody signed it, and that is known.
    """
    from drorch.app.keyring import given_keys, trusted_keys

    trusted = given_keys(keys)
    if not keys and program is not None:
        trusted = trusted_keys(program)
    return verified_document(verify_bundle(path, trusted, unsealed=unsealed))


def export(
    program: Program, run: str, output: Path, *, overwrite: bool = False
) -> dict[str, Value]:
    """Write a run as a bundle, a folder, or one file if `output` has a suffix; and verify it.

    Raises UsageError for a file that is there and is no bundle of the run, unless it is to be
    overwritten.
    """
    from drorch.app.keyring import sealing_key
    from drorch.app.sealing import export_run

    row = program.journal.find(run)
    if (
        os.path.lexists(output)
        and output.is_file()
        and not overwrite
        and not _is_bundle_of(row.run, output)
    ):
        raise UsageError(
            f"{output} is there already, and is no bundle of run {row.run}",
            "name another file, or add --overwrite",
        )
    export_run(program, row.run, output)
    key = sealing_key(program)
    found = verified_document(verify_bundle(output, (key.public,) if key else ()))
    return found | {"run": row.run, "path": str(output)}


def _is_bundle_of(run: str, path: Path) -> bool:
    from drorch.sealing.packing import MANIFEST, Refused, read

    try:
        told = parse(read(path).get(MANIFEST, b""))
    except (Refused, NotDecodable, UsageError):
        return False
    return isinstance(told, Mapping) and run in (told.get("name"), told.get("run"))


def verified_document(found: Verified) -> dict[str, Value]:
    """What was found of a bundle, for scripts. `sealed_by` is the id of the key that signed it."""
    return _document(found.report) | {
        "kind": found.kind,
        "name": found.name,
        "sealed_by": found.signer.id if found.signer else None,
        "missing": list(found.missing),
        "unread": list(found.unread),
        "hint": found.hint,
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
