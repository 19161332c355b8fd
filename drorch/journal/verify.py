"""Is the journal still what was recorded: every chain, the ledger, and the projections.

What it cannot see: a state file put back as a whole to an earlier honest one. For that the
ledger's head, kept in every region, is compared with the one reported here.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from enum import Flag, auto
from pathlib import Path
from typing import TypeAlias

from drorch.core.errors import JournalUntrusted
from drorch.journal import records, scheduled
from drorch.journal.chain import LEDGER_GENESIS, RUN_GENESIS, Entry, Mark, Row, flaw_of
from drorch.journal.connection import Connection
from drorch.journal.points import differences_of_points
from drorch.journal.rebuild import (
    Story,
    Told,
    difference_of,
    differences_of_copies,
    differences_of_facts,
    differences_of_jobs,
)
from drorch.journal.report import Flaw, VerifyReport
from drorch.journal.stocks import differences_of_stocks
from drorch.journal.store import SqlJournal

LEDGER = "ledger"
_CHANGED_ROW = "what is kept beside the events is not what they tell (`drorch journal rebuild`)"


#: How many runs one process looks at, until it is given more.
_SHARE = 2_000

#: How many events there are, and what is wrong.
_Looked: TypeAlias = tuple[int, list[Flaw]]


class Looking(Flag):
    """What is looked at."""

    #: That no event was changed, added or left out since it was recorded.
    CHAINS = auto()
    #: That what is kept beside the events is what they tell.
    KEPT = auto()
    ALL = CHAINS | KEPT


def verify_journal(
    journal: SqlJournal, crew: Executor | None = None, what: Looking = Looking.ALL
) -> VerifyReport:
    """Look at everything, or at a part; raises JournalUntrusted only when the database cannot be read
    at all. Of chains that were not looked at `head` is empty.

    Where there are many runs a `crew` of processes looks at them, each at the journal as it is then:
    what is recorded meanwhile may be looked at, too.
    """
    with journal.reading(whole=True) as connection:
        runs = records.runs_with_events(connection)
        shares = [runs[n : n + _SHARE] for n in range(0, len(runs), _SHARE)]
        apart = _begun(journal, shares, what, crew)
        head, flaws = _ledger(connection) if Looking.CHAINS in what else ("", [])
        kept = list(_kept(connection)) if apart and Looking.KEPT in what else None
        events, found = 0, list[Flaw]()
        for share in shares:
            more, wrong = _found(connection, share, what, apart)
            events += more
            found += wrong
        flaws += found
        if Looking.CHAINS in what:
            flaws += _lost_runs(connection)
        if Looking.KEPT in what and not flaws:
            flaws += _kept(connection) if kept is None else kept
    return VerifyReport(len(runs), events, head, tuple(flaws))


def _begun(
    journal: SqlJournal, shares: Sequence[Sequence[str]], what: Looking, crew: Executor | None
) -> deque["Future[_Looked]"]:
    """What others look at; nothing, where it is too little for that."""
    if crew is None or len(shares) < 2:
        return deque()
    try:
        return deque(crew.submit(_look, journal.address, share, what) for share in shares)
    except BrokenExecutor:
        return deque()


def _found(
    connection: Connection, share: Sequence[str], what: Looking, apart: deque["Future[_Looked]"]
) -> _Looked:
    """By others, whose shares come in this order; by ourselves what they have not begun, also because
    there are none, or none any more.
    """
    if apart and not (one := apart.popleft()).cancel():
        with suppress(BrokenExecutor):
            return one.result()
    return _looked_at(connection, share, what)


def _look(where: tuple[str, Path], runs: Sequence[str], what: Looking) -> _Looked:
    """In a process of its own."""
    url, folder = where
    with (
        SqlJournal(url, folder=folder, create=False) as journal,
        journal.reading(whole=True) as connection,
    ):
        return _looked_at(connection, runs, what)


def _looked_at(connection: Connection, runs: Sequence[str], what: Looking) -> _Looked:
    events, flaws = 0, list[Flaw]()
    for run in runs:
        rows = list(records.all_rows(connection, run))
        events += len(rows)
        flaws += [Flaw(run, message) for message in _run(connection, run, rows, what)]
    return events, flaws


def _ledger(connection: Connection) -> tuple[str, list[Flaw]]:
    prev, flaws = LEDGER_GENESIS, []
    for n, entry in enumerate(records.entries(connection), 1):
        if flaw := _flaw_of_entry(entry, n, prev):
            flaws.append(Flaw(LEDGER, flaw))
            break
        prev = entry.hash
    return prev, flaws


def _flaw_of_entry(entry: Entry, n: int, prev: str) -> str:
    if entry.n != n:
        return f"entry {n} is missing"
    if entry.prev != prev:
        return f"entry {n} does not follow the one before it"
    if not entry.intact:
        return f"entry {n} was changed"
    return ""


def _run(connection: Connection, run: str, rows: list[Row], what: Looking) -> Iterator[str]:
    broken = ""
    if Looking.CHAINS in what:
        broken = flaw_of_chain(rows)
        if broken:
            yield broken
        yield from _noted(connection, run, rows)
    if Looking.KEPT in what and not broken:
        yield from _standing(connection, run, rows)


def _noted(connection: Connection, run: str, rows: list[Row]) -> Iterator[str]:
    noted = {entry.what: entry for entry in records.entries_of(connection, run)}
    if Mark.START not in noted:
        yield "the ledger does not know that it started"
    elif noted[Mark.START].head != rows[0].hash:
        yield "its first event is not the one the ledger noted"
    finished = rows[-1].kind == "run.finished"
    if finished and Mark.END not in noted:
        yield "the ledger does not know that it ended"
    if Mark.END in noted and noted[Mark.END].head != rows[-1].hash:
        yield "its last event is not the one the ledger noted: its tail was cut or changed"


def flaw_of_chain(rows: list[Row]) -> str:
    """What is wrong with a whole run's rows as a chain; empty if nothing is."""
    prev = RUN_GENESIS
    for seq, row in enumerate(rows, 1):
        if flaw := flaw_of(row, seq, prev):
            return flaw
        prev = row.hash
    return ""


def _standing(connection: Connection, run: str, rows: list[Row]) -> Iterator[str]:
    recorded = records.last_seq(connection, run)
    if recorded > rows[-1].seq:
        yield f"its events end at {rows[-1].seq}, but {recorded} were recorded"
        return
    try:
        difference = difference_of(connection, Story.by(rows, checked=True))
    except JournalUntrusted as error:
        yield error.message
        return
    if difference:
        yield f"{_CHANGED_ROW}: {difference}"


def _lost_runs(connection: Connection) -> Iterator[Flaw]:
    lost = records.noted_without_events(connection)
    for run in lost:
        yield Flaw(run, "the ledger noted this run, but its events are gone")
    for run in records.rows_without_events(connection):
        if run not in lost:
            yield Flaw(run, "there is a row of this run, but no event and no entry in the ledger")
    for run in scheduled.slots_without_events(connection):
        yield Flaw(run, "there are slots that this run is to have recorded, but no event of it")


def _kept(connection: Connection) -> Iterator[Flaw]:
    try:
        told = Told.by(connection)
    except JournalUntrusted as error:  # a run has the same flaw, and says of which it is
        yield Flaw("copies", error.message)
        return
    # What regions hold in short is held against the copies, so these come first.
    copies = differences_of_copies(connection, told.copies)
    for difference in copies or differences_of_stocks(connection):
        yield Flaw("copies", f"{_CHANGED_ROW}: {difference}")
    for difference in differences_of_facts(connection, told.facts):
        yield Flaw("facts", f"{_CHANGED_ROW}: {difference}")
    for difference in differences_of_points(connection, told.points):
        yield Flaw("ages", f"{_CHANGED_ROW}: {difference}")
    for difference in differences_of_jobs(connection, told.accounted):
        yield Flaw("jobs", f"{_CHANGED_ROW}: {difference}")
