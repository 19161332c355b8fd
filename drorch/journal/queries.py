"""The statements, by SQLAlchemy Core: the source that journal/statements.py is rendered from.

Every constant in capitals is one statement; its parameters are plain and named. After a change
here or in journal/schema.py: `python -m drorch.journal.rendering`.
"""

from dataclasses import fields
from typing import TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Table,
    Text,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.selectable import GenerativeSelect

from drorch.core.posture import KnownCopy, RunRow, SlotRow, Stock
from drorch.journal.chain import Entry, Row
from drorch.journal.projection import Standing
from drorch.journal.schema import (
    copies,
    events,
    facts,
    jobs,
    ledger,
    posted,
    revisions,
    runs,
    slots,
    stocks,
)

Query = TypeVar("Query", bound=GenerativeSelect)

#: Columns that never change: a run's, and a copy's key.
_FIXED = {"run", "kind", "name", "subject", "mode", "trigger", "by", "started_at"}
_KEY = {"dataset", "region", "snapshot"}


def columns(table: Table, value: type) -> list[ColumnElement[object]]:
    """A value's fields as columns, in their order."""
    return [table.c[f.name] for f in fields(value)]


def values_of(names: set[str] | list[str]) -> dict[str, object]:
    """Columns with a parameter of the same name each."""
    return {name: bindparam(name) for name in names}


def _names(value: type) -> list[str]:
    return [f.name for f in fields(value)]


def up_to(limit: ColumnElement[int], query: Query) -> Query:
    """No more than so many rows."""
    # SQLite's dialect writes an offset in any case, as a parameter if it is not given as text.
    return query.limit(limit).offset(literal_column("0"))


_LIMIT = bindparam("limit", type_=BigInteger)

REVISION_FOUND = select(revisions.c.version_num)

# --- events

_ROW = select(*columns(events, Row))

INSERT_EVENT = insert(events).inline().values(values_of(_names(Row)))
PAGE = up_to(
    _LIMIT,
    _ROW.where(events.c.run == bindparam("run"), events.c.seq > bindparam("after")).order_by(
        events.c.seq
    ),
)
EVENTS = _ROW.where(events.c.run == bindparam("run")).order_by(events.c.seq)
EVENTS_TELLING = _ROW.where(
    or_(events.c.kind == bindparam("kind"), events.c.kind == bindparam("end")),
    or_(events.c.body.like(bindparam("one")), events.c.body.like(bindparam("other"))),
).order_by(events.c.n)
_NUMBERED = select(events.c.n, *columns(events, Row))

INSERT_NUMBERED = insert(events).inline().values(values_of(["n", *_names(Row)]))
NUMBERED_AFTER = up_to(
    _LIMIT, _NUMBERED.where(events.c.n > bindparam("after")).order_by(events.c.n)
)
NUMBERED = _NUMBERED.where(events.c.n == bindparam("n"))
LAST_NUMBER = select(func.max(events.c.n))
RUNS_WITH_EVENTS = select(events.c.run).group_by(events.c.run).order_by(func.min(events.c.n))
RUNS_WITHOUT_EVENTS = select(runs.c.run).where(
    ~select(events.c.n).where(events.c.run == runs.c.run).exists()
)

# --- the ledger

_ENTRY = select(*columns(ledger, Entry))

INSERT_ENTRY = insert(ledger).inline().values(values_of(_names(Entry)))
LAST_ENTRY = up_to(literal_column("1"), _ENTRY.order_by(ledger.c.n.desc()))
FIRST_ENTRY = up_to(literal_column("1"), _ENTRY.order_by(ledger.c.n))
ENTRIES = _ENTRY.order_by(ledger.c.n)
ENTRY_AT = _ENTRY.where(ledger.c.n == bindparam("n"))
ENTRIES_OF = _ENTRY.where(ledger.c.run == bindparam("run"))
NOTED_WITHOUT_EVENTS = (
    select(ledger.c.run)
    .where(~select(events.c.n).where(events.c.run == ledger.c.run).exists())
    .distinct()
    .order_by(ledger.c.run)
)

# --- runs in short

_SHOWN = select(*columns(runs, RunRow))
_NEWEST_FIRST = up_to(_LIMIT, _SHOWN.order_by(runs.c.started_at.desc(), runs.c.run.desc()))
_IS_UNFINISHED = runs.c.finished_at.is_(None)
_IS_NAMED = runs.c.name == bindparam("name")
_MOVING = [name for name in _names(Standing) if name not in _FIXED]

INSERT_RUN = insert(runs).inline().values(values_of(_names(Standing)))
UPDATE_RUN = update(runs).where(runs.c.run == bindparam("the_run")).values(values_of(_MOVING))
REPLACE_RUN = (
    update(runs)
    .where(runs.c.run == bindparam("the_run"))
    .values(values_of([name for name in _names(Standing) if name != "run"]))
)
DELETE_RUN = delete(runs).where(runs.c.run == bindparam("run"))
SEQ_OF_RUN = select(runs.c.seq).where(runs.c.run == bindparam("run"))
STANDING = select(*columns(runs, Standing)).where(runs.c.run == bindparam("run"))
UNFINISHED_OF = _SHOWN.where(_IS_UNFINISHED, runs.c.subject == bindparam("subject")).order_by(
    runs.c.run
)
RUN = _SHOWN.where(runs.c.run == bindparam("run"))
RUNS_LIKE = up_to(
    literal_column("4"),
    _SHOWN.where(
        or_(
            runs.c.run.like(bindparam("beginning"), escape="/"),
            runs.c.run.like(bindparam("end"), escape="/"),
        ),
        runs.c.run != bindparam("run"),
    ).order_by(runs.c.run),
)
BEGINNING = select(func.min(runs.c.started_at))
RUNS = _NEWEST_FIRST
RUNS_NAMED = _NEWEST_FIRST.where(_IS_NAMED)
# Sorted by whoever reads them: asked for an order, SQLite goes through every run by it.
RUNS_UNFINISHED = _SHOWN.where(_IS_UNFINISHED)
TOOK = up_to(
    _LIMIT,
    select(runs.c.started_at, runs.c.finished_at)
    .where(_IS_NAMED, runs.c.kind == bindparam("kind"), runs.c.outcome == bindparam("outcome"))
    .order_by(runs.c.started_at.desc(), runs.c.run.desc()),
)
RUNS_UNFINISHED_NAMED = _NEWEST_FIRST.where(_IS_UNFINISHED, _IS_NAMED)

# Instants are of one length: together they sort by the end, and the start can be told from it.
ENDED_COUNTED = (
    select(
        runs.c.kind,
        runs.c.name,
        runs.c.outcome,
        func.count(),
        func.max(runs.c.finished_at.concat(runs.c.started_at)),
    )
    .where(runs.c.finished_at.is_not(None))
    .group_by(runs.c.kind, runs.c.name, runs.c.outcome)
)
ENDED_AFTER = (
    select(
        runs.c.kind,
        runs.c.name,
        runs.c.outcome,
        literal_column("1"),
        runs.c.finished_at.concat(runs.c.started_at),
    )
    .join_from(ledger, runs, runs.c.run == ledger.c.run)
    .where(ledger.c.n > bindparam("after"), ledger.c.what == bindparam("what"))
)

KINDS_ENDED_AFTER = (
    select(ledger.c.n, ledger.c.run, runs.c.kind)
    .join_from(ledger, runs, runs.c.run == ledger.c.run)
    .where(
        ledger.c.n > bindparam("after"),
        ledger.c.what == bindparam("what"),
        ledger.c.at >= bindparam("since"),
    )
    .order_by(ledger.c.n)
)

# --- copies

_COPY = select(*columns(copies, KnownCopy))
_THE_COPY = [copies.c[name] == bindparam(f"the_{name}") for name in sorted(_KEY)]

INSERT_COPY = insert(copies).inline().values(values_of(_names(KnownCopy)))
UPDATE_COPY = (
    update(copies)
    .where(*_THE_COPY)
    .values(values_of([name for name in _names(KnownCopy) if name not in _KEY]))
)
DELETE_OTHERS_OWED = delete(copies).where(
    copies.c.dataset == bindparam("dataset"),
    copies.c.region == bindparam("region"),
    copies.c.owed.is_(True),
    copies.c.snapshot != bindparam("snapshot"),
    copies.c.snapshot_at <= bindparam("snapshot_at"),
)
DELETE_COPIES = delete(copies)
COPY = _COPY.where(*_THE_COPY)
COPIES_OF = _COPY.where(copies.c.dataset == bindparam("dataset")).order_by(
    copies.c.snapshot_at.desc(), copies.c.snapshot, copies.c.region
)
COPIES = _COPY
# Instants are texts that sort: the greatest text that begins with one is the newest snapshot's.
_HELD, _OWED = copies.c.owed.is_(False), copies.c.owed.is_(True)
_FIGURES = [
    func.coalesce(cast(column, Text), literal_column("''"))
    for column in (copies.c.files, copies.c.bytes)
]
_HELD_ONE = (
    copies.c.snapshot_at
    + copies.c.snapshot
    + literal_column("' '", Text)
    + _FIGURES[0]
    + literal_column("' '", Text)
    + _FIGURES[1]
)
STOCKS_COUNTED = (
    select(
        copies.c.dataset,
        copies.c.region,
        func.max(case((_HELD, _HELD_ONE))),
        func.min(case((_HELD, copies.c.snapshot_at))),
        func.max(case((_HELD, copies.c.verified_at))),
        func.max(case((_HELD, copies.c.restore_tested_at))),
        func.max(case((_OWED, copies.c.snapshot_at + copies.c.recorded_at))),
    )
    .group_by(copies.c.dataset, copies.c.region)
    .order_by(copies.c.dataset, copies.c.region)
)
STOCK_COUNTED = STOCKS_COUNTED.where(
    copies.c.dataset == bindparam("the_dataset"), copies.c.region == bindparam("the_region")
)
STOCKS = select(*columns(stocks, Stock)).order_by(stocks.c.dataset, stocks.c.region)
STOCKS_OF = STOCKS.where(stocks.c.dataset == bindparam("the_dataset"))
INSERT_STOCK = insert(stocks).inline().values(values_of(_names(Stock)))
DELETE_STOCK = delete(stocks).where(
    stocks.c.dataset == bindparam("the_dataset"), stocks.c.region == bindparam("the_region")
)
DELETE_STOCKS = delete(stocks)

DELETE_COPY = delete(copies).where(*_THE_COPY)

# --- facts

_PLACE = ["word", "dataset", "region", "subject"]
_FACT = select(*(facts.c[name] for name in (*_PLACE, "body", "recorded_at")))

INSERT_FACT = insert(facts).inline().values(values_of([*_PLACE, "body", "recorded_at"]))
DELETE_FACT = delete(facts).where(*(facts.c[n] == bindparam(f"the_{n}") for n in _PLACE))
DELETE_FACTS = delete(facts)
FACTS_OF = _FACT.where(
    facts.c.word == bindparam("word"), facts.c.dataset == bindparam("dataset")
).order_by(facts.c.region, facts.c.subject)
FACTS_SAYING = FACTS_OF.where(facts.c.body.like(bindparam("said")))
SUBJECTS_SAYING = select(facts.c.subject, facts.c.recorded_at).where(
    facts.c.word == bindparam("word"),
    facts.c.dataset == literal_column("''"),
    facts.c.region == bindparam("region"),
    facts.c.body.like(bindparam("said")),
)
FACTS_OF_ALL = _FACT.where(facts.c.word == bindparam("word")).order_by(
    facts.c.dataset, facts.c.region, facts.c.subject
)
FACTS = _FACT
DATASETS_WITH_FACTS = select(facts.c.dataset).where(facts.c.word == bindparam("word")).distinct()
#: Forgotten snapshots that regions still hold, and when they were forgotten.
FORGOTTEN_HELD = select(copies.c.dataset, copies.c.region, facts.c.recorded_at).where(
    facts.c.word == bindparam("word"),
    facts.c.dataset == copies.c.dataset,
    facts.c.region == literal_column("''"),
    facts.c.subject == copies.c.snapshot,
)

# --- slots

_SLOT = select(*columns(slots, SlotRow))
_SINCE = slots.c.last_at >= bindparam("since")

INSERT_SLOT = insert(slots).inline().values(values_of(_names(SlotRow)))
DELETE_SLOTS_BY = delete(slots).where(slots.c.run == bindparam("run"))
SLOTS = up_to(
    _LIMIT,
    _SLOT.where(_SINCE).order_by(slots.c.last_at.desc(), slots.c.job.desc(), slots.c.run.desc()),
)
SLOTS_OF = up_to(
    _LIMIT,
    _SLOT.where(slots.c.job == bindparam("job"), _SINCE).order_by(
        slots.c.first_at.desc(), slots.c.run.desc()
    ),
)
# An outer one, so that SQLite goes by the jobs and looks each one's slot up.
NEWEST_SLOTS = _SLOT.join_from(
    jobs,
    slots,
    (jobs.c.job == slots.c.job) & (jobs.c.accounted_at == slots.c.last_at),
    isouter=True,
)
# What was fired as it should be says nothing.
# In no order: SQLite would read every slot there ever was, to have them by job, and not those of a day.
SLOTS_OFF = (
    select(*columns(slots, SlotRow), jobs.c.accounted_at)
    .join_from(slots, jobs, jobs.c.job == slots.c.job)
    .where(_SINCE, slots.c.fate != bindparam("fate"))
)
SLOTS_BY = _SLOT.where(slots.c.run == bindparam("run")).order_by(slots.c.job, slots.c.first_at)
SLOTS_WITHOUT_EVENTS = (
    select(slots.c.run)
    .where(~select(events.c.n).where(events.c.run == slots.c.run).exists())
    .distinct()
)
SLOTS_COUNTED = select(slots.c.job, slots.c.fate, func.sum(slots.c.count)).group_by(
    slots.c.job, slots.c.fate
)
SLOTS_AFTER = (
    select(slots.c.job, slots.c.fate, slots.c.count)
    .join_from(ledger, slots, slots.c.run == ledger.c.run)
    .where(ledger.c.n > bindparam("after"), ledger.c.what == bindparam("what"))
)
EVENTS_OF_SCHEDULES = _ROW.where(
    or_(*(events.c.kind == bindparam(name) for name in ("taken", "missed", "seen")))
).order_by(events.c.n)
INSERT_JOB = insert(jobs).inline().values(values_of(["job", "accounted_at"]))
UPDATE_JOB = (
    update(jobs).where(jobs.c.job == bindparam("the_job")).values(values_of(["accounted_at"]))
)
DELETE_JOBS = delete(jobs)
JOBS = select(jobs.c.job, jobs.c.accounted_at)
JOB = JOBS.where(jobs.c.job == bindparam("job"))

# --- requests

POSTED = select(posted.c.run, posted.c.kind, posted.c.body).order_by(posted.c.id)
POST = insert(posted).inline().values(values_of(["run", "kind", "body"]))
REQUESTS = (
    select(posted.c.id, posted.c.kind, posted.c.body)
    .where(posted.c.run == bindparam("run"), posted.c.id > bindparam("after"))
    .order_by(posted.c.id)
)
CLEAR_REQUESTS = delete(posted).where(posted.c.run == bindparam("run"))
CLEAR_REQUESTS_UP_TO = CLEAR_REQUESTS.where(posted.c.id <= bindparam("upto"))
