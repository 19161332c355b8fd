"""Where the hospital's rows are kept: SQLite here, PostgreSQL through its own client program.

Both take the same rows. Nothing else in the lab speaks SQL.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from drorch.lab.hospital.records import CANARY, PATIENTS, RESULTS, TABLES, VISITS, Row, Table
from drorch.lab.regions import LabError
from drorch.ports import Command, Commands

_COUNTS: Final = tuple(f"SELECT count(*) FROM {t.name}" for t in (PATIENTS, VISITS, RESULTS))  # noqa: S608 - names of our own
_CANARY: Final = f"SELECT value FROM {CANARY.name} ORDER BY id DESC LIMIT 1"  # noqa: S608
_NUMBERS: Final = f"SELECT nam FROM {PATIENTS.name}"  # noqa: S608
_INDEXES: Final = (
    "CREATE INDEX visits_by_patient ON visits (patient_id)",
    "CREATE INDEX lab_results_by_visit ON lab_results (visit_id)",
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the database holds: numbers of rows, and the newest canary (empty if there is none)."""

    patients: int
    visits: int
    results: int
    canary: str


class Records(Protocol):
    """The hospital's database."""

    def create(self) -> None:
        """Make the empty tables."""
        ...

    def insert(self, batches: Iterable[tuple[Table, Iterable[Row]]]) -> None:
        """Add rows to tables, all in one transaction."""
        ...

    def counts(self) -> Counts:
        """What it holds now."""
        ...

    def health_numbers(self) -> set[str]:
        """Those in use."""
        ...


class SqliteRecords:
    """The database as one file, in WAL mode as a busy service has it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def create(self) -> None:
        """See Records.create."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as connection, connection:
            connection.execute("PRAGMA journal_mode = WAL")
            for statement in _schema():
                connection.execute(statement)

    def insert(self, batches: Iterable[tuple[Table, Iterable[Row]]]) -> None:
        """See Records.insert."""
        with closing(self._open()) as connection, connection:
            for table, rows in batches:
                marks = ", ".join("?" for _ in table.columns)
                connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)  # noqa: S608

    def counts(self) -> Counts:
        """See Records.counts."""
        with closing(self._open()) as connection:
            patients, visits, results = (connection.execute(q).fetchone()[0] for q in _COUNTS)
            canary = connection.execute(_CANARY).fetchone()
        return Counts(patients, visits, results, canary[0] if canary else "")

    def health_numbers(self) -> set[str]:
        """See Records.health_numbers."""
        with closing(self._open()) as connection:
            return {row[0] for row in connection.execute(_NUMBERS)}

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=30)


class PostgresqlRecords:
    """The database behind an address, reached by psql in `programs`."""

    def __init__(self, url: str, programs: Path, commands: Commands) -> None:
        self._url = url
        self._psql = programs / "psql"
        self._commands = commands

    def create(self) -> None:
        """See Records.create."""
        self._run(";\n".join((*_schema(), "")))

    def insert(self, batches: Iterable[tuple[Table, Iterable[Row]]]) -> None:
        """See Records.insert."""
        self._run("\n".join(_copy_script(batches)))

    def counts(self) -> Counts:
        """See Records.counts."""
        answers = self._run(";\n".join((*_COUNTS, _CANARY, ""))).split("\n")
        patients, visits, results, canary = (*answers, "", "")[:4]
        return Counts(int(patients), int(visits), int(results), canary)

    def health_numbers(self) -> set[str]:
        """See Records.health_numbers."""
        return set(self._run(f"{_NUMBERS};\n").split("\n")) - {""}

    def answers(self) -> bool:
        """Whether the server takes questions yet."""
        command = Command((*self._argv(), "--command=SELECT 1"), env=_ENVIRONMENT)
        return self._commands.run(command).exit_code == 0

    def _argv(self) -> tuple[str, ...]:
        quiet = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align")
        return (str(self._psql), *quiet, "--set=ON_ERROR_STOP=1", f"--dbname={self._url}")

    def _run(self, script: str) -> str:
        done = self._commands.run(
            Command(
                (*self._argv(), "--file=-"),
                env=_ENVIRONMENT,
                stdin=script.encode(),
                timeout=timedelta(minutes=2),
                keep_output=64 << 20,
            )
        )
        if done.exit_code != 0:
            told = done.message or done.stderr.strip().splitlines()[-1:] or done.ended
            raise LabError(
                f"the hospital's database did not take what it was given: {told}",
                f"see whether the server answers: psql '{self._url}'",
            )
        return done.stdout


_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def _schema() -> Iterator[str]:
    for table in TABLES:
        columns = ", ".join(f"{name} {kind}" for name, kind in table.columns)
        yield f"CREATE TABLE {table.name} ({columns})"
    yield from _INDEXES


def _copy_script(batches: Iterable[tuple[Table, Iterable[Row]]]) -> Iterator[str]:
    yield "BEGIN;"
    for table, rows in batches:
        yield f"COPY {table.name} ({', '.join(table.names)}) FROM STDIN;"
        yield from (_copy_line(row) for row in rows)
        yield "\\."
    yield "COMMIT;\n"


def _copy_line(row: Sequence[int | float | str]) -> str:
    """A row in COPY's text form; no value of ours holds a tab, a line end or a backslash."""
    return "\t".join(map(str, row))
