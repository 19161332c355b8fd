"""The statements: rows of the tables from and to values, each inside the caller's transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, or_, select, update

from drorch.core.codec import NotDecodable, canonical, decode, encode, parse
from drorch.core.decoding import decoder_of
from drorch.core.encoding import encoder_of
from drorch.core.errors import JournalUntrusted
from drorch.core.names import Mode, Outcome, RunKind, RunState
from drorch.core.posture import CopyFact, KnownCopy, RunRow
from drorch.journal.chain import Entry, Mark, Row, note
from drorch.journal.prepared import Prepared
from drorch.journal.projection import Asked, Standing, learn, supersedes
from drorch.journal.schema import copies, events, ledger, posted, runs

_ROW = [events.c[f.name] for f in fields(Row)]
_ENTRY = [ledger.c[f.name] for f in fields(Entry)]
_SHOWN = [runs.c[f.name] for f in fields(RunRow)]
_STANDING = [runs.c[f.name] for f in fields(Standing)]
_COPY = [copies.c[f.name] for f in fields(KnownCopy)]

_WRITE_ASKED = encoder_of(Mapping[str, Asked])
_READ_ASKED = decoder_of(Mapping[str, Asked], False)

#: Columns of a run that never change, and those that do.
_FIXED = ("run", "kind", "name", "subject", "mode", "trigger", "by", "started_at")
_MOVING = [f.name for f in fields(Standing) if f.name not in _FIXED]

_INSERT_EVENT = Prepared(insert(events).values({f.name: bindparam(f.name) for f in fields(Row)}))
_UPDATE_RUN = Prepared(
    update(runs)
    .where(runs.c.run == bindparam("the_run"))
    .values({name: bindparam(name) for name in _MOVING})
)
_PAGE = (
    select(*_ROW)
    .where(events.c.run == bindparam("run"), events.c.seq > bindparam("after"))
    .order_by(events.c.seq)
    .limit(bindparam("limit"))
)


# --- events


def insert_events(connection: Connection, rows: Sequence[Row]) -> None:
    """Append rows; IntegrityError when one with such a number is there already."""
    _INSERT_EVENT.execute(connection, [row.columns() for row in rows])


def page(connection: Connection, run: str, after: int, limit: int) -> list[Row]:
    """Up to `limit` events of a run after a sequence number."""
    found = connection.execute(_PAGE, {"run": run, "after": after, "limit": limit})
    return [Row(*row) for row in found]


def all_rows(connection: Connection, run: str) -> Iterator[Row]:
    """A run's events in order."""
    found = connection.execute(select(*_ROW).where(events.c.run == run).order_by(events.c.seq))
    return (Row(*row) for row in found)


def rows_with_copies(connection: Connection) -> Iterator[Row]:
    """Every event that tells of copies, in the order of recording."""
    # Only what ends an attempt does; the second condition spares most of the reading.
    telling = (events.c.kind == "attempt.finished", events.c.body.like('%"copies":%'))
    found = connection.execute(select(*_ROW).where(*telling).order_by(events.c.n))
    return (Row(*row) for row in found)


def runs_with_events(connection: Connection) -> list[str]:
    """The ids of all runs, in the order of their starts."""
    query = select(events.c.run).group_by(events.c.run).order_by(func.min(events.c.n))
    return list(connection.execute(query).scalars())


def rows_without_events(connection: Connection) -> list[str]:
    """Runs in short that no event stands behind."""
    behind = select(events.c.n).where(events.c.run == runs.c.run)
    return list(connection.execute(select(runs.c.run).where(~behind.exists())).scalars())


# --- the ledger


def note_in_ledger(connection: Connection, what: Mark, row: Row) -> None:
    """Add a run's start or end to the ledger; the caller holds the lock against other writers."""
    connection.execute(insert(ledger), asdict(note(last_entry(connection), what, row)))


def last_entry(connection: Connection) -> Entry | None:
    """The newest entry of the ledger."""
    found = connection.execute(select(*_ENTRY).order_by(ledger.c.n.desc()).limit(1)).first()
    return None if found is None else Entry(*found)


def entries_of(connection: Connection, run: str) -> list[Entry]:
    """What the ledger noted of a run."""
    return [Entry(*row) for row in connection.execute(select(*_ENTRY).where(ledger.c.run == run))]


def noted_without_events(connection: Connection) -> list[str]:
    """Runs the ledger noted, of which no event is there."""
    behind = select(events.c.n).where(events.c.run == ledger.c.run)
    query = select(ledger.c.run).where(~behind.exists()).distinct().order_by(ledger.c.run)
    return list(connection.execute(query).scalars())


def entries(connection: Connection) -> Iterator[Entry]:
    """The ledger from its first entry."""
    for row in connection.execute(select(*_ENTRY).order_by(ledger.c.n)):
        yield Entry(*row)


# --- runs in short


def insert_standing(connection: Connection, standing: Standing) -> None:
    """A new run's row."""
    connection.execute(insert(runs), columns_of(standing))


def update_standing(connection: Connection, standing: Standing) -> None:
    """The moving columns of a run's row."""
    _UPDATE_RUN.execute(connection, [{"the_run": standing.run, **_moving(standing)}])


def replace_standing(connection: Connection, standing: Standing) -> None:
    """The whole of a run's row."""
    connection.execute(update(runs).where(runs.c.run == standing.run), columns_of(standing))


def remove_standing(connection: Connection, run: str) -> None:
    """A row that no event stands behind, with what was left for it."""
    clear_requests(connection, run)
    connection.execute(delete(runs).where(runs.c.run == run))


def has_row(connection: Connection, run: str) -> bool:
    """Whether there is a row of the run, damaged or not."""
    return connection.execute(select(runs.c.seq).where(runs.c.run == run)).first() is not None


def last_seq(connection: Connection, run: str) -> int:
    """How many events the run's row says there are; 0 without one."""
    found = connection.execute(select(runs.c.seq).where(runs.c.run == run)).scalar()
    return found if isinstance(found, int) else 0


def standing_of(connection: Connection, run: str) -> Standing | None:
    """A run's row as the fold left it."""
    found = connection.execute(select(*_STANDING).where(runs.c.run == run)).mappings().first()
    return None if found is None else _standing(found)


def unfinished(connection: Connection, subject: str) -> list[RunRow]:
    """The runs of a subject that are not finished."""
    condition = (runs.c.finished_at.is_(None), runs.c.subject == subject)
    found = connection.execute(select(*_SHOWN).where(*condition).order_by(runs.c.run))
    return [run_row(row) for row in found.mappings()]


def like(connection: Connection, part: str) -> list[RunRow]:
    """The run with this id, and up to four whose ids begin or end so."""
    same = or_(
        runs.c.run.startswith(part, autoescape=True), runs.c.run.endswith(part, autoescape=True)
    )
    exact = select(*_SHOWN).where(runs.c.run == part)
    others = select(*_SHOWN).where(same, runs.c.run != part).order_by(runs.c.run).limit(4)
    return [run_row(r) for query in (exact, others) for r in connection.execute(query).mappings()]


def rows(
    connection: Connection, *, unfinished: bool, name: str | None, limit: int | None
) -> list[RunRow]:
    """Runs in short, newest first."""
    query = select(*_SHOWN).order_by(runs.c.started_at.desc(), runs.c.run.desc())
    if unfinished:
        query = query.where(runs.c.finished_at.is_(None))
    if name is not None:
        query = query.where(runs.c.name == name)
    return [run_row(row) for row in connection.execute(query.limit(limit)).mappings()]


def run_row(found: RowMapping) -> RunRow:
    """RunRow from its columns."""
    return RunRow(**_words(found))


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


def _standing(found: RowMapping) -> Standing:
    columns = _words(found)
    try:
        columns["asked"] = _READ_ASKED(parse(found["asked"]))
    except NotDecodable:
        raise _damaged(f"the row of run {found['run']}") from None
    return Standing(**columns)


def _words(found: RowMapping) -> dict[str, Any]:
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
        }
    except ValueError:
        raise _damaged(f"the row of run {found['run']}") from None


def _damaged(what: str) -> JournalUntrusted:
    return JournalUntrusted(f"{what} is damaged", "`drorch journal rebuild` makes it anew")


# --- copies


def learn_copy(connection: Connection, fact: CopyFact, at: datetime) -> None:
    """Bring what is known of a snapshot in a region up to date."""
    same = (
        copies.c.dataset == fact.dataset,
        copies.c.region == fact.region,
        copies.c.snapshot == fact.snapshot,
    )
    found = connection.execute(select(*_COPY).where(*same)).mappings().first()
    columns = copy_columns(learn(None if found is None else known_copy(found), fact, at))
    if found is None:
        connection.execute(insert(copies), columns)
    else:
        connection.execute(update(copies).where(*same), columns)
    if supersedes(fact):
        other = copies.c.snapshot != fact.snapshot
        older = copies.c.snapshot_at <= columns["snapshot_at"]
        connection.execute(delete(copies).where(*same[:2], copies.c.owed.is_(True), other, older))


def copies_of(connection: Connection, dataset: str) -> list[KnownCopy]:
    """Every known snapshot of a dataset, newest first."""
    order = (copies.c.snapshot_at.desc(), copies.c.snapshot, copies.c.region)
    found = connection.execute(select(*_COPY).where(copies.c.dataset == dataset).order_by(*order))
    return [known_copy(row) for row in found.mappings()]


def every_copy(connection: Connection) -> list[KnownCopy]:
    """All known copies."""
    return [known_copy(row) for row in connection.execute(select(*_COPY)).mappings()]


def replace_copies(connection: Connection, known: Collection[KnownCopy]) -> None:
    """Make these all the known copies."""
    connection.execute(delete(copies))
    if known:
        connection.execute(insert(copies), [copy_columns(copy) for copy in known])


def known_copy(found: RowMapping) -> KnownCopy:
    """KnownCopy from its columns."""
    instants = {name: found[name] for name in _INSTANTS if found[name] is not None}
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
    connection.execute(insert(posted), {"run": run, "kind": kind, "body": body})


def requests(connection: Connection, run: str, after: int) -> list[tuple[int, str, str]]:
    """Requests left for a run with an id above `after`, oldest first."""
    condition = (posted.c.run == run, posted.c.id > after)
    columns = (posted.c.id, posted.c.kind, posted.c.body)
    query = select(*columns).where(*condition).order_by(posted.c.id)
    return [(number, kind, body) for number, kind, body in connection.execute(query)]


def clear_requests(connection: Connection, run: str, upto: int | None = None) -> None:
    """Remove what was left for a run: up to an id, or all of it."""
    done = delete(posted).where(posted.c.run == run)
    connection.execute(done if upto is None else done.where(posted.c.id <= upto))
