"""Rows of the tables from and to values, each inside the caller's transaction."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from drorch.core.codec import NotDecodable, canonical, decode, encode, parse
from drorch.core.decoding import decoder_of
from drorch.core.encoding import encoder_of
from drorch.core.errors import JournalUntrusted
from drorch.core.names import Mode, Outcome, RunKind, RunState
from drorch.core.posture import CopyFact, CopyFactKind, KnownCopy, RunRow
from drorch.journal import statements
from drorch.journal.chain import Entry, Mark, Row, note
from drorch.journal.connection import Connection
from drorch.journal.projection import Asked, Standing, learn, supersedes

_SHOWN = tuple(f.name for f in fields(RunRow))
_STANDING = tuple(f.name for f in fields(Standing))
_COPY = tuple(f.name for f in fields(KnownCopy))

#: A limit that is none.
_ALL = 2**63 - 1

_WRITE_ASKED = encoder_of(Mapping[str, Asked])
_READ_ASKED = decoder_of(Mapping[str, Asked], False)


def _first(found: Iterable[Sequence[Any]]) -> Sequence[Any] | None:
    # Read to the end: a statement that was not would keep its transaction open.
    rows = list(found)
    return rows[0] if rows else None


# --- events


def insert_events(connection: Connection, rows: Sequence[Row]) -> None:
    """Append rows; the connection's refusal when one with such a number is there already."""
    connection.execute_each(statements.INSERT_EVENT, [row.columns() for row in rows])


def page(connection: Connection, run: str, after: int, limit: int) -> list[Row]:
    """Up to `limit` events of a run after a sequence number."""
    found = connection.execute(statements.PAGE, {"run": run, "after": after, "limit": limit})
    return [Row(*row) for row in found]


def all_rows(connection: Connection, run: str) -> Iterator[Row]:
    """A run's events in order."""
    return (Row(*row) for row in connection.execute(statements.EVENTS, {"run": run}))


def rows_with_facts(connection: Connection) -> Iterator[Row]:
    """Every event that tells of copies or other facts, in the order of recording."""
    # Only what ends an attempt or a run does; the other condition spares most of the reading.
    telling = {
        "kind": "attempt.finished",
        "end": "run.finished",
        "one": '%"copies":%',
        "other": '%"facts":%',
    }
    return (Row(*row) for row in connection.execute(statements.EVENTS_TELLING, telling))


def runs_with_events(connection: Connection) -> list[str]:
    """The ids of all runs, in the order of their starts."""
    return [run for (run,) in connection.execute(statements.RUNS_WITH_EVENTS)]


def rows_without_events(connection: Connection) -> list[str]:
    """Runs in short that no event stands behind."""
    return [run for (run,) in connection.execute(statements.RUNS_WITHOUT_EVENTS)]


# --- the ledger


def note_in_ledger(connection: Connection, what: Mark, row: Row) -> None:
    """Add a run's start or end to the ledger; the caller holds the lock against other writers."""
    entry = asdict(note(last_entry(connection), what, row))
    connection.execute(statements.INSERT_ENTRY, {**entry, "what": what.value})


def last_entry(connection: Connection) -> Entry | None:
    """The newest entry of the ledger."""
    found = _first(connection.execute(statements.LAST_ENTRY))
    return None if found is None else Entry(*found)


def entries_of(connection: Connection, run: str) -> list[Entry]:
    """What the ledger noted of a run."""
    return [Entry(*row) for row in connection.execute(statements.ENTRIES_OF, {"run": run})]


def noted_without_events(connection: Connection) -> list[str]:
    """Runs the ledger noted, of which no event is there."""
    return [run for (run,) in connection.execute(statements.NOTED_WITHOUT_EVENTS)]


def entries(connection: Connection) -> Iterator[Entry]:
    """The ledger from its first entry."""
    return (Entry(*row) for row in connection.execute(statements.ENTRIES))


# --- runs in short


def insert_standing(connection: Connection, standing: Standing) -> None:
    """A new run's row."""
    connection.execute(statements.INSERT_RUN, columns_of(standing))


def update_standing(connection: Connection, standing: Standing) -> None:
    """The moving columns of a run's row."""
    connection.execute(statements.UPDATE_RUN, {"the_run": standing.run, **_moving(standing)})


def replace_standing(connection: Connection, standing: Standing) -> None:
    """The whole of a run's row."""
    columns = {"the_run": standing.run, **columns_of(standing)}
    connection.execute(statements.REPLACE_RUN, columns)


def remove_standing(connection: Connection, run: str) -> None:
    """A row that no event stands behind, with what was left for it."""
    clear_requests(connection, run)
    connection.execute(statements.DELETE_RUN, {"run": run})


def has_row(connection: Connection, run: str) -> bool:
    """Whether there is a row of the run, damaged or not."""
    return _first(connection.execute(statements.SEQ_OF_RUN, {"run": run})) is not None


def last_seq(connection: Connection, run: str) -> int:
    """How many events the run's row says there are; 0 without one."""
    found = _first(connection.execute(statements.SEQ_OF_RUN, {"run": run}))
    return found[0] if found is not None and isinstance(found[0], int) else 0


def standing_of(connection: Connection, run: str) -> Standing | None:
    """A run's row as the fold left it."""
    found = _first(connection.execute(statements.STANDING, {"run": run}))
    return None if found is None else _standing(_named(_STANDING, found))


def unfinished(connection: Connection, subject: str) -> list[RunRow]:
    """The runs of a subject that are not finished."""
    found = connection.execute(statements.UNFINISHED_OF, {"subject": subject})
    return [run_row(row) for row in found]


def like(connection: Connection, part: str) -> list[RunRow]:
    """The run with this id, and up to four whose ids begin or end so."""
    plain = part.replace("/", "//").replace("%", "/%").replace("_", "/_")
    others = {"run": part, "beginning": f"{plain}%", "end": f"%{plain}"}
    exact = connection.execute(statements.RUN, {"run": part})
    return [run_row(row) for row in (*exact, *connection.execute(statements.RUNS_LIKE, others))]


def rows(
    connection: Connection, *, unfinished: bool, name: str | None, limit: int | None
) -> list[RunRow]:
    """Runs in short, newest first."""
    if name is None and unfinished:
        found = [run_row(row) for row in connection.execute(statements.RUNS_UNFINISHED)]
        return sorted(found, key=lambda row: (row.started_at, row.run), reverse=True)[:limit]
    if name is None:
        query = statements.RUNS
    else:
        query = statements.RUNS_UNFINISHED_NAMED if unfinished else statements.RUNS_NAMED
    asked = {"name": name, "limit": _ALL if limit is None else limit}
    return [run_row(row) for row in connection.execute(query, asked)]


def run_row(found: Sequence[Any]) -> RunRow:
    """RunRow from its columns."""
    return RunRow(**_words(_named(_SHOWN, found)))


def columns_of(standing: Standing) -> dict[str, Any]:
    """A run's row as columns."""
    return {
        "run": standing.run,
        "kind": standing.kind.value,
        "name": standing.name,
        "subject": standing.subject,
        "mode": standing.mode.value,
        "trigger": standing.trigger,
        "by": standing.by,
        "started_at": encode(standing.started_at),
        **_moving(standing),
    }


def _moving(standing: Standing) -> dict[str, Any]:
    finished, outcome = standing.finished_at, standing.outcome
    return {
        "finished_at": None if finished is None else encode(finished),
        "state": standing.state.value,
        "outcome": None if outcome is None else outcome.value,
        "dirty": standing.dirty,
        "seq": standing.seq,
        "head": standing.head,
        "owner_host": standing.owner_host,
        "owner_pid": standing.owner_pid,
        "owner_started": standing.owner_started,
        "owner_boot": standing.owner_boot,
        "owner_token": standing.owner_token,
        "in_flight": standing.in_flight,
        "asked": canonical(_WRITE_ASKED(standing.asked)).decode() if standing.asked else "{}",
    }


def _named(names: tuple[str, ...], found: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(names, found, strict=True))


def _standing(found: Mapping[str, Any]) -> Standing:
    columns = _words(found)
    try:
        columns["asked"] = _READ_ASKED(parse(found["asked"]))
    except NotDecodable:
        raise _damaged(f"the row of run {found['run']}") from None
    return Standing(**columns)


def _words(found: Mapping[str, Any]) -> dict[str, Any]:
    finished, outcome = found["finished_at"], found["outcome"]
    try:
        return {
            **found,
            "kind": RunKind(found["kind"]),
            "mode": Mode(found["mode"]),
            "state": RunState(found["state"]),
            "outcome": None if outcome is None else Outcome(outcome),
            "started_at": decode(datetime, found["started_at"]),
            "finished_at": None if finished is None else decode(datetime, finished),
            "dirty": bool(found["dirty"]),
        }
    except ValueError:
        raise _damaged(f"the row of run {found['run']}") from None


def _damaged(what: str) -> JournalUntrusted:
    return JournalUntrusted(f"{what} is damaged", "`drorch journal rebuild` makes it anew")


# --- copies


def learn_copy(connection: Connection, fact: CopyFact, at: datetime) -> None:
    """Bring what is known of a snapshot in a region up to date."""
    key = {
        "the_dataset": fact.dataset,
        "the_region": fact.region,
        "the_snapshot": fact.snapshot,
    }
    if fact.fact is CopyFactKind.GONE:
        connection.execute(statements.DELETE_COPY, key)
        return
    found = _first(connection.execute(statements.COPY, key))
    columns = copy_columns(learn(None if found is None else known_copy(found), fact, at))
    if found is None:
        connection.execute(statements.INSERT_COPY, columns)
    else:
        connection.execute(statements.UPDATE_COPY, {**columns, **key})
    if supersedes(fact):
        connection.execute(statements.DELETE_OTHERS_OWED, columns)


def copies_of(connection: Connection, dataset: str) -> list[KnownCopy]:
    """Every known snapshot of a dataset, newest first."""
    found = connection.execute(statements.COPIES_OF, {"dataset": dataset})
    return [known_copy(row) for row in found]


def every_copy(connection: Connection) -> list[KnownCopy]:
    """All known copies."""
    return [known_copy(row) for row in connection.execute(statements.COPIES)]


def replace_copies(connection: Connection, known: Collection[KnownCopy]) -> None:
    """Make these all the known copies."""
    connection.execute(statements.DELETE_COPIES)
    if known:
        connection.execute_each(statements.INSERT_COPY, [copy_columns(copy) for copy in known])


def known_copy(row: Sequence[Any]) -> KnownCopy:
    """KnownCopy from its columns."""
    found = _named(_COPY, row)
    instants = {name: found[name] for name in _INSTANTS if found[name] is not None}
    found["owed"] = bool(found["owed"])
    try:
        return KnownCopy(**{**found, **{n: decode(datetime, v) for n, v in instants.items()}})
    except NotDecodable:
        raise _damaged(f"the row of a copy of {found['dataset']} in {found['region']}") from None


_INSTANTS = ("snapshot_at", "recorded_at", "verified_at", "restore_tested_at")


def copy_columns(known: KnownCopy) -> dict[str, Any]:
    """KnownCopy's columns."""
    columns = asdict(known)
    for name in _INSTANTS:
        columns[name] = None if columns[name] is None else encode(columns[name])
    return columns


# --- requests


def post(connection: Connection, run: str, kind: str, body: str) -> None:
    """Leave a request."""
    connection.execute(statements.POST, {"run": run, "kind": kind, "body": body})


def requests(connection: Connection, run: str, after: int) -> list[tuple[int, str, str]]:
    """Requests left for a run with an id above `after`, oldest first."""
    found = connection.execute(statements.REQUESTS, {"run": run, "after": after})
    return [(number, kind, body) for number, kind, body in found]


def clear_requests(connection: Connection, run: str, upto: int | None = None) -> None:
    """Remove what was left for a run: up to an id, or all of it."""
    if upto is None:
        connection.execute(statements.CLEAR_REQUESTS, {"run": run})
    else:
        connection.execute(statements.CLEAR_REQUESTS_UP_TO, {"run": run, "upto": upto})
