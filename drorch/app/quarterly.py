"""Use case `report write`: the quarterly report as it comes by itself, written once, sealed and kept.

Needs what draws and typesets: the daemon has it done by a process of its own (app/delivering.py).

reports/quarter/2026Q4/                 the files, and contents.json, which says what they are
reports/quarter/2026Q4.1/               what stood there before, where it was written anew
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from drorch.adapters.evidence import make_private, sync_folder, write_durably
from drorch.adapters.exclusive import exclusive
from drorch.app.program import Program
from drorch.app.quarters import quarter_file, quarter_values, see_that_it_is_over
from drorch.app.sealing import keep_in_regions, seal_files
from drorch.core.documenting import document_of
from drorch.core.errors import DrorchError
from drorch.core.model import evidence_regions
from drorch.core.quarter import Quarter
from drorch.core.values import Value
from drorch.reports.covering import cover

#: What says which files belong to a report, and what they are sent with.
CONTENTS = "contents.json"


#: Forms that are the same in every language, and their suffixes.
_DATA = {"json": "json", "csv": "csv.zip"}


@dataclass(frozen=True, slots=True)
class Written:
    """A report as it lies in its folder: names of files to SHA-256 (hex), and what they are sent with.

    `bundle` is the sealed one of them all, and `bundle_sha256` what it holds (hex); both are empty
    without a key, the latter also of a report that an older drorch wrote.
    """

    quarter: str
    files: Mapping[str, str]
    title: str
    message: str
    no_drill: bool
    bundle: str = ""
    bundle_sha256: str = ""


def folder_of(program: Program, quarter: Quarter) -> Path:
    """Where the report of a quarter lies."""
    return program.configuration.work / "reports" / "quarter" / str(quarter)


def write(program: Program, quarter: Quarter, *, anew: bool = False) -> dict[str, Value]:
    """Write the report of a quarter that is over, in every configured language and format, whole or not
    at all; seal it and bring it to the regions. One that lies there whole is left as it is, unless
    it is to be written `anew`: then it is put aside. So it is if its bundle is missing or changed: what
    is signed comes from the journal, never from files that somebody may have written since.

    What came of it, as `report write --json` prints it. Raises UsageError for a quarter that is not
    over, DrorchError where it cannot be written.
    """
    see_that_it_is_over(program, quarter)
    folder = folder_of(program, quarter)
    with _alone(folder.parent):
        written = None if anew else _lying(program, folder)
        if written is None:
            written = _made(program, quarter, folder)
        bundle = (folder / written.bundle).read_bytes() if written.bundle else b""
    return {
        "quarter": written.quarter,
        "folder": str(folder),
        "files": dict(written.files),
        "title": written.title,
        "message": written.message,
        "no_drill": written.no_drill,
        "sealed": bool(written.bundle),
        **_kept(program, written, bundle),
    }


@contextmanager
def _alone(top: Path) -> Iterator[None]:
    try:
        make_private(top)
        with exclusive(top / ".lock"):
            yield
    except OSError as error:
        raise DrorchError(
            f"{error.filename or top} cannot be written: {error.strerror}",
            f"see that {top} can be written and its disk has room",
        ) from error


def _lying(program: Program, folder: Path) -> Written | None:
    """What lies there, if it is whole and all that is wanted now."""
    try:
        written = Written(**json.loads((folder / CONTENTS).read_bytes()))
        whole = all(_digest(folder / n) == d for n, d in written.files.items())
        whole = whole and _bundle_lies(folder, written)
    except (OSError, ValueError, TypeError):
        return None
    wanted = {name for name, _, _ in _wanted(program, written.quarter)}
    sealed = bool(written.bundle) == _seals(program)
    return written if whole and sealed and wanted == set(written.files) else None


def _bundle_lies(folder: Path, written: Written) -> bool:
    """Whether the bundle is there as it was sealed; of one whose hash nobody noted, whether it is."""
    bundle = folder / written.bundle
    if not written.bundle_sha256:
        return not written.bundle or bundle.is_file()
    return bundle.is_file() and _digest(bundle) == written.bundle_sha256


def _wanted(program: Program, quarter: str) -> Iterator[tuple[str, str, str]]:
    """Name, format and language of each file; data speak none."""
    for one in program.configuration.reports.quarterly.formats:
        if one in _DATA:
            yield f"{quarter}.{_DATA[one]}", one, ""
            continue
        for spoken in languages(program):
            yield f"{quarter}.{spoken}.{one}", one, spoken


def languages(program: Program) -> Sequence[str]:
    """The languages that the report is written in."""
    configuration = program.configuration
    return configuration.reports.quarterly.languages or (configuration.language,)


def _seals(program: Program) -> bool:
    return program.configuration.evidence.key is not None


def _made(program: Program, quarter: Quarter, folder: Path) -> Written:
    """Made in a folder beside, which then takes the place: a process that dies leaves nothing half."""
    document = document_of(quarter_values(program, quarter))
    files = {
        name: quarter_file(document, form, spoken)
        for name, form, spoken in _wanted(program, str(quarter))
    }
    bundle = f"{quarter}.bundle.zip" if _seals(program) else ""
    sealed = {bundle: seal_files(program, f"quarter-{quarter}", files)} if bundle else {}
    told = cover(document, languages(program), list(files), sealed=bool(bundle))
    written = Written(
        str(quarter),
        {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        told.title,
        told.body,
        bool(document["headline"]["no_drill"]),
        bundle,
        hashlib.sha256(sealed[bundle]).hexdigest() if bundle else "",
    )
    _put(folder, {**files, **sealed, CONTENTS: json.dumps(asdict(written), indent=1).encode()})
    return written


def _put(folder: Path, files: Mapping[str, bytes]) -> None:
    making = folder.with_name(f".{folder.name}")
    shutil.rmtree(making, ignore_errors=True)
    try:
        make_private(making)
        for name, content in files.items():
            write_durably(making / name, content)
        if folder.exists():
            folder.rename(_aside(folder))
        making.rename(folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)  # half a report, on a disk that may be full
        raise
    sync_folder(folder.parent)


def _aside(folder: Path) -> Path:
    number = 1
    while (older := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    return older


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _kept(program: Program, written: Written, bundle: bytes) -> dict[str, Value]:
    """In which regions it lies, and which are owed it. A region that is away stops nothing."""
    if not written.bundle:
        return {"bundle": None, "regions": [], "owed": {}}
    brought = keep_in_regions(program, f"quarter-{written.quarter}", bundle)
    owed: dict[str, Value] = {name: error.message for name, error in brought.failed.items()}
    regions = [name for name in evidence_regions(program.configuration) if name not in owed]
    return {"bundle": written.bundle, "regions": regions, "owed": owed}
