"""The statements about what happened between two moments: a quarter is read by them.

Like journal/queries.py, from which they are rendered together.
"""

from sqlalchemy import Text, bindparam, case, delete, func, insert, literal_column, select, tuple_

from drorch.core.posture import RunRow, SlotRow
from drorch.journal.queries import columns, up_to, values_of
from drorch.journal.schema import copies, points, runs, slots

# --- what was done between two moments

_STARTED = [runs.c.started_at >= bindparam("since"), runs.c.started_at < bindparam("until")]
RUNS_COUNTED = (
    select(
        runs.c.kind,
        runs.c.name,
        runs.c.trigger,
        runs.c.outcome,
        func.count(),
        func.max(case((runs.c.outcome == bindparam("good"), runs.c.finished_at))),
    )
    .where(*_STARTED)
    .group_by(runs.c.kind, runs.c.name, runs.c.trigger, runs.c.outcome)
)
RUNS_OF_KIND = (
    select(*columns(runs, RunRow))
    .where(runs.c.kind == bindparam("kind"), *_STARTED)
    .order_by(runs.c.started_at, runs.c.run)
)
_OF_NAME = select(runs.c.started_at, runs.c.run).where(
    runs.c.name == bindparam("name"), runs.c.kind == bindparam("kind")
)
FIRST_OF_NAME = up_to(literal_column("1"), _OF_NAME.order_by(runs.c.started_at, runs.c.run))
LAST_OF_NAME = up_to(
    literal_column("1"),
    _OF_NAME.where(runs.c.started_at < bindparam("until")).order_by(
        runs.c.started_at.desc(), runs.c.run.desc()
    ),
)

# --- how old copies were

_POINT = ["dataset", "region", "at", "newest_at"]
_OF_PLACE = [points.c[name] == bindparam(f"the_{name}") for name in ("dataset", "region")]
_TEXTS = {name: bindparam(name, type_=Text) for name in ("dataset", "region", "at")}

INSERT_POINT = insert(points).inline().values(values_of(_POINT))
#: What lies there now, as of `at`: a snapshot of a later time was made by a clock that was ahead.
INSERT_POINT_FOUND = (
    insert(points)
    .inline()
    .from_select(
        _POINT,
        select(*_TEXTS.values(), func.max(copies.c.snapshot_at)).where(
            copies.c.dataset == _TEXTS["dataset"],
            copies.c.region == _TEXTS["region"],
            copies.c.owed.is_(False),
            copies.c.snapshot_at <= _TEXTS["at"],
        ),
    )
)
DELETE_POINT = delete(points).where(*_OF_PLACE, points.c.at == bindparam("the_at"))
DELETE_POINTS = delete(points)
POINTS = select(*(points.c[name] for name in _POINT)).order_by(
    points.c.dataset, points.c.region, points.c.at
)
#: The first place after another: so all are found without a look at every row.
NEXT_PLACE = up_to(
    literal_column("1"),
    select(points.c.dataset, points.c.region)
    .where(
        tuple_(points.c.dataset, points.c.region)
        > tuple_(bindparam("dataset", type_=Text), bindparam("region", type_=Text))
    )
    .order_by(points.c.dataset, points.c.region),
)
_AGE = select(points.c.at, points.c.newest_at).where(*_OF_PLACE)
POINTS_BETWEEN = _AGE.where(
    points.c.at >= bindparam("since"), points.c.at < bindparam("until")
).order_by(points.c.at)
POINT_BEFORE = up_to(
    literal_column("1"),
    _AGE.where(points.c.at < bindparam("since")).order_by(points.c.at.desc()),
)
FIRST_POINT = up_to(
    literal_column("1"),
    _AGE.where(points.c.newest_at.is_not(None)).order_by(points.c.at),
)

# --- slots

_INSIDE = [slots.c.first_at >= bindparam("since"), slots.c.last_at < bindparam("until")]
# By the index over the ends: what began since then ended since then.
SLOTS_DONE = (
    select(slots.c.job, slots.c.fate, runs.c.outcome, func.sum(slots.c.count))
    .join_from(slots, runs, runs.c.run == slots.c.run, isouter=True)
    .where(slots.c.last_at >= bindparam("since"), *_INSIDE)
    .group_by(slots.c.job, slots.c.fate, runs.c.outcome)
)
SLOTS_MISSED = (
    select(slots.c.job, slots.c.why, func.sum(slots.c.count))
    .where(slots.c.last_at >= bindparam("since"), *_INSIDE, slots.c.fate == bindparam("fate"))
    .group_by(slots.c.job, slots.c.why)
)
#: Gaps of missed slots that begin before a moment, and end at it or after it.
SLOTS_ACROSS = select(*columns(slots, SlotRow)).where(
    slots.c.last_at >= bindparam("border"), slots.c.first_at < bindparam("border")
)
