"""Sealed records on their way to the regions: kept here until every region that is to have one does.

    sealed/FOLDER/NAME              the record
    sealed/owed/REGION/FOLDER/NAME  an empty file for each region that has not got it yet

In a region it lies under `evidence/FOLDER/NAME`. A name holds the first digits of the SHA-256 of what
it names, so nothing is ever written over anything else, and bringing a record twice is harmless.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from drorch.adapters.evidence import make_private, write_durably
from drorch.adapters.exclusive import exclusive
from drorch.app.program import Program
from drorch.core.errors import DrorchError, StorageError
from drorch.core.model import Region, evidence_regions

#: Where sealed records lie in a region, below its prefix.
EVIDENCE = "evidence"

_OWED = "owed"
_LOCK = "lock"
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Owed:
    """A record that a region has not got: its name below `evidence/`, and since when."""

    region: str
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of bringing records: how many each region took, and why some did not."""

    kept: Mapping[str, int]
    failed: Mapping[str, DrorchError]


def sealed_folder(program: Program) -> Path:
    """Where sealed records wait; beside the state."""
    return program.configuration.work / "sealed"


@contextmanager
def putting_down(program: Program, *, wait: bool = True) -> Iterator[None]:
    """One at a time, in all processes on this state; without `wait` BlockingIOError if one is at it."""
    folder = sealed_folder(program)
    try:
        make_private(folder)
        with exclusive(folder / _LOCK, wait=wait):
            yield
    except BlockingIOError:
        raise
    except OSError as error:
        raise _unwritable(folder, error) from error


def put_down(program: Program, folder: str, name: str, content: bytes) -> str:
    """Keep a record, durably, until every region has it; returns its name below `evidence/`.

    `name` ends in a suffix: the digits are put before it. The caller holds `putting_down`.
    """
    digits = hashlib.sha256(content).hexdigest()[:_DIGITS]
    stem, dot, suffix = name.rpartition(".")
    full = f"{folder}/{stem}.{digits}{dot}{suffix}"
    regions = evidence_regions(program.configuration)
    if regions:
        _write(sealed_folder(program) / full, content)
    for region in regions:
        _write(sealed_folder(program) / _OWED / region / full, b"")
    return full


def _write(path: Path, content: bytes) -> None:
    try:
        make_private(path.parent)
        write_durably(path, content)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> DrorchError:
    hint = f"see that {path} can be written and its disk has room"
    return DrorchError(f"{path} cannot be written: {error.strerror}", hint)


def owed(program: Program) -> Sequence[Owed]:
    """What regions have not got yet, by region, the longest owed first."""
    top = sealed_folder(program) / _OWED
    wanted = frozenset(evidence_regions(program.configuration))
    found = (
        _owed(top, marker)
        for marker in top.glob("*/*/*")
        if marker.relative_to(top).parts[0] in wanted and not marker.name.startswith(".")
    )
    return sorted((one for one in found if one), key=lambda one: (one.region, one.since, one.name))


def _owed(top: Path, marker: Path) -> Owed | None:
    region, *name = marker.relative_to(top).parts
    with suppress(FileNotFoundError):  # somebody has just brought it
        since = datetime.fromtimestamp(marker.stat().st_mtime, UTC)
        return Owed(region, PurePosixPath(*name).as_posix(), since)
    return None


def bring(program: Program, *, regions: Collection[str] | None = None, most: int = 1000) -> Brought:
    """Bring the regions (these, or all) what they are owed, to each at most so many, side by side.

    A region that does not answer costs seconds. Never raises for what a region does.
    """
    from concurrent.futures import ThreadPoolExecutor

    wanted: dict[str, list[Owed]] = {}
    for one in owed(program):
        if regions is not None and one.region not in regions:
            continue
        wanted.setdefault(one.region, []).append(one)
    if not wanted:
        return Brought({}, {})
    with ThreadPoolExecutor(len(wanted)) as pool:
        results = list(pool.map(lambda r: _bring(program, r, wanted[r][:most]), wanted))
    kept = {name: count for name, (count, _) in zip(wanted, results, strict=True)}
    failed = {name: e for name, (_, e) in zip(wanted, results, strict=True) if e is not None}
    _forget(sealed_folder(program))
    return Brought(kept, failed)


def _bring(program: Program, name: str, wanted: Sequence[Owed]) -> tuple[int, DrorchError | None]:
    from drorch.actions.places import bucket_of
    from drorch.storage.faults import Cause
    from drorch.storage.probe import probe

    kept, damaged = 0, None
    try:
        region = program.region(name)
        bucket = bucket_of(program.tools, region)
        probe(bucket).raise_for_trouble()
        until = program.configuration.evidence.until(program.clock.now().at)
        for one in wanted:
            try:
                _bring_one(program, region, one, until)
                kept += 1
            except StorageError as error:
                if error.cause != Cause.DAMAGED:
                    raise
                damaged = damaged or error  # others are not held up by what lies under one name
    except DrorchError as error:
        return kept, error
    return kept, damaged


def _bring_one(program: Program, region: Region, one: Owed, until: datetime) -> None:
    from drorch.actions.places import bucket_of
    from drorch.storage.records import keep

    folder = sealed_folder(program)
    content = _sealed(folder / one.name, region.name)
    if content is not None:
        keep(bucket_of(program.tools, region), f"{EVIDENCE}/{one.name}", content, until)
    marker = folder / _OWED / region.name / one.name
    try:
        marker.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(marker, error) from error


def _sealed(record: Path, region: str) -> bytes | None:
    """A record as it was sealed; None if somebody else has brought it meanwhile, and to all.

    Raises StorageError, `damaged`, for one that is not what its name says any more.
    """
    from drorch.storage.faults import Cause

    hint = f"if it is a run's, remove it and make it again: drorch journal export RUN --output {record}"
    try:
        content = record.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"{record} cannot be read: {error.strerror}"
        raise StorageError(message, hint, Cause.DAMAGED, region) from error
    if hashlib.sha256(content).hexdigest()[:_DIGITS] not in record.name.split("."):
        message = f"{record} is not what was sealed: it was changed or cut short"
        raise StorageError(message, hint, Cause.DAMAGED, region)
    return content


def _forget(folder: Path) -> None:
    """Records that every region has. Where somebody else is at it, or nothing can be removed, the next
    time will do: they are in nobody's way.
    """
    with suppress(OSError), exclusive(folder / _LOCK, wait=False):  # none is just being put down
        owing = folder / _OWED
        left = set()
        for marker in owing.glob("*/*/*"):
            if marker.name.startswith("."):
                marker.unlink(missing_ok=True)  # of a process that died while it put one down
            else:
                left.add(marker.relative_to(owing).as_posix())
        needed = {name.partition("/")[2] for name in left}
        for record in folder.glob("*/*"):
            name = record.relative_to(folder).as_posix()
            if record.is_file() and name not in needed:
                record.unlink(missing_ok=True)
