"""What the ledger says of where it ends, and of runs that ended since an entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from drorch.core.encoding import write_instant
from drorch.core.names import RunKind
from drorch.journal import records, statements
from drorch.journal.chain import Entry, Mark
from drorch.journal.connection import Connection
from drorch.journal.store import SqlJournal


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that ended, and the number of the ledger's entry that says so."""

    n: int
    run: str
    kind: RunKind


def last_entry(journal: SqlJournal) -> Entry | None:
    """Where the ledger ends; None before the first run."""
    with journal.reading() as connection:
        return records.last_entry(connection)


def entry_at(journal: SqlJournal, n: int) -> Entry | None:
    """The entry of that number, its hash as it lies there."""
    with journal.reading() as connection:
        return _entry(connection, n)


def ended_after(journal: SqlJournal, n: int, since: datetime) -> Sequence[Ended]:
    """The runs whose end stands after entry n and is not before that time, in order."""
    asked = {"after": n, "what": Mark.END.value, "since": write_instant(since)}
    with journal.reading() as connection:
        rows = list(connection.execute(statements.KINDS_ENDED_AFTER, asked))
    return [Ended(number, run, RunKind(kind)) for number, run, kind in rows]


def _entry(connection: Connection, n: int) -> Entry | None:
    found = [Entry(*row) for row in connection.execute(statements.ENTRY_AT, {"n": n})]
    return found[0] if found else None
