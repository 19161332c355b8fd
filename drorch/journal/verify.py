"""Is the journal still what was recorded: every chain, the ledger, and the projections.

What it cannot see: a state file put back as a whole to an earlier honest one. For that the
ledger's head, kept in every region, is compared with the one reported here.
"""

from collections.abc import Iterator

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


def verify_journal(journal: SqlJournal) -> VerifyReport:
    """Look at everything; raises JournalUntrusted only when the database cannot be read at all."""
    with journal.reading(whole=True) as connection:
        head, flaws = _ledger(connection)
        events = 0
        runs = records.runs_with_events(connection)
        for run in runs:
            rows = list(records.all_rows(connection, run))
            events += len(rows)
            flaws += [Flaw(run, message) for message in _run(connection, run, rows)]
        flaws += _lost_runs(connection)
        if not flaws:
            flaws += _kept(connection)
    return VerifyReport(len(runs), events, head, tuple(flaws))


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


def _run(connection: Connection, run: str, rows: list[Row]) -> Iterator[str]:
    broken = flaw_of_chain(rows)
    if broken:
        yield broken
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
    if not broken:
        yield from _standing(connection, run, rows)


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
    told = Told.by(connection)
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
