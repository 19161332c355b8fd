"""SQLite by the standard library: what SQLAlchemy costs to import is more than a command has to spare.

Connections are kept to be used again; each has one holder at a time, in whichever thread.
"""

import sqlite3
import time
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

from drorch.core.errors import JournalFailing
from drorch.journal import statements
from drorch.journal.connection import Found, Parameters, Statement, Transaction
from drorch.journal.failures import failing, told
from drorch.journal.unwritable import Copies, Copy, takes_nothing


class SqliteFile:
    """connection.Database on a SQLite file that is there and holds a journal of this revision."""

    def __init__(self, file: Path, patience: timedelta) -> None:
        self._file = file
        self._patience = patience
        self._idle: deque[sqlite3.Connection] = deque()
        self._copies = Copies(file)
        self._why: sqlite3.Error | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """The file."""
        return str(self._file)

    @property
    def hindered(self) -> JournalFailing | None:
        """Why it can only be read, if so it was when it was last opened."""
        return failing(self.name, self._why) if self._why is not None else None

    def connect(self) -> "SqliteConnection":
        """A connection that was used before, or a new one; where a new one cannot be had because of the
        file's place, one that only reads.
        """
        try:
            return SqliteConnection(self._idle.pop(), self)
        except IndexError:
            pass
        try:
            return SqliteConnection(self._open(), self)
        except sqlite3.OperationalError as error:
            if not takes_nothing(error):
                raise
            self._why = error
            return HinderedConnection(self, error)

    def copied(self, why: sqlite3.Error) -> Copy:
        """What the file holds, in memory; raises `why` it could not be opened where that cannot be had."""
        deadline = time.monotonic() + self._patience.total_seconds()
        try:
            while (copy := self._copies.newest()) is None and time.monotonic() < deadline:
                time.sleep(0.01)
        except sqlite3.OperationalError:
            copy = None
        if copy is None:
            raise why
        return copy

    def told(self) -> AbstractContextManager[None]:
        """sqlite3's errors in words."""
        return told(self.name, sqlite3.Error)

    def close(self) -> None:
        """Close what is idle now, and the rest when it is given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        self._copies.close()

    def keep(self, raw: sqlite3.Connection) -> None:
        """Take a connection back."""
        self._idle.append(raw)
        if self._closed:
            self.close()

    def keep_copy(self, copy: Copy) -> None:
        """Take a copy back."""
        self._copies.keep(copy)
        if self._closed:
            self.close()

    def fits(self) -> bool:
        """Whether it holds a journal of this revision; what else it may hold is not told apart."""
        connection = self.connect()
        try:
            connection.begin(Transaction.READ)
            revisions = list(connection.execute(statements.REVISION_FOUND))
        except sqlite3.OperationalError as error:
            connection.discard()
            # That one is: no such table. What has no code, sqlite3 itself could not read.
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR:
                raise
            return False
        except BaseException:
            connection.discard()
            raise
        connection.release()
        return revisions == [(statements.REVISION,)]

    def _open(self) -> sqlite3.Connection:
        # Without an isolation level sqlite3 begins no transactions by itself: it would begin them
        # as reading ones. A connection has one holder at a time, who may be any thread.
        raw = sqlite3.connect(
            self._file,
            timeout=self._patience.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            set_up(raw, self._patience)
        except BaseException:
            raw.close()
            raise
        self._why = None
        return raw


class SqliteConnection:
    """connection.Connection on sqlite3."""

    refusal: type[Exception] = sqlite3.IntegrityError

    def __init__(self, raw: sqlite3.Connection, home: SqliteFile) -> None:
        self._raw = raw
        self._home = home

    def execute(self, statement: Statement, parameters: Parameters | None = None) -> Found:
        """Execute once; rows come as they are read."""
        return self._raw.execute(statement.sqlite, parameters or {})

    def execute_each(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        """Execute once for each mapping of parameters."""
        self._raw.executemany(statement.sqlite, parameters)

    def begin(self, transaction: Transaction) -> None:
        """Begin; every reader sees one state, and there is one writer."""
        self._raw.execute("BEGIN IMMEDIATE" if transaction.writes else "BEGIN")

    def commit(self) -> None:
        """Write it to the disk."""
        self._raw.execute("COMMIT")

    def release(self) -> None:
        """Roll back what is open, and give it back."""
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")
        self._home.keep(self._raw)

    def discard(self) -> None:
        """Close it, which rolls back."""
        self._raw.close()


class HinderedConnection(SqliteConnection):
    """On a file that could not be opened because of its place: it reads a copy, and writes nothing."""

    def __init__(self, home: SqliteFile, why: sqlite3.Error) -> None:
        super().__init__(sqlite3.connect(":memory:"), home)  # nothing, until a transaction begins
        self._why = why
        self._copy: Copy | None = None

    def begin(self, transaction: Transaction) -> None:
        """Begin to read what the file holds by now; raises why it could not be opened."""
        if transaction.writes:
            raise self._why
        if self._copy is None:
            self._raw.close()
            self._copy = self._home.copied(self._why)
            self._raw = self._copy.raw
        super().begin(transaction)

    def release(self) -> None:
        """Give the copy back."""
        if self._copy is None:
            self._raw.close()
            return
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")
        self._home.keep_copy(self._copy)


def set_up(raw: Any, patience: timedelta) -> None:
    """Every connection's settings: a commit is on the disk, keys are enforced, readers do not wait."""
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA synchronous = FULL")
    # SQLite does not wait for other processes while it changes the mode: we do.
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY")
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
