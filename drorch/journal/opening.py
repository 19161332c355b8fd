"""Opening the state: the file or server behind a URL, its settings, and its schema's revision.

Alembic costs half a second to import, so it is only loaded for a schema that is older than the
code. An empty database gets its tables straight from journal/schema.py, which a test holds equal
to what the migrations make.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    inspect,
    select,
)
from sqlalchemy import event as hooks
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from drorch.core.errors import JournalUntrusted, UsageError
from drorch.journal import schema
from drorch.journal.failures import told

#: The option that marks a connection's transactions as writing ones.
WRITING = "drorch_writing"

#: Alembic's own table; the name and the column are its convention.
_REVISIONS = Table(
    "alembic_version", MetaData(), Column("version_num", String(32), primary_key=True)
)

#: Under PostgreSQL, writers that must see each other (starts, ends, migrations) hold this lock.
_LOCK = 0x64726F726368


def open_state(url: str, folder: Path, patience: timedelta, *, create: bool) -> Engine:
    """The engine behind a state URL, its schema at this code's revision.

    Paths in the URL are relative to `folder`. `patience` is how long to wait for other writers.
    Raises UsageError for a URL that is none, JournalUntrusted when the state cannot be used.
    """
    target = _target(url, folder)
    if target.get_backend_name() == "sqlite":
        _make_file(Path(target.database or ""), create=create)
    with told(target):
        engine = _engine(target, patience)
        try:
            with engine.connect() as connection:
                _fit_schema(connection, create=create)
        except BaseException:
            engine.dispose()
            raise
    return engine


def _target(url: str, folder: Path) -> URL:
    try:
        target = make_url(url)
        target.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise UsageError(
            "`state` is not the address of a database",
            "write sqlite:///var/drorch.db, or postgresql+psycopg://user@host/drorch",
        ) from None
    backend = target.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise UsageError(
            f"`state` on {backend} is not supported",
            "use sqlite:///var/drorch.db, or postgresql+psycopg://user@host/drorch",
        )
    if backend == "postgresql":
        return target.set(drivername="postgresql+psycopg")
    if target.database in (None, "", ":memory:"):
        raise UsageError("`state` names no file", "write, say, sqlite:///var/drorch.db")
    return target.set(database=str(folder / target.database))


def _make_file(file: Path, *, create: bool) -> None:
    """Make the file, readable by its owner only; SQLite gives its helper files the same mode."""
    try:
        if create and not file.parent.exists() and file.parent.parent.is_dir():
            file.parent.mkdir(mode=0o700)
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
        # Only a file we have made is opened and closed here: closing another descriptor of an
        # open database would drop the locks this process holds on it.
        if create and not file.exists():
            os.close(os.open(file, flags, 0o600))
    except FileExistsError:
        pass
    except FileNotFoundError:
        raise JournalUntrusted(
            f"the folder of the state file {file} does not exist",
            "make the folder, or mend `state` in the configuration",
        ) from None
    except OSError as error:
        raise JournalUntrusted(
            f"the state file {file} cannot be made: {error.strerror}",
            "let this user write there, or mend `state` in the configuration",
        ) from None
    if not file.exists():
        raise JournalUntrusted(
            f"there is no state file {file}", "mend `state` in the configuration, or --config"
        )


def _engine(target: URL, patience: timedelta) -> Engine:
    if target.get_backend_name() != "sqlite":
        return create_engine(target, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    engine = create_engine(target, connect_args={"timeout": patience.total_seconds()})

    @hooks.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        # sqlite3 must not begin transactions by itself: it would begin them as reading ones.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        _use_wal(connection, patience)

    @hooks.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _use_wal(connection: Any, patience: timedelta) -> None:
    # SQLite does not wait for other processes while it changes the mode: we do.
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except connection.OperationalError as error:
            busy = str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY")
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextmanager
def begin_writing(connection: Connection, *, alone: bool = False) -> Iterator[None]:
    """A writing transaction; `alone` keeps every other that asks for the same waiting.

    SQLite has one writer anyway.
    """
    connection.execution_options(**{WRITING: True})
    with connection.begin():
        if alone and connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield


def _fit_schema(connection: Connection, *, create: bool) -> None:
    with connection.begin():
        found = _revision(connection)
    if found == schema.REVISION:
        return
    if not create:
        raise _not_ours(found)
    with begin_writing(connection, alone=True):
        found = _revision(connection)  # another process may have been quicker
        if found is None:
            schema.metadata.create_all(connection)
            _REVISIONS.create(connection)
            connection.execute(_REVISIONS.insert().values(version_num=schema.REVISION))
        elif found != schema.REVISION:
            _upgrade(connection, found)


def _revision(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if _REVISIONS.name in tables:
        return connection.execute(select(_REVISIONS.c.version_num)).scalar_one_or_none()
    if tables:
        raise JournalUntrusted(
            "the state holds tables that are not drorch's",
            "give drorch a database of its own: mend `state` in the configuration",
        )
    return None


def _upgrade(connection: Connection, found: str) -> None:
    from drorch.journal.migrating import knows, upgrade

    if not knows(found):
        raise _not_ours(found)
    upgrade(connection)


def _not_ours(found: str | None) -> JournalUntrusted:
    if found is None:
        return JournalUntrusted("the state holds no journal", "mend `state` in the configuration")
    return JournalUntrusted(
        f"the state is of revision {found}, this version of drorch knows {schema.REVISION}",
        "use the version of drorch that wrote it, or a newer one",
    )
