"""By hand: SQL by the clients of SQLite and PostgreSQL, and servers of PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from shlex import quote as shell_quote
from urllib.parse import quote as encoded

from drorch.actions.byhand_given import Given, join
from drorch.core.byhand import ByHand, Note
from drorch.core.render import as_text
from drorch.restic import byhand as restic


def sql(given: Given) -> ByHand:
    """Each statement, in order."""
    query = given.values.get("query")
    one = isinstance(query, str) or not isinstance(query, Sequence)
    statements = [as_text(query)] if one else given.words("query")
    return _asked(given, "database", "password", statements)


def _asked(given: Given, database: str, password: str, statements: Sequence[str]) -> ByHand:
    """Statements put to a database by its own client, or bare where the database is not known."""
    url, secret = given.text(database), given.secret(password)
    if url.startswith("sqlite:///"):
        file = url.removeprefix("sqlite:///")
        if len(statements) > 1:
            return ByHand((join(["sqlite3", "-bail", file, _at_once(statements)]),))
        return ByHand(tuple(join(["sqlite3", file, one]) for one in statements))
    if not url.startswith(("postgresql://", "postgres://")):
        return ByHand(
            tuple(f"{one.rstrip().rstrip(';')};" for one in statements), (Note.SQL_CLIENT,)
        )
    asked = [restic.asking("PGPASSWORD", secret), "export PGPASSWORD"] if secret else []
    # All or nothing, as drorch does it.
    whole = ["-1", "-v", "ON_ERROR_STOP=1"] if len(statements) > 1 else []
    words = ["psql", *whole, url]
    words += [word for one in statements for word in ("-c", one)]
    return ByHand((*asked, join(words)), secrets=(secret,) if secret else ())


def _at_once(statements: Sequence[str]) -> str:
    each = " ".join(f"{one.rstrip().rstrip(';')};" for one in statements)
    return f"BEGIN; {each} COMMIT;"


def is_primary(given: Given) -> ByHand:
    """PostgreSQL says whether it replays."""
    hand = _asked(given, "database", "password", ["SELECT pg_is_in_recovery()"])
    fenced = given.text("expect") == "fenced"
    return replace(hand, notes=(*hand.notes, Note.FENCED if fenced else Note.PRIMARY_IS_F))


def lag(given: Given) -> ByHand:
    """How long ago the last transaction was replayed."""
    query = "SELECT now() - pg_last_xact_replay_timestamp()"
    return _asked(given, "database", "password", [query])


def promote(given: Given) -> ByHand:
    """PostgreSQL's own function."""
    return _asked(given, "database", "password", ["SELECT pg_promote()"])


def load(given: Given) -> ByHand:
    """A new cluster, as `postgres.load` makes it, on a socket in its folder."""
    data = given.text("data", f"{{{given.step}.data}}")
    name = given.text("database", "restored")
    # pg_ctl hands what follows -o to a shell of its own.
    options = f"-k {shell_quote(data)} -c listen_addresses="
    start = ["pg_ctl", "-D", data, "-w", "-l", f"{data}/server.log", "-o", options, "start"]
    lines = (
        join(["initdb", "-D", data, "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8"]),
        join(start),
        join(["createdb", "-h", data, "-U", "postgres", name]),
        join(
            [
                "pg_restore",
                "-h",
                data,
                "-U",
                "postgres",
                "-d",
                name,
                *_AS_LOADED,
                given.text("dump"),
            ]
        ),
    )
    finding = {
        "pid": f"head -1 {join([f'{data}/postmaster.pid'])}",
        "url": join(["echo", f"postgresql:///{name}?host={encoded(data, '/{}')}&user=postgres"]),
    }
    return ByHand(lines, (Note.NEW_CLUSTER,), finding=finding)


#: How `postgres.load` loads a dump.
_AS_LOADED = ("--no-owner", "--no-privileges", "--exit-on-error")
