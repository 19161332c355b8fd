"""A journal of a million runs, made in minutes: what a daemon leaves that has backed ten thousand
datasets up every day for months.

One run of each kind is sealed by the journal's own code; the others are the same text with other
names, instants and snapshots, hashed and chained by the journal's own functions. What is kept beside
the events is written by its own statements. `journal verify` has nothing to say.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from drorch.core.alarms import RunEnded
from drorch.core.encoding import write_instant
from drorch.core.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    Owner,
    Recorded,
    RunFinished,
    RunStarted,
    SlotTaken,
    Stamped,
)
from drorch.core.facts import Known
from drorch.core.moment import Moment
from drorch.core.names import Mode, Outcome, Phase, RunKind, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.journal import noted, records, statements, stocks
from drorch.journal.chain import RUN_GENESIS, Entry, Mark, Row, hash_of, note, seal
from drorch.journal.connection import Connection
from drorch.journal.projection import fold, learn, opening
from drorch.journal.store import SqlJournal

#: How many snapshots of a dataset are kept; each backup lets the one before these go.
KEPT = 7

#: Runs in one transaction.
_BATCH = 5_000

_DAY = timedelta(days=1)
_OWNER = Owner("backup-1", 4711, 123_456, "boot", "drorch", "t0k3n")

# What stands for a dataset, a run, its snapshot and the one that goes in the text that is repeated.
_NAME, _RUN, _NEW, _OLD = "«dataset»", "«run»", "«new»", "«old»"
_DUE, _THEN = datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC)

# dataclasses.asdict would copy deeply, a million times.
_ENTRY = Entry.__slots__


@dataclass(frozen=True, slots=True)
class _Backup:
    """The so-and-so-manieth of a dataset."""

    name: str
    number: int
    due_at: datetime

    @property
    def run(self) -> str:
        return f"{self.due_at:%Y-%m-%dT%H-%M-%SZ}-{self.name}-{self.number:04x}"

    def snapshot(self, back: int = 0) -> str:
        """Its own, or that of so many backups before."""
        return hashlib.sha256(f"{self.name} {self.number - back}".encode()).hexdigest()

    def at(self, n: int) -> datetime:
        """When its event of that number came, from 0."""
        return self.due_at + timedelta(seconds=2 + n)


@dataclass
class _Rows:
    """What is to be written of some runs."""

    events: list[dict[str, Any]] = field(default_factory=list)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    slots: list[dict[str, Any]] = field(default_factory=list)
    points: list[dict[str, Any]] = field(default_factory=list)

    def write(self, connection: Connection) -> None:
        for statement, rows in (
            (statements.INSERT_EVENT, self.events),
            (statements.INSERT_ENTRY, self.ledger),
            (statements.INSERT_RUN, self.runs),
            (statements.INSERT_SLOT, self.slots),
            (statements.INSERT_POINT, self.points),
        ):
            connection.execute_each(statement, rows)


@dataclass
class History:
    """A backup of each dataset on each of so many `days`, with a snapshot in every region.

    `due` says when the first one of each was due; oldest first. `every` is the time between two.
    """

    folder: Path
    regions: Sequence[str]
    due: Mapping[str, datetime]
    days: int
    every: timedelta = _DAY
    _last: Entry | None = None

    def __post_init__(self) -> None:
        self._young, self._old = (self._pattern(gone=gone) for gone in (False, True))

    def write(self) -> None:
        """All of them, into the journal of the folder."""
        backups = self._backups()
        with closing(SqlJournal("sqlite:///var/drorch.db", folder=self.folder)) as journal:
            while some := list(islice(backups, _BATCH)):
                rows = _Rows()
                for backup in some:
                    self._put(rows, backup)
                with journal.writing(alone=True) as connection:
                    rows.write(connection)
            with journal.writing(alone=True) as connection:
                self._beside(connection)

    def _backups(self) -> Iterator[_Backup]:
        for day in range(self.days):
            for name, first in self.due.items():
                yield _Backup(name, day, first + day * self.every)

    def _put(self, rows: _Rows, backup: _Backup) -> None:
        run, prev = backup.run, RUN_GENESIS
        sealed: list[Row] = []
        texts = {
            _RUN: run,
            _NAME: backup.name,
            _NEW: backup.snapshot(),
            _OLD: backup.snapshot(KEPT),
            write_instant(_DUE): write_instant(backup.due_at),
            write_instant(_THEN): write_instant(backup.due_at - KEPT * self.every),
        }
        pattern, columns = self._young if backup.number < KEPT else self._old
        for n, row in enumerate(pattern):
            body = row.body
            for placeholder, text in texts.items():
                body = body.replace(placeholder, text)
            at = write_instant(backup.at(n))
            found = hash_of(run, row.seq, at, row.boot, row.ticks, row.kind, body, prev)
            sealed.append(Row(run, row.seq, at, row.boot, row.ticks, row.kind, body, prev, found))
            prev = found
        rows.events += [row.columns() for row in sealed]
        self._note(rows, sealed)
        own = {"run": run, "name": backup.name, "subject": f"dataset:{backup.name}", "head": prev}
        ended = {"started_at": sealed[0].at, "finished_at": sealed[-1].at}
        rows.runs.append({**columns, **own, **ended})
        rows.slots.append(_slot(backup))
        for region in self.regions:
            rows.points.append(_point(backup, region))

    def _note(self, rows: _Rows, sealed: Sequence[Row]) -> None:
        for mark, row in ((Mark.START, sealed[0]), (Mark.END, sealed[-1])):
            self._last = note(self._last, mark, row)
            rows.ledger.append({name: getattr(self._last, name) for name in _ENTRY})

    def _pattern(self, *, gone: bool) -> tuple[list[Row], dict[str, Any]]:
        """The events of a run, and its row, with placeholders."""
        rows: list[Row] = []
        stamped = []
        for n, event in enumerate(self._events(gone=gone)):
            stamped.append(Stamped(Moment(_DUE, "boot", 5.0 + n), event))
            rows.append(seal(_RUN, stamped[n], n + 1, rows[-1].hash if rows else RUN_GENESIS))
        standing = opening(_RUN, stamped[0], rows[0].hash)
        for row, one in zip(rows[1:], stamped[1:], strict=True):
            fold(standing, Recorded(_RUN, row.seq, one.at, one.event, row.hash))
        return rows, records.columns_of(standing)

    def _events(self, *, gone: bool) -> Iterator[Event]:
        step = PlannedStep("backup", Phase.STEPS, "backup", {"dataset": _NAME})
        plan = Plan(RunKind.BACKUP, _NAME, Mode.LIVE, f"dataset:{_NAME}", (step,))
        yield RunStarted(plan, _OWNER, "drorch", "schedule", due_at=_DUE)
        yield SlotTaken(f"backup:{_NAME}", _DUE, late=False, why="")
        yield AttemptStarted("backup", 1, {"dataset": _NAME})
        copies = [_held(_NAME, region, _NEW, _DUE) for region in self.regions]
        if gone:
            word = CopyFactKind.GONE
            copies += [CopyFact(word, _NAME, region, _OLD, _THEN) for region in self.regions]
        took, done = timedelta(seconds=1), {"snapshot": _NEW}
        yield AttemptFinished("backup", 1, Verdict.PASS, took, done, copies=tuple(copies))
        yield RunFinished(Outcome.PASSED, facts=(_ended(_NAME, _RUN),))

    def _beside(self, connection: Connection) -> None:
        """What is known once all of it has happened."""
        last = [
            _Backup(n, self.days - 1, at + (self.days - 1) * self.every)
            for n, at in self.due.items()
        ]
        copies = [
            learn(None, _held(b.name, region, b.snapshot(), b.due_at), b.at(3))
            for one in last
            for b in _kept(one, self.every)
            for region in self.regions
        ]
        records.replace_copies(connection, copies)
        stocks.replace_stocks(connection)
        noted.replace_facts(connection, [Known(_ended(b.name, b.run), b.at(4)) for b in last])
        jobs = [{"job": f"backup:{b.name}", "accounted_at": write_instant(b.due_at)} for b in last]
        connection.execute_each(statements.INSERT_JOB, jobs)


def _kept(last: _Backup, every: timedelta) -> Iterator[_Backup]:
    for back in range(min(KEPT, last.number + 1)):
        yield _Backup(last.name, last.number - back, last.due_at - back * every)


def _held(name: str, region: str, snapshot: str, at: datetime) -> CopyFact:
    return CopyFact(CopyFactKind.HELD, name, region, snapshot, at, 100, 1_000_000)


def _ended(name: str, run: str) -> RunEnded:
    return RunEnded(RunKind.BACKUP.value, name, run, good=True, outcome="passed")


def _point(backup: _Backup, region: str) -> dict[str, Any]:
    at, newest = write_instant(backup.at(3)), write_instant(backup.due_at)
    return {"dataset": backup.name, "region": region, "at": at, "newest_at": newest}


def _slot(backup: _Backup) -> dict[str, Any]:
    at = write_instant(backup.due_at)
    told = {"job": f"backup:{backup.name}", "first_at": at, "last_at": at, "count": 1}
    return {**told, "fate": "fired", "why": "", "run": backup.run}
