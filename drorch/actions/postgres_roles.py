"""`postgres.is_primary`, `postgres.lag`, `postgres.promote`: failing a streaming replica over.

What a promoted standby holds is as old as the last transaction it replayed: that is the output
`data_at`, which the run's RPA is measured from.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.actions.patience import OutOfTime, Stopped, limit_of
from drorch.actions.postgres_servers import (
    LIMIT,
    PARAMETERS,
    Refused,
    Server,
    Standing,
    Unreachable,
    server_of,
    untold,
)
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Progress, Tools

if TYPE_CHECKING:
    import psycopg

_UNTOLD = (Unreachable, Refused, OutOfTime, Stopped)
_PROMOTED = timedelta(seconds=60)
_FENCED = "fenced"
_ROLES = ("primary", "standby", _FENCED)


def _is_primary(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    server = server_of(arguments, tools, call.cancel)
    wanted = arguments.text("expect", "primary")
    if wanted not in _ROLES:
        raise WrongArgument(f"expect knows no {wanted!r}", f"it takes {', '.join(_ROLES)}")
    limit = limit_of(arguments.duration("timeout", LIMIT), call.timeout)
    try:
        standing = server.standing(limit)
    except _UNTOLD as error:
        if wanted == _FENCED and isinstance(error, Unreachable) and server.nobody_listens():
            return passed({"role": "down", "database": server.name})
        return untold(error, server, limit, tools)
    outputs: dict[str, Value] = {
        "role": standing.role,
        "timeline": standing.timeline,
        "database": server.name,
    }
    if standing.standby == (wanted != "primary"):
        return passed(outputs)
    return failed(
        "role",
        f"{server.name} is a {standing.role}, not {_expected(wanted)}",
        _HINTS[wanted],
        outputs=outputs,
    )


def _expected(wanted: str) -> str:
    return "down or a standby" if wanted == _FENCED else f"a {wanted}"


_HINTS: Mapping[str, str] = {
    "primary": "promote it, or look which server is the primary",
    "standby": "two primaries lose data: stop one of them before anything is written",
    _FENCED: "stop it, cut its power or its network, before another is promoted",
}


def _lag(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    standby = server_of(arguments, tools, call.cancel)
    most = arguments.duration("max") if arguments.has("max") else None
    limit = limit_of(arguments.duration("timeout", LIMIT), call.timeout)
    asked, source = standby, None
    try:
        if arguments.has("primary"):
            # First: what the standby then has replayed may be more, never less.
            asked = server_of(arguments, tools, call.cancel, "primary", "primary_password")
            source = asked.standing(limit)
        asked = standby
        standing = standby.standing(limit)
    except _UNTOLD as error:
        return untold(error, asked, limit, tools)
    if not standing.standby:
        said = f"{standby.name} is a primary: it lags behind nobody"
        return failed("role", said, "name the standby as `database`")
    return _measured(standby.name, standing, source, most)


def _measured(
    name: str, standing: Standing, source: Standing | None, most: timedelta | None
) -> Result:
    known = source.position if source is not None else standing.received
    behind = None if known is None else max(0, known - standing.position)
    data_at = source.at if source is not None and behind == 0 else standing.data_at
    if data_at is None:
        said = f"{name} has replayed no transaction yet: how old its data is cannot be known"
        hint = "name its primary too, or let a heartbeat be written there"
        return errored("no-transaction", said, hint, outputs={"lag_bytes": behind})
    now = source.at if source is not None else standing.at
    lag = max(timedelta(), now - data_at)
    outputs: dict[str, Value] = {
        "lag_s": round(lag.total_seconds(), 3),
        "lag_bytes": behind,
        **_ages(standing, data_at),
        "database": name,
    }
    if most is not None and lag > most:
        said = f"{name} is {format_duration(lag)} behind, more than {format_duration(most)}"
        hint = "look at the network, the disk and long queries on the standby"
        return failed("lag", said, hint, outputs=outputs)
    return passed(outputs)


def _ages(standing: Standing, data_at: datetime | None) -> dict[str, Value]:
    return {"replay_at": _text(standing.replay_at), "data_at": _text(data_at)}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _promote(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    server = server_of(arguments, tools, call.cancel)
    within = limit_of(arguments.duration("within", _PROMOTED), call.timeout)
    look = min(LIMIT, within)
    try:
        before = server.standing(look)
        if before.standby:
            call.progress(Progress(message="promoting"))
            seconds = max(1, int(within.total_seconds()))
            server.ask(lambda c: c.execute("SELECT pg_promote(true, %s)", [seconds]), within)
        after = server.standing(look)
    except _UNTOLD as error:
        return untold(error, server, within, tools)
    if after.standby:
        said = f"{server.name} is not the primary {format_duration(within)} after it was told to be"
        hint = "it first replays all it received: ask again by postgres.is_primary, read its log"
        return errored("timeout", said, hint)
    return _proved(server, before, after, look, tools)


def _proved(
    server: Server, before: Standing, after: Standing, limit: timedelta, tools: Tools
) -> Result:
    """A primary is one whose commits come back."""
    outputs: dict[str, Value] = {
        "role": after.role,
        "promoted": before.standby,
        "timeline": after.timeline,
        **_ages(after, after.data_at or before.data_at),
        "database": server.name,
    }
    try:
        server.ask(_commit_something, limit)
    except OutOfTime:
        said = f"{server.name} is primary, but a commit did not come back within "
        hint = (
            "synchronous_standby_names waits for a standby that is not there: "
            "ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()"
        )
        return failed("commits-wait", said + format_duration(limit), hint, outputs=outputs)
    except _UNTOLD as error:
        return untold(error, server, limit, tools)
    message = "" if before.standby else f"{server.name} was the primary already"
    return passed(outputs, message=message)


def _commit_something(connection: "psycopg.Connection[Any]") -> None:
    """A record in the WAL that changes nothing, committed as any transaction is."""
    connection.execute("SELECT pg_logical_emit_message(true, 'drorch', 'is primary')")


_TIMEOUT = Parameter("timeout", Kind.DURATION, required=False, doc="default 30s")

IS_PRIMARY = make_action(
    ActionSpec(
        "postgres.is_primary",
        "Look which role a PostgreSQL server has; unreachable is neither",
        (
            *PARAMETERS,
            Parameter(
                "expect",
                Kind.TEXT,
                required=False,
                doc="default primary; fenced is: down for sure, or a standby",
                choices=_ROLES,
            ),
            _TIMEOUT,
        ),
        ("role", "timeline", "database"),
        check=True,
        repeatable=True,
    ),
    _is_primary,
)

LAG = make_action(
    ActionSpec(
        "postgres.lag",
        "Measure how far a PostgreSQL standby is behind",
        (
            *PARAMETERS,
            Parameter("primary", Kind.URL, required=False, doc="ask it, too, while it lives"),
            Parameter("primary_password", Kind.MAPPING, required=False, doc="{secret: NAME}"),
            Parameter("max", Kind.DURATION, required=False, doc="fail if it is more"),
            _TIMEOUT,
        ),
        ("lag_s", "lag_bytes", "replay_at", "data_at", "database"),
        check=True,
        repeatable=True,
    ),
    _lag,
)

PROMOTE = make_action(
    ActionSpec(
        "postgres.promote",
        "Make a PostgreSQL standby the primary, and see that it takes commits",
        (
            *PARAMETERS,
            Parameter("within", Kind.DURATION, required=False, doc="default 60s"),
        ),
        ("role", "promoted", "timeline", "replay_at", "data_at", "database"),
    ),
    _promote,
)
