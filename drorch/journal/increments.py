"""What was recorded since, to be copied elsewhere; and a journal made again from such copies.

Events are everything: the ledger and all that is kept beside them follow from the events in the
order of their numbers. Only requests that nobody has taken yet are told besides.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from pathlib import Path

from drorch.core.codec import decode
from drorch.core.errors import JournalUntrusted
from drorch.core.events import RunStarted, Stamped
from drorch.core.plane import BEGINNING, Point
from drorch.journal import records, statements
from drorch.journal.chain import Row, opened
from drorch.journal.connection import Connection
from drorch.journal.failures import told
from drorch.journal.projection import Standing, opening
from drorch.journal.store import SqlJournal, project

#: An event's number, and the event.
Numbered = tuple[int, Row]

#: A request: of which run, its kind, its body.
Request = tuple[str, str, str]

#: How many events a journal takes in one transaction when it is made again.
_PAGE = 2000

#: So many missing numbers are asked for again, the newest: a transaction takes milliseconds, and a
#: number that one gave up is missing for good.
_MOST_LATE = 256


@dataclass(frozen=True, slots=True)
class Increment:
    """Events after `after` in the order of their numbers; `until` is where they end.

    `ledger` is the hash of the ledger's last entry if they are all there were, else empty. `late`
    are numbers up to `until` that no event has: a transaction may still bring them (PostgreSQL).
    """

    after: Point
    until: Point
    events: tuple[Numbered, ...]
    posted: tuple[Request, ...]
    ledger: str = ""
    late: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Copied:
    """A whole copy of a journal: where it ends, and the `late` numbers that it lacks up to there."""

    until: Point
    late: tuple[int, ...] = ()


def lineage(journal: SqlJournal) -> str:
    """Which history this is: the hash of the ledger's first entry; empty while nothing was run."""
    with journal.reading() as connection:
        found = list(connection.execute(statements.FIRST_ENTRY))
    return str(found[0][-1]) if found else ""


def last_number(journal: SqlJournal) -> int:
    """The number of the last event; 0 if there is none."""
    with journal.reading() as connection:
        return next((n or 0 for (n,) in connection.execute(statements.LAST_NUMBER)), 0)


def hash_at(journal: SqlJournal, n: int) -> str:
    """The hash of the event of that number; empty if there is none."""
    with journal.reading() as connection:
        found = list(connection.execute(statements.NUMBERED, {"n": n}))
    return str(found[0][-1]) if found else ""


def recorded_after(journal: SqlJournal, point: Point) -> datetime | None:
    """When the first event after a point was recorded; None if there is none."""
    with journal.reading() as connection:
        asked = {"after": point.n, "limit": 1}
        found = list(connection.execute(statements.NUMBERED_AFTER, asked))
    return decode(datetime, Row(*found[0][1:]).at) if found else None


def increment(journal: SqlJournal, after: Point, limit: int, late: Sequence[int] = ()) -> Increment:
    """Up to `limit` events after a point, and those of the `late` numbers that have come since."""
    with journal.reading(whole=True) as connection:
        found = list(
            connection.execute(statements.NUMBERED_AFTER, {"after": after.n, "limit": limit})
        )
        came = [r for n in late for r in connection.execute(statements.NUMBERED, {"n": n})]
        last = records.last_entry(connection)
        posted = [(r, k, b) for r, k, b in connection.execute(statements.POSTED)]
    events = tuple((row[0], Row(*row[1:])) for row in (*came, *found))
    until = Point(found[-1][0], found[-1][-1]) if found else after
    there = {row[0] for row in came}
    between = islice(_missing(after.n, [row[0] for row in found]), _MOST_LATE)
    open_ones = sorted((*(n for n in late if n not in there), *between))
    all_of_it = len(found) < limit and last is not None
    return Increment(
        after,
        until,
        events,
        tuple(posted),
        last.hash if all_of_it and last is not None else "",
        tuple(open_ones[-_MOST_LATE:]),
    )


def _missing(after: int, numbers: Sequence[int]) -> Iterator[int]:
    """The numbers that are missing between them, the newest first."""
    for low, high in reversed(list(pairwise((after, *numbers)))):
        yield from range(high - 1, low, -1)


def replay(journal: SqlJournal, events: Iterable[Numbered]) -> None:
    """Take events in as they were recorded, with all that follows from them; those that are there
    already are passed over.

    Raises JournalUntrusted where one is no event, or does not follow.
    """
    page: list[Numbered] = []
    for one in events:
        page.append(one)
        if len(page) >= _PAGE:
            _take(journal, page)
            page = []
    if page:
        _take(journal, page)


def leave_requests(journal: SqlJournal, posted: Iterable[Request]) -> None:
    """Make these all the requests that wait; those for runs that are not there are left out."""
    with journal.writing(alone=True) as connection:
        for run, _, _ in list(connection.execute(statements.POSTED)):
            records.clear_requests(connection, run)
        for run, kind, body in posted:
            if records.has_row(connection, run):
                records.post(connection, run, kind, body)


def ledger_head(journal: SqlJournal) -> str:
    """The hash of the ledger's last entry; empty if there is none."""
    with journal.reading() as connection:
        last = records.last_entry(connection)
    return last.hash if last is not None else ""


def copy_into(journal: SqlJournal, file: Path) -> Copied:
    """A whole copy of the journal as a SQLite file that is not there yet, while others write; where
    it ends, and what it lacks.

    SQLite's own online backup; of another database a SQLite state is made from its events. Raises
    JournalUntrusted where either cannot be.
    """
    with told(str(file), sqlite3.Error):
        return _copied(journal, file)


def _copied(journal: SqlJournal, file: Path) -> Copied:
    late: tuple[int, ...] = ()
    if journal.file is None:
        with SqlJournal(f"sqlite:///{file}") as copy:
            after = BEGINNING
            # What comes late meanwhile comes along: a run's later events need it.
            while (found := increment(journal, after, _PAGE, late)).events:
                replay(copy, found.events)
                after, late = found.until, found.late
            leave_requests(copy, found.posted)
    else:
        with closing(sqlite3.connect(journal.file)) as source, closing(sqlite3.connect(file)) as to:
            # At once: in steps it begins anew with each commit of anybody's, and readers hold nobody up.
            source.backup(to)
    with SqlJournal(f"sqlite:///{file}", create=False) as copy:
        last = last_number(copy)
        until = Point(last, hash_at(copy, last))
    with closing(sqlite3.connect(file)) as to:  # one file, which can be read wherever it lies
        to.execute("PRAGMA journal_mode = DELETE")
    return Copied(until, late)


def _take(journal: SqlJournal, page: Sequence[Numbered]) -> None:
    standings: dict[str, Standing] = {}
    with journal.writing("recovered", alone=True) as connection:
        for n, row in page:
            if not list(connection.execute(statements.NUMBERED, {"n": n})):
                _take_one(connection, standings, n, row)
        for standing in standings.values():
            records.update_standing(connection, standing)


def _take_one(connection: Connection, standings: dict[str, Standing], n: int, row: Row) -> None:
    recorded = opened(row)
    stamped = Stamped(recorded.at, recorded.event)
    connection.execute(statements.INSERT_NUMBERED, {"n": n, **row.columns()})
    standing = standings.get(row.run) or records.standing_of(connection, row.run)
    if isinstance(recorded.event, RunStarted) and row.seq == 1:
        standing = opening(row.run, stamped, row.hash)
        records.insert_standing(connection, standing)
    if standing is None:
        raise JournalUntrusted(
            f"event {row.seq} of run {row.run} came without the events before it",
            "recover an earlier state: drorch recover --at TIME",
        )
    standings[row.run] = standing
    project(connection, standing, [row], [stamped])
