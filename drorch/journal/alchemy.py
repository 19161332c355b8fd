"""PostgreSQL, and making or migrating the schema of any database: by SQLAlchemy, the slow import.

Alembic costs half a second more, so it is only loaded for a schema that is older than the code.
An empty database gets its tables straight from journal/schema.py, which a test holds equal to
what the migrations make.
"""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Engine, create_engine, inspect, select
from sqlalchemy import event as hooks
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from drorch.core.errors import JournalUntrusted, NoJournal, UsageError
from drorch.journal import schema
from drorch.journal.connection import Found, Parameters, Statement, Transaction
from drorch.journal.direct import set_up
from drorch.journal.failures import told

#: The option that marks a connection's transactions as writing ones.
_WRITING = "drorch_writing"

#: Under PostgreSQL, writers that must see each other (starts, ends, migrations) hold this lock.
_LOCK = 0x64726F726368


def parsed(url: str) -> URL:
    """A state's URL; UsageError for one that is none, or of a database that is not supported."""
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
    return target


class SqlAlchemyDatabase:
    """connection.Database behind any supported URL."""

    def __init__(self, target: URL, patience: timedelta) -> None:
        self._target = target
        with self.told():
            self._engine = _engine(target, patience)

    @property
    def name(self) -> str:
        """SQLite's file, or the name of PostgreSQL's database."""
        return self._target.database or ""

    @property
    def hindered(self) -> None:
        """Nothing is read where it cannot be written."""

    def connect(self) -> "SqlAlchemyConnection":
        """A connection of the engine's pool."""
        return SqlAlchemyConnection(self._engine.connect())

    def told(self) -> AbstractContextManager[None]:
        """SQLAlchemy's and the driver's errors in words."""
        if self._target.get_backend_name() == "sqlite":
            return told(self.name, SQLAlchemyError)
        return told(self._target.render_as_string(hide_password=True), SQLAlchemyError)

    def close(self) -> None:
        """Close the pool."""
        self._engine.dispose()

    def fit_schema(self, *, create: bool) -> None:
        """Bring the schema to this code's revision, if allowed to; JournalUntrusted otherwise."""
        with self.told():
            try:
                _fit_schema(self, create=create)
            except BaseException:
                self._engine.dispose()
                raise


class SqlAlchemyConnection:
    """connection.Connection on SQLAlchemy, which hands the texts to the driver as they are."""

    refusal: type[Exception] = IntegrityError

    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self.core = connection
        self._postgresql = connection.dialect.name == "postgresql"

    def execute(self, statement: Statement, parameters: Parameters | None = None) -> Found:
        """Execute once."""
        return self.core.exec_driver_sql(self._text(statement), dict(parameters or {}))

    def execute_each(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        """Execute once for each mapping of parameters."""
        self.core.exec_driver_sql(self._text(statement), [dict(p) for p in parameters])

    def begin(self, transaction: Transaction) -> None:
        """Begin; PostgreSQL is told more about what it is for."""
        self.core.execution_options(**{_WRITING: transaction.writes})
        self.core.begin()
        if not self._postgresql:
            return
        if transaction is Transaction.READ_WHOLE:
            self.core.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        if transaction is Transaction.WRITE_ALONE:
            self.core.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")

    def commit(self) -> None:
        """Commit."""
        self.core.commit()

    def release(self) -> None:
        """Back to the pool, which rolls back."""
        self.core.close()

    def discard(self) -> None:
        """A connection that failed is not used again: PostgreSQL's may be dead."""
        self.core.invalidate()
        self.core.close()

    def _text(self, statement: Statement) -> str:
        return statement.postgresql if self._postgresql else statement.sqlite


def _engine(target: URL, patience: timedelta) -> Engine:
    if target.get_backend_name() != "sqlite":
        # psycopg warns of what it also raises: a lost fence, say, which is ours to tell.
        logging.getLogger("psycopg").addHandler(logging.NullHandler())
        return create_engine(target, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    engine = create_engine(target, connect_args={"timeout": patience.total_seconds()})

    @hooks.listens_for(engine, "connect")
    def _set_up(raw: Any, _record: object) -> None:
        # sqlite3 must not begin transactions by itself: it would begin them as reading ones.
        raw.isolation_level = None
        set_up(raw, patience)

    @hooks.listens_for(engine, "begin")
    def _begin(connection: sqlalchemy.Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _fit_schema(database: SqlAlchemyDatabase, *, create: bool) -> None:
    connection = database.connect()
    try:
        connection.begin(Transaction.READ)
        found = _revision(connection.core)
        connection.commit()
        if found != schema.REVISION:
            if not create:
                raise _not_ours(found)
            connection.begin(Transaction.WRITE_ALONE)
            _make_or_upgrade(connection.core)
            connection.commit()
    finally:
        connection.release()


def _make_or_upgrade(connection: sqlalchemy.Connection) -> None:
    found = _revision(connection)  # another process may have been quicker
    if found is None:
        schema.metadata.create_all(connection)
        schema.revisions.create(connection)
        connection.execute(schema.revisions.insert().values(version_num=schema.REVISION))
    elif found != schema.REVISION:
        _upgrade(connection, found)


def _revision(connection: sqlalchemy.Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if schema.revisions.name in tables:
        return connection.execute(select(schema.revisions.c.version_num)).scalar_one_or_none()
    if tables:
        raise JournalUntrusted(
            "the state holds tables that are not drorch's",
            "give drorch a database of its own: mend `state` in the configuration",
        )
    return None


def _upgrade(connection: sqlalchemy.Connection, found: str) -> None:
    from drorch.journal.migrating import knows, upgrade

    if not knows(found):
        raise _not_ours(found)
    upgrade(connection)


def _not_ours(found: str | None) -> JournalUntrusted:
    if found is None:
        return NoJournal("the state holds no journal", "mend `state` in the configuration")
    return JournalUntrusted(
        f"the state is of revision {found}, this version of drorch knows {schema.REVISION}",
        "use the version of drorch that wrote it, or a newer one",
    )
