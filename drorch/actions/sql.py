"""`sql.check` and `sql.execute`: questions to SQLite and PostgreSQL, and changes in one transaction.

SQLite is `sqlite:///relative/path` or `sqlite:////absolute/path`; a database is never created.
PostgreSQL is `postgresql://user@host:port/name`; the password comes from a secret.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from drorch.actions.arguments import (
    Arguments,
    WrongArgument,
    alike,
    make_action,
    only_known,
    reveal,
)
from drorch.actions.patience import OutOfTime, Stopped, in_time, limit_of
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.render import as_text
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Tools

_LIMIT = timedelta(seconds=60)
_CONNECT = 10
_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql", "postgres")


class _SqlError(Exception):
    """What the database said; `reached` tells whether it was there at all."""

    def __init__(self, message: str, *, reached: bool) -> None:
        super().__init__(message.strip())
        self.reached = reached


@dataclass(frozen=True, slots=True)
class _Answer:
    value: Value
    rows: int


class _Session(Protocol):
    """One connection."""

    def run(self, statements: Sequence[str]) -> _Answer:
        """All of them in one transaction; the answer is the last one's."""
        ...

    def stop(self) -> None:
        """Interrupt from another thread."""
        ...


def _check(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    expected = _Expectation(arguments)
    result, answer = _carry([arguments.text("query")], arguments, call, tools, read_only=True)
    if answer is None:
        return result
    message = expected.unmet(answer)
    if message:
        hint = "compare with the source at the time of the snapshot"
        return failed("unexpected", message, hint, outputs=result.outputs)
    return result


def _execute(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    query = arguments.any("query")
    if isinstance(query, str) or query is None:
        statements = [arguments.text("query")]
    else:
        statements = [
            Arguments({"query": q}, Path()).text("query") for q in arguments.list("query")
        ]
    return _carry(statements, arguments, call, tools, read_only=False)[0]


def _carry(
    statements: Sequence[str], arguments: Arguments, call: Call, tools: Tools, *, read_only: bool
) -> tuple[Result, _Answer | None]:
    session = _session(arguments, tools, read_only=read_only)
    limit = limit_of(arguments.duration("timeout", _LIMIT), call.timeout)
    try:
        answer = in_time(call.cancel, limit, lambda: session.run(statements), session.stop)
    except Stopped as error:
        return errored("cancelled", f"stopped: {error}"), None
    except OutOfTime:
        said = f"the database was not done within {format_duration(limit)}"
        return failed("timeout", said, "look for locks and missing indexes"), None
    except _SqlError as error:
        said = tools.secrets.redact(str(error))
        if error.reached:
            return failed("sql", said, "try the statement by hand"), None
        hint = "look whether the database is there and lets this user in"
        return failed("unreachable", said, hint), None
    value = tools.secrets.redact(answer.value) if isinstance(answer.value, str) else answer.value
    return passed({"value": value, "rows": answer.rows}), answer


class _Expectation:
    """What a query should give."""

    def __init__(self, arguments: Arguments) -> None:
        self._compares = arguments.has("equals")
        self._equals = arguments.any("equals")
        self._least, self._most = _row_limits(arguments)

    def unmet(self, answer: _Answer) -> str:
        """What is not so; empty if all is."""
        if self._compares and not answer.rows:
            return f"the query gives no row, not {as_text(self._equals)}"
        if self._compares and not alike(answer.value, self._equals):
            return f"the query gives {as_text(answer.value)}, not {as_text(self._equals)}"
        if self._least is not None and answer.rows < self._least:
            return f"the query gives {answer.rows} rows, fewer than {self._least}"
        if self._most is not None and answer.rows > self._most:
            return f"the query gives {answer.rows} rows, more than {self._most}"
        return ""


def _row_limits(arguments: Arguments) -> tuple[int | None, int | None]:
    if not arguments.has("rows"):
        return None, None
    given = arguments.any("rows")
    if not isinstance(given, Mapping):
        exact = arguments.integer("rows")
        return exact, exact
    only_known("rows", given, ("min", "max"))
    limits = Arguments(given, Path())
    least = limits.integer("min") if limits.has("min") else None
    return least, limits.integer("max") if limits.has("max") else None


def _session(arguments: Arguments, tools: Tools, *, read_only: bool) -> _Session:
    url = arguments.text("database")
    if url.startswith(_SQLITE):
        path = tools.configuration.folder / url.removeprefix(_SQLITE)
        return _Sqlite(path, read_only=read_only)
    if urlsplit(url).scheme in _POSTGRES:
        if urlsplit(url).password:
            raise WrongArgument("database holds a password", "give it as password: {secret: NAME}")
        password = None
        if arguments.has("password"):
            password = reveal("password", arguments.mapping("password"), tools.secrets)
        return _Postgres(url, password, read_only=read_only)
    raise WrongArgument(
        f"database {url!r} is of no known kind",
        "write sqlite:///path or postgresql://user@host:port/name",
    )


class _Sqlite:
    def __init__(self, path: Path, *, read_only: bool) -> None:
        mode = "ro" if read_only else "rw"
        self._uri = f"file:{quote(str(path))}?mode={mode}"
        self._path = path
        self._interrupt: Callable[[], None] = lambda: None

    def run(self, statements: Sequence[str]) -> _Answer:
        """See _Session."""
        import sqlite3
        from contextlib import closing

        try:
            # Another thread only ever calls interrupt(), which SQLite allows.
            connection = sqlite3.connect(self._uri, uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise _SqlError(f"{self._path}: {error}", reached=False) from None
        with closing(connection):
            self._interrupt = connection.interrupt
            try:
                with connection:
                    connection.execute("BEGIN")
                    return _all(connection.execute, statements)
            except (sqlite3.Error, sqlite3.Warning) as error:
                # A file that is no database is noticed at the first statement.
                reached = getattr(error, "sqlite_errorcode", None) not in (
                    sqlite3.SQLITE_NOTADB,
                    sqlite3.SQLITE_CANTOPEN,
                )
                raise _SqlError(f"{self._path}: {error}", reached=reached) from None

    def stop(self) -> None:
        """See _Session."""
        self._interrupt()


class _Postgres:
    def __init__(self, url: str, password: str | None, *, read_only: bool) -> None:
        self._url = url
        self._password = password
        self._read_only = read_only
        self._cancel: Callable[[], None] = lambda: None

    def run(self, statements: Sequence[str]) -> _Answer:
        """See _Session."""
        import psycopg

        given: dict[str, Any] = {} if self._password is None else {"password": self._password}
        if self._read_only:
            given["options"] = "-c default_transaction_read_only=on"
        try:
            connection = psycopg.connect(
                self._url, connect_timeout=_CONNECT, application_name="drorch", **given
            )
        except (psycopg.Error, UnicodeError) as error:
            raise _SqlError(str(error), reached=False) from None
        self._cancel = connection.cancel
        try:
            with connection:
                if self._read_only:
                    connection.read_only = True
                return _all(connection.execute, statements)
        except psycopg.Error as error:
            raise _SqlError(str(error), reached=True) from None

    def stop(self) -> None:
        """See _Session."""
        self._cancel()


def _all(execute: Callable[[Any], Any], statements: Sequence[str]) -> _Answer:
    answer = _Answer(None, 0)
    for statement in statements:
        cursor = execute(statement)
        if cursor.description is None:
            answer = _Answer(None, max(0, cursor.rowcount))
            continue
        first = cursor.fetchone()
        rows = 0 if first is None else 1 + sum(1 for _ in cursor)
        answer = _Answer(None if first is None else _plain(first[0]), rows)
    return answer


def _plain(value: object) -> Value:
    """A column as JSON can hold it: exact numbers and moments as text, bytes in hex."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    whole = getattr(value, "to_integral_value", None)
    if whole is not None and whole() == value:
        return int(whole())
    moment = getattr(value, "isoformat", None)
    return str(value) if moment is None else str(moment())


_COMMON = (
    Parameter("database", Kind.URL, doc="sqlite:///path or postgresql://user@host:port/name"),
    Parameter("password", Kind.MAPPING, required=False, doc="{secret: NAME}"),
    Parameter("timeout", Kind.DURATION, required=False, doc="default 60s"),
)

CHECK = make_action(
    ActionSpec(
        "sql.check",
        "Ask a database a question and compare the answer; nothing can be changed",
        (
            *_COMMON,
            Parameter("query", Kind.TEXT, doc="one statement that gives rows"),
            Parameter("equals", Kind.ANY, required=False, doc="what the first column must be"),
            Parameter("rows", Kind.ANY, required=False, doc="how many, or {min: N, max: N}"),
        ),
        ("value", "rows"),
        check=True,
        repeatable=True,
    ),
    _check,
)

EXECUTE = make_action(
    ActionSpec(
        "sql.execute",
        "Change a database, all statements in one transaction",
        (*_COMMON, Parameter("query", Kind.ANY, doc="a statement, or a list of them")),
        ("value", "rows"),
    ),
    _execute,
)
