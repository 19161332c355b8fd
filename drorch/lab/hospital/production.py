"""The hospital at work: made from a seed, changed as by a working day, and what it then knows.

The folder holds `documents/`, `database/`, `bin/` (its tooling) and, outside of every backup,
`facts.json`: what a restored copy must hold to be the newest one.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from drorch.lab.hospital import documents as papers
from drorch.lab.hospital.chance import chance
from drorch.lab.hospital.cluster import (
    find_postgresql,
    make_cluster,
    remove_cluster,
    start_cluster,
    stop_cluster,
)
from drorch.lab.hospital.database import Counts, PostgresqlRecords, Records, SqliteRecords
from drorch.lab.hospital.records import (
    CANARY,
    OPENED,
    PATIENTS,
    RESULTS,
    VISITS,
    Row,
    Table,
    canary_value,
    patients,
    results,
    visits,
)
from drorch.lab.hospital.tools import write_tools
from drorch.lab.regions import LabError
from drorch.ports import Commands, Progress

#: The day on which the generated records end. Fixed: the same seed gives the same hospital.
TODAY: Final = date(2026, 11, 20)


class Database(StrEnum):
    """What the records are kept in."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the hospital is; `bytes` is what its documents make together, roughly."""

    patients: int = 5_000
    visits: int = 40_000
    results: int = 100_000
    documents: int = 3_000
    bytes: int = 210_000_000

    def part(self, share: float) -> "Scale":
        """A share of it in every respect, at least one of each."""
        return Scale(*(max(1, round(value * share)) for value in asdict(self).values()))


@dataclass(frozen=True, slots=True)
class Facts:
    """What production knows of itself: a copy with anything else is older, or not whole.

    `bytes` are those of the documents; `manifest_sha256` is the SHA-256 (hex) of SHA256SUMS.
    """

    database: Database
    patients: int
    visits: int
    results: int
    canary: str
    documents: int
    bytes: int
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class _Settings:
    """hospital.json: what the tooling and the next change need. `address` is a path below the
    folder, or an URL; `postgresql` the folder of its programs, or empty.
    """

    database: Database
    address: str
    postgresql: str
    seed: int
    day: str
    scale: Scale
    next_document: int


ProgressSink = Callable[[Progress], None]


def database_here() -> Database:
    """What suits this machine: PostgreSQL where it is installed, else SQLite."""
    return Database.SQLITE if find_postgresql() is None else Database.POSTGRESQL


def generate(
    folder: Path,
    *,
    seed: int,
    database: Database,
    commands: Commands,
    scale: Scale = Scale(),
    progress: ProgressSink = lambda _: None,
) -> Facts:
    """Make the hospital in `folder`, in place of one made there before; returns what it knows.

    The same seed and scale give the same rows and files. A PostgreSQL server is left running:
    end it with `stop`. Raises LabError if the folder holds something else, or for the database.
    """
    folder = folder.absolute()
    clear(folder, commands)
    settings = _found(folder, seed, database, scale)
    if database is Database.POSTGRESQL:
        settings = replace(settings, address=make_cluster(folder, commands))
    _save(folder, settings)
    start(folder, commands)
    records = _records(folder, settings, commands)
    records.create()
    records.insert(_first_rows(seed, scale))
    planned = papers.plan(chance(seed, "documents"), 1, scale.documents, OPENED, TODAY)
    planned = papers.stretch(planned, scale.bytes)
    digests = papers.write(_papers(folder), planned, seed, _counted(progress, scale.documents))
    return _facts(folder, settings, records, digests)


def change(folder: Path, *, commands: Commands, progress: ProgressSink = lambda _: None) -> Facts:
    """A working day passes: people come, files are added, changed and removed, a new canary.

    Which changes depends on the seed and the day alone. Raises LabError where there is no
    hospital; its database must be up.
    """
    folder = folder.absolute()
    settings = _settings(folder)
    day = date.fromisoformat(settings.day) + timedelta(days=1)
    records = _records(folder, settings, commands)
    records.insert(_rows_of_a_day(settings, day, records.counts(), records.health_numbers()))
    digests, last = _papers_of_a_day(folder, settings, day, progress)
    settings = replace(settings, day=day.isoformat(), next_document=last)
    _save(folder, settings)
    return _facts(folder, settings, records, digests)


def start(folder: Path, commands: Commands) -> None:
    """See that the hospital's database server runs, if it has one. Raises LabError."""
    settings = _settings(folder.absolute())
    if settings.database is Database.POSTGRESQL:
        programs = Path(settings.postgresql)
        start_cluster(folder.absolute(), settings.address, programs, commands)


def stop(folder: Path, commands: Commands) -> None:
    """See that no process of the hospital runs. Harmless again. Raises LabError."""
    stop_cluster(folder.absolute(), commands)


def clear(folder: Path, commands: Commands) -> None:
    """Take away the hospital in `folder`, its processes first.

    Raises LabError if the folder holds something that is no hospital of ours.
    """
    if not folder.exists():
        return
    if any(folder.iterdir()) and not (folder / "hospital.json").is_file():
        raise LabError(
            f"{folder} holds something that is not an invented hospital",
            "name another folder, or empty this one",
        )
    remove_cluster(folder, commands)
    # The marker goes last: interrupted here, the rest is still known as ours.
    for entry in sorted(folder.iterdir(), key=lambda e: e.name == "hospital.json"):
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def load_facts(folder: Path) -> Facts:
    """What production wrote down last. Raises LabError if there is nothing to read."""
    with suppress(FileNotFoundError):
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        return Facts(**{**facts, "database": Database(facts["database"])})
    raise LabError(f"there is no hospital in {folder}", "make one first: drorch demo does")


def _found(folder: Path, seed: int, database: Database, scale: Scale) -> _Settings:
    """An empty hospital with its tooling."""
    programs = find_postgresql()
    if database is Database.POSTGRESQL and programs is None:
        raise LabError(
            "PostgreSQL is not installed on this machine",
            "apt-get install postgresql, or choose a SQLite database",
        )
    settings = _Settings(
        database=database,
        address="database/ehr.db",
        postgresql=str(programs or ""),
        seed=seed,
        day=TODAY.isoformat(),
        scale=scale,
        next_document=scale.documents + 1,
    )
    # The marker comes first: whatever interrupts us, the folder is known as ours.
    folder.mkdir(parents=True, exist_ok=True)
    _save(folder, settings)
    for name in ("documents", "database"):
        (folder / name).mkdir()
    write_tools(folder / "bin")
    return settings


def _first_rows(seed: int, scale: Scale) -> Iterator[tuple[Table, Iterator[Row]]]:
    yield PATIENTS, patients(chance(seed, "patients"), 1, scale.patients, set())
    draws = chance(seed, "visits")
    came = visits(draws, 1, scale.visits, scale.patients, OPENED, TODAY)
    yield VISITS, iter(came)
    yield RESULTS, results(chance(seed, "results"), 1, scale.results, came)
    yield CANARY, iter([(1, canary_value(chance(seed, "canary")), f"{TODAY} 07:00:00")])


def _rows_of_a_day(
    settings: _Settings, day: date, before: Counts, taken: set[str]
) -> Iterator[tuple[Table, Iterator[Row]]]:
    draws = chance(settings.seed, "day", day)
    part = settings.scale.part(0.01)
    yield PATIENTS, patients(draws, before.patients + 1, part.patients, taken)
    known = before.patients + part.patients
    came = visits(draws, before.visits + 1, part.visits, known, day, day)
    yield VISITS, iter(came)
    yield RESULTS, results(draws, before.results + 1, part.results, came)
    number = 1 + (day - TODAY).days
    yield CANARY, iter([(number, canary_value(draws), f"{day} 07:00:00")])


def _papers_of_a_day(
    folder: Path, settings: _Settings, day: date, progress: ProgressSink
) -> tuple[dict[str, str], int]:
    """Documents added, changed and removed; the new digests, and the next document's number."""
    draws = chance(settings.seed, "papers", day)
    digests = papers.read_manifest(_papers(folder))
    fresh, touched, gone = (max(1, round(settings.scale.documents * s)) for s in _DAILY_SHARES)
    chosen = draws.sample(sorted(digests), touched + gone)
    average = papers.total_bytes(_papers(folder), digests) // len(digests)
    added = papers.plan(draws, settings.next_document, fresh, day, day)
    added = papers.stretch(added, average * fresh)
    changed = tuple(papers.rewritten(draws, path, day) for path in chosen[:touched])
    documents = (*added, *changed)
    told = _counted(progress, len(documents))
    digests.update(papers.write(_papers(folder), documents, settings.seed, told))
    for path in chosen[touched:]:
        (_papers(folder) / path).unlink()
        del digests[path]
    return digests, settings.next_document + fresh


#: Of all documents, what a working day adds, changes and removes.
_DAILY_SHARES: Final = (0.03, 0.01, 0.005)


def _facts(folder: Path, settings: _Settings, records: Records, digests: dict[str, str]) -> Facts:
    """Write the manifest, look at what is there now, and write it down."""
    manifest = papers.write_manifest(_papers(folder), digests)
    counts = records.counts()
    facts = Facts(
        database=settings.database,
        patients=counts.patients,
        visits=counts.visits,
        results=counts.results,
        canary=counts.canary,
        documents=len(digests),
        bytes=papers.total_bytes(_papers(folder), digests),
        manifest_sha256=manifest,
    )
    _write_json(folder / "facts.json", asdict(facts))
    return facts


def _counted(progress: ProgressSink, files: int) -> papers.Written:
    done = Progress(bytes_done=0, files_done=0, files_total=files)

    def written(size: int) -> None:
        nonlocal done
        done = replace(
            done,
            bytes_done=(done.bytes_done or 0) + size,
            files_done=(done.files_done or 0) + 1,
        )
        progress(done)

    return written


def _records(folder: Path, settings: _Settings, commands: Commands) -> Records:
    if settings.database is Database.SQLITE:
        return SqliteRecords(folder / settings.address)
    return PostgresqlRecords(settings.address, Path(settings.postgresql), commands)


def _papers(folder: Path) -> Path:
    return folder / "documents"


def _settings(folder: Path) -> _Settings:
    with suppress(FileNotFoundError):
        read = json.loads((folder / "hospital.json").read_text(encoding="utf-8"))
        database, scale = Database(read["database"]), Scale(**read["scale"])
        return _Settings(**{**read, "database": database, "scale": scale})
    raise LabError(f"there is no hospital in {folder}", "make one first: drorch demo does")


def _save(folder: Path, settings: _Settings) -> None:
    _write_json(folder / "hospital.json", asdict(settings))


def _write_json(file: Path, content: dict[str, object]) -> None:
    fresh = file.with_suffix(".new")
    text = json.dumps(content, indent=2, ensure_ascii=False)
    fresh.write_text(text + "\n", encoding="utf-8")
    fresh.replace(file)
