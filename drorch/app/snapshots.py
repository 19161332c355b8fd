"""Use cases that look into snapshots."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from drorch.actions.choosing import choose, shown_in
from drorch.actions.places import address_of, bucket_of, repository_folder, restic_of
from drorch.app.program import Program
from drorch.core.document import rfc3339
from drorch.core.errors import DrorchError
from drorch.core.facts import Held
from drorch.core.model import Dataset, Region
from drorch.core.values import Value
from drorch.restic.process import Attempt
from drorch.restic.results import Entry
from drorch.storage.layout import Kind, listed, resolve_snapshot
from drorch.storage.probe import Depth, probe


def list_snapshots(
    program: Program, datasets: Sequence[Dataset], region: str | None = None
) -> list[dict[str, Value]]:
    """Every snapshot really there, by dataset, with the regions that hold it, newest first.

    A region that does not answer is told in `unreachable` of each of the dataset's rows.
    """
    # The parts are made once, before threads ask for them side by side.
    _ = program.tools, program.journal
    with ThreadPoolExecutor(4) as pool:
        lists = pool.map(lambda d: _of_dataset(program, d, region), datasets)
        return [row for rows in lists for row in rows]


def _of_dataset(program: Program, dataset: Dataset, region: str | None) -> list[dict[str, Value]]:
    names = [program.region(region).name] if region else list(dataset.regions)
    held: dict[str, list[str]] = {}
    dead: list[str] = []
    with ThreadPoolExecutor(len(names)) as pool:
        shown = pool.map(lambda name: _present_or_why(program, dataset, name), names)
    for name, there in zip(names, shown, strict=True):
        if isinstance(there, DrorchError):
            if region is not None:
                raise there
            dead.append(name)
            continue
        for snapshot in there:
            held.setdefault(snapshot, []).append(name)
    told = _told(program, dataset, held)
    holds = {k.fact.snapshot: k.fact for k in program.journal.facts(Held, dataset.name)}
    rows = [
        _row(dataset, snapshot, where, told.get(snapshot), dead) | _hold(holds.get(snapshot))
        for snapshot, where in held.items()
    ]
    return sorted(rows, key=lambda r: str(r["time"]), reverse=True)


def _present_or_why(program: Program, dataset: Dataset, region: str) -> list[str] | DrorchError:
    try:
        return _present(program, dataset, program.region(region))
    except DrorchError as error:
        return error


def _present(program: Program, dataset: Dataset, region: Region) -> list[str]:
    bucket = bucket_of(program.tools, region)
    probe(bucket, Depth.REACHABLE).raise_for_trouble()
    return [n.id for n in listed(bucket, repository_folder(dataset), Kind.SNAPSHOTS)]


def _told(
    program: Program, dataset: Dataset, held: dict[str, list[str]]
) -> dict[str, tuple[datetime, int | None, int | None]]:
    """Time, files and bytes of each: what the journal knows, and restic for the rest."""
    known = {
        c.snapshot: (c.snapshot_at, c.files, c.bytes)
        for c in reversed(program.journal.copies(dataset.name))
    }
    asked: set[str] = set()
    for snapshot, regions in held.items():
        if snapshot in known or regions[0] in asked:
            continue
        asked.add(regions[0])
        address = address_of(program.tools, dataset, program.region(regions[0]))
        for s in restic_of(program.tools).snapshots(address, locks=False):
            known.setdefault(s.id, (s.time, s.total_files, s.total_bytes))
    return known


def _row(
    dataset: Dataset,
    snapshot: str,
    regions: list[str],
    told: tuple[datetime, int | None, int | None] | None,
    dead: list[str],
) -> dict[str, Value]:
    at, files, size = told or (None, None, None)
    return {
        "dataset": dataset.name,
        "snapshot": snapshot,
        "time": rfc3339(at) if at else None,
        "files": files,
        "bytes": size,
        "regions": regions,
        "unreachable": dead,
    }


def _hold(held: Held | None) -> dict[str, Value]:
    return {"held": None if held is None or held.released else held.reason}


def contents(
    program: Program, dataset: Dataset, snapshot: str, region: str | None, path: str | None
) -> list[dict[str, Value]]:
    """What a snapshot holds, below `path` if one is given."""
    where, full = _place(program, dataset, snapshot, region)
    rows: list[dict[str, Value]] = []
    folders = (PurePosixPath(path),) if path else ()
    restic_of(program.tools).ls(
        address_of(program.tools, dataset, where),
        full,
        lambda entry: rows.append(_entry(entry)),
        folders=folders,
    )
    return rows


def find(
    program: Program, dataset: Dataset, pattern: str, region: str | None
) -> list[dict[str, Value]]:
    """Files of the newest snapshot whose name matches the pattern (`*.pdf`)."""
    where, full = _place(program, dataset, "latest", region)
    rows: list[dict[str, Value]] = []

    def keep(entry: Entry) -> None:
        if fnmatchcase(entry.path.name, pattern) or fnmatchcase(str(entry.path), pattern):
            rows.append({**_entry(entry), "snapshot": full})

    restic_of(program.tools).ls(address_of(program.tools, dataset, where), full, keep)
    return rows


def _entry(entry: Entry) -> dict[str, Value]:
    return {
        "path": str(entry.path),
        "kind": entry.kind,
        "bytes": entry.size,
        "modified": rfc3339(entry.mtime) if entry.mtime else None,
    }


def _place(
    program: Program, dataset: Dataset, snapshot: str, region: str | None
) -> tuple[Region, str]:
    where = _first_living(program, dataset, region)
    bucket = bucket_of(program.tools, where)
    if snapshot == "latest":
        there = shown_in(program.tools, dataset, where)
        return where, choose(program.tools, dataset, where, None, there, Attempt()).id
    return where, resolve_snapshot(bucket, repository_folder(dataset), snapshot)


def _first_living(program: Program, dataset: Dataset, region: str | None) -> Region:
    """The region named, or the first of the dataset's that answers."""
    names = [region] if region else list(dataset.regions)
    trouble: DrorchError | None = None
    for name in names:
        where = program.region(name)
        try:
            probe(bucket_of(program.tools, where), Depth.REACHABLE).raise_for_trouble()
        except DrorchError as error:
            trouble = trouble or error
        else:
            return where
    assert trouble is not None  # noqa: S101 - a dataset has at least its primary region
    raise trouble
