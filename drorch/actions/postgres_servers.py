"""PostgreSQL servers that run already: how one is asked, and how it stands in replication.

The address is `postgresql://user@host:port/name` of exactly one server; the password comes from
a secret.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from drorch.actions.arguments import Arguments, WrongArgument, reveal
from drorch.actions.patience import OutOfTime, Stopped, in_time
from drorch.core.action import Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.values import Result, errored, failed
from drorch.ports import Cancellation, Tools

if TYPE_CHECKING:
    import psycopg

Answer = TypeVar("Answer")

LIMIT = timedelta(seconds=30)
_CONNECT = 10
_DEFAULT_PORT = 5432
#: A role that may not see the receiver (no pg_read_all_stats) finds its columns empty.
_STANDING = """
SELECT pg_is_in_recovery() AS standby,
       clock_timestamp() AS at,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
            ELSE pg_current_wal_lsn() END::text AS position,
       pg_last_wal_receive_lsn()::text AS received,
       pg_last_xact_replay_timestamp() AS replay_at,
       CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
       END AS timeline,
       (SELECT last_msg_send_time FROM pg_stat_wal_receiver
         WHERE latest_end_lsn <= pg_last_wal_replay_lsn()) AS whole_at
"""

PARAMETERS = (
    Parameter("database", Kind.URL, doc="postgresql://user@host:port/name, of one server"),
    Parameter("password", Kind.MAPPING, required=False, doc="{secret: NAME}"),
)


class Unreachable(Exception):
    """The server could not be asked; the text says what was said."""


class Refused(Exception):
    """The server answered, and would not do it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a server stands in replication; times by the servers' clocks, positions in bytes of WAL.

    `position` is how far a primary has written or a standby has replayed, `received` how far a
    standby has it at all. `replay_at` is when the last replayed transaction was committed;
    `whole_at` is when the primary last said so little that the standby had replayed it all.
    """

    standby: bool
    at: datetime
    position: int
    received: int | None
    replay_at: datetime | None
    timeline: int
    whole_at: datetime | None

    @property
    def role(self) -> str:
        """In a word."""
        return "standby" if self.standby else "primary"

    @property
    def data_at(self) -> datetime | None:
        """Nothing committed up to then is missing; None if nothing was ever replayed."""
        known = [moment for moment in (self.replay_at, self.whole_at) if moment is not None]
        return max(known, default=None)


class Server:
    """One server, asked by one connection for each question."""

    def __init__(self, url: str, password: str | None, cancel: Cancellation) -> None:
        self._url = url
        self._password = password
        self._cancel = cancel

    @property
    def name(self) -> str:
        """Its address without user and password: what two steps about one database share."""
        parts = urlsplit(self._url)
        host, port = self._place()
        return f"{host}:{port}{parts.path}"

    def ask(
        self, work: "Callable[[psycopg.Connection[Any]], Answer]", limit: timedelta = LIMIT
    ) -> Answer:
        """What `work` gives on a new connection, which commits each statement by itself.

        Raises Unreachable, Refused, patience.OutOfTime and patience.Stopped.
        """
        connected: list[psycopg.Connection[Any]] = []

        def carry() -> Answer:
            import psycopg

            try:
                connection = self._connect()
            except (psycopg.Error, UnicodeError) as error:
                raise Unreachable(str(error).strip()) from None
            connected.append(connection)
            try:
                with connection:
                    return work(connection)
            except psycopg.Error as error:
                raise Refused(str(error).strip()) from None

        def stop() -> None:
            for connection in connected:
                connection.cancel()

        return in_time(self._cancel, limit, carry, stop)

    def _connect(self) -> "psycopg.Connection[Any]":
        import psycopg

        given: dict[str, Any] = {} if self._password is None else {"password": self._password}
        return psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=_CONNECT,
            application_name="drorch",
            **given,
        )

    def standing(self, limit: timedelta = LIMIT) -> Standing:
        """How it stands in replication; raises as `ask` does."""
        return self.ask(_standing, limit)

    def nobody_listens(self) -> bool:
        """Whether its machine answers and says that there is no such server."""
        host, port = self._place()
        try:
            if host.startswith("/"):
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(str(Path(host) / f".s.PGSQL.{port}"))
            else:
                socket.create_connection((host, port), _CONNECT).close()
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        except OSError:
            return False
        return False

    def _place(self) -> tuple[str, int]:
        from psycopg.conninfo import conninfo_to_dict

        known = conninfo_to_dict(self._url)
        return str(known.get("host") or "localhost"), int(known.get("port") or _DEFAULT_PORT)


def server_of(
    arguments: Arguments,
    tools: Tools,
    cancel: Cancellation,
    database: str = "database",
    password: str = "password",  # noqa: S107 - the name of an argument
) -> Server:
    """The server that two arguments name; raises WrongArgument."""
    url = arguments.text(database)
    parts = urlsplit(url)
    hint = "write postgresql://user@host:port/name"
    if parts.scheme not in ("postgresql", "postgres"):
        raise WrongArgument(f"{database} {url!r} is no address of PostgreSQL", hint)
    if parts.password:
        raise WrongArgument(
            f"{database} holds a password", f"give it as {password}: {{secret: NAME}}"
        )
    given = None
    if arguments.has(password):
        given = reveal(password, arguments.mapping(password), tools.secrets)
    server = Server(url, given, cancel)
    try:
        _ = server.name
    except Exception:  # noqa: BLE001 - several hosts, a port that is none: libpq's many complaints
        raise WrongArgument(f"{database} {url!r} does not name one server", hint) from None
    return server


def untold(error: Exception, server: Server, limit: timedelta, tools: Tools) -> Result:
    """The result of a question that was not answered; `error` is one that `ask` raises."""
    said = tools.secrets.redact(str(error))
    match error:
        case Stopped():
            return errored("cancelled", f"stopped: {said}")
        case OutOfTime():
            late = f"{server.name} did not answer within {format_duration(limit)}"
            return errored("timeout", late, "whether it lives is unknown; look at its machine")
        case Unreachable():
            hint = (
                "look whether it runs and lets this user in; it may be down, or only out of sight"
            )
            return errored("unreachable", f"{server.name}: {said}", hint)
        case _:
            return failed("sql", f"{server.name}: {said}", "look at its log and the user's rights")


def _standing(connection: "psycopg.Connection[Any]") -> Standing:
    row = connection.execute(_STANDING).fetchone()
    if row is None:  # a SELECT without FROM gives one
        raise Unreachable("the server gave no answer")
    standby, at, position, received, replay_at, timeline, whole_at = row
    return Standing(
        standby,
        at,
        _bytes(position) or 0,
        _bytes(received),
        replay_at,
        timeline,
        whole_at if standby else None,
    )


def _bytes(position: str | None) -> int | None:
    """A position such as `0/3000148` as a number."""
    if position is None:
        return None
    with suppress(ValueError):
        high, low = position.split("/")
        return (int(high, 16) << 32) + int(low, 16)
    return None
