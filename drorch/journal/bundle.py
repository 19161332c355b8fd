"""A finished run as a sealed bundle: a folder, or one file, that a stranger can check.

    journal.jsonl   the run's events, one a line, canonical JSON, each with the hash before and its own
    plan.json       the plan as the first event holds it
    README.md       how to check all this by hand
    manifest.json   format, run, head of the chain, SHA-256 of every file

Every byte counts. All encodings are canonical, so a verifier derives each file anew from the
journal and compares bytes; a single file is a zip archive that is packed anew and compared too.
"""

import hashlib
import io
import os
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path

from drorch.core.codec import NotDecodable, canonical, decode, parse
from drorch.core.errors import DrorchError, UsageError
from drorch.core.values import Value
from drorch.journal.chain import Row, unseal
from drorch.journal.report import Flaw, VerifyReport
from drorch.journal.store import SqlJournal

FORMAT = "drorch-bundle-1"
JOURNAL, PLAN, README, MANIFEST = "journal.jsonl", "plan.json", "README.md", "manifest.json"
NAMES = frozenset({JOURNAL, PLAN, README, MANIFEST})

_UNIX = 3
_EPOCH = (1980, 1, 1, 0, 0, 0)
_KEEP = "do not rely on this copy; get the bundle again from where it came"

Files = Mapping[str, bytes]


def export_run(journal: SqlJournal, run: str, output: Path) -> VerifyReport:
    """Write a finished run's bundle: a folder, or with a suffix one zip file. Whole or not at all.

    `run` is a whole id or part of one. A file in the way is replaced, a folder is not. Raises
    UsageError for a run that goes on or an output that cannot be, JournalUntrusted for a broken
    chain.
    """
    row = journal.find(run)
    if row.outcome is None:
        raise UsageError(
            f"run {row.run} is not finished, so there is no last event to seal",
            "finish it (`drorch run resume` or `run abort`), then export it",
        )
    rows = list(journal.sealed(row.run))
    for _ in unseal(rows):
        pass  # raises where the chain breaks
    files = _files(rows)
    try:
        _write_file(files, output) if output.suffix else _write_folder(files, output)
    except OSError as error:
        raise UsageError(
            f"the bundle cannot be written to {output}: {error.strerror}", "give another --output"
        ) from None
    return VerifyReport(1, len(rows), row.head)


def verify_bundle(path: Path) -> VerifyReport:
    """Check a bundle, folder or file, byte by byte. Raises UsageError when there is none."""
    try:
        files = _read_folder(path) if path.is_dir() else _read_file(path)
        rows = _rows(files)
        _compare(files, rows)
    except _Refused as refused:
        return VerifyReport(0, 0, "", (refused.flaw,))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", "give a bundle's folder or file"
        ) from None
    return VerifyReport(1, len(rows), rows[-1].hash)


class _Refused(Exception):
    def __init__(self, subject: str, message: str) -> None:
        super().__init__(message)
        self.flaw = Flaw(subject, message)


# --- what a bundle holds


def _files(rows: list[Row]) -> Files:
    body = parse(rows[0].body)
    plan = body["plan"] if isinstance(body, Mapping) else None
    content = {
        JOURNAL: b"".join(map(_line, rows)),
        PLAN: canonical(plan) + b"\n",
        README: resources.files("drorch.journal").joinpath("bundle.md").read_bytes(),
    }
    return {**content, MANIFEST: _manifest(content, rows)}


def _line(row: Row) -> bytes:
    return canonical({**row.columns(), "body": parse(row.body)}) + b"\n"


def _manifest(content: Files, rows: list[Row]) -> bytes:
    manifest: Value = {
        "format": FORMAT,
        "run": rows[0].run,
        "events": len(rows),
        "head": f"sha256:{rows[-1].hash}",
        "files": {name: f"sha256:{hashlib.sha256(c).hexdigest()}" for name, c in content.items()},
    }
    return canonical(manifest) + b"\n"


def _rows(files: Files) -> list[Row]:
    missing = NAMES - files.keys()
    if missing:
        raise _Refused(min(missing), "the file is missing")
    lines = files[JOURNAL].splitlines(keepends=True)
    rows = [_row(number, line) for number, line in enumerate(lines, 1)]
    if not rows:
        raise _Refused(JOURNAL, "it is empty")
    try:
        recorded = list(unseal(rows))
    except DrorchError as error:
        raise _Refused(JOURNAL, error.message) from None
    if {row.run for row in rows} != {rows[0].run} or rows[0].kind != "run.started":
        raise _Refused(JOURNAL, "it is not one run from its start")
    if rows[-1].kind != "run.finished" or len(recorded) != len(rows):
        raise _Refused(JOURNAL, "the run's last event is missing")
    return rows


def _row(number: int, line: bytes) -> Row:
    try:
        row = _parsed(line)
    except NotDecodable as error:
        raise _Refused(JOURNAL, f"line {number}: {error}") from None
    if _line(row) != line:
        raise _Refused(JOURNAL, f"line {number} is not written as it was sealed")
    return row


def _compare(files: Files, rows: list[Row]) -> None:
    expected = _files(rows)
    if files[PLAN] != expected[PLAN]:
        raise _Refused(PLAN, "it is not the plan the run started with")
    # The words of the README may be another version's: the manifest holds them.
    content = {name: files[name] for name in (JOURNAL, PLAN, README)}
    if files[MANIFEST] != _manifest(content, rows):
        raise _Refused(MANIFEST, "it does not describe these files")


def _parsed(line: bytes) -> Row:
    value = parse(line)
    if not isinstance(value, dict) or "body" not in value:
        raise NotDecodable("it is no event")
    body = canonical(value.pop("body")).decode()
    return replace(decode(Row, {**value, "body": ""}), body=body)


# --- as a folder


def _write_folder(files: Files, output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output} is not empty", "give another --output")
    output.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        for name, content in files.items():
            (made / name).write_bytes(content)
        made.chmod(0o755)
        made.rename(output)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _read_folder(folder: Path) -> Files:
    for item in sorted(folder.iterdir()):
        if item.name not in NAMES:
            raise _Refused(item.name, "it does not belong to the bundle")
        if item.is_symlink() or not item.is_file():
            raise _Refused(item.name, "it is not a file")
    return {item.name: item.read_bytes() for item in folder.iterdir()}


# --- as one file


def _write_file(files: Files, output: Path) -> None:
    if output.is_dir():
        raise UsageError(f"{output} is a folder", "give another --output")
    output.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_packed(files))
        Path(name).chmod(0o644)
        Path(name).replace(output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _packed(files: Files) -> bytes:
    """A zip with nothing in it that is not content: stored, sorted, one date, no extras."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = _UNIX, 0o100644 << 16
            archive.writestr(entry, files[name])
    return target.getvalue()


def _read_file(path: Path) -> Files:
    packed = path.read_bytes()
    try:
        files = _unpacked(packed)
    except (
        zipfile.BadZipFile,
        ValueError,
        KeyError,
        EOFError,
        OverflowError,
        struct.error,
    ) as error:
        raise _Refused(path.name, f"it is no bundle: {error}") from None
    except RuntimeError:  # encrypted, or by a codec that zipfile does not know
        raise _Refused(path.name, "it is no bundle: it is not packed plainly") from None
    strange = files.keys() - NAMES
    if strange:
        raise _Refused(min(strange), "it does not belong to the bundle")
    if packed != _packed(files):
        raise _Refused(path.name, "it is not packed as it was sealed")
    return files


def _unpacked(packed: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        entries = archive.infolist()
        # Nothing is unpacked that could be larger than the file, or needs a codec.
        if any(e.compress_type != zipfile.ZIP_STORED or e.file_size > len(packed) for e in entries):
            raise zipfile.BadZipFile("it is not packed plainly")
        return {entry.filename: archive.read(entry) for entry in entries}
