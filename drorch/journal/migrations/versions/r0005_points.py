"""How old each region's copies of each dataset were at any time; runs by kind and time.

What older journals know of it is folded from their events, as this version did when it was new.
"""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_Place: TypeAlias = tuple[str, str]

_TELLING = """
SELECT at, body FROM events WHERE kind = 'attempt.finished' AND body LIKE '%"copies":%' ORDER BY n
"""
_BATCH = 5_000


def upgrade() -> None:
    """Make the table and the index, and fill the table."""
    points = op.create_table(
        "points",
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("newest_at", sa.Text),
        sa.PrimaryKeyConstraint("dataset", "region", "at", name="pk_points"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_runs_kind_started_at", "runs", ["kind", "started_at", "run"])
    found: dict[tuple[str, str, str], str | None] = {}
    for place, at, newest in _told(op.get_bind()):
        found[(*place, at)] = newest
        if len(found) >= _BATCH:
            _insert(points, found)
    _insert(points, found)


def _insert(points: sa.Table, found: dict[tuple[str, str, str], str | None]) -> None:
    """Those of one batch; a row of the same moment from an earlier one gives way."""
    bind = op.get_bind()
    if not found:
        return
    same = sa.and_(*(points.c[name] == sa.bindparam(f"the_{name}") for name in _KEY))
    keys = [{f"the_{name}": part for name, part in zip(_KEY, key, strict=True)} for key in found]
    bind.execute(sa.delete(points).where(same), keys)
    rows = [dict(zip((*_KEY, "newest_at"), (*key, at), strict=True)) for key, at in found.items()]
    bind.execute(sa.insert(points), rows)
    found.clear()


_KEY = ("dataset", "region", "at")


def _told(bind: sa.Connection) -> Iterator[tuple[_Place, str, str | None]]:
    """Place, moment and time of the newest snapshot, after each event that tells of copies."""
    known: dict[_Place, dict[str, tuple[str, bool]]] = {}
    telling = sa.text(_TELLING).execution_options(yield_per=_BATCH)
    for at, body in bind.execute(telling):
        copies = json.loads(body).get("copies", ())
        for copy in copies:
            _learn(known, copy)
        for place in dict.fromkeys((copy["dataset"], copy["region"]) for copy in copies):
            held = (when for when, owed in known.get(place, {}).values() if not owed)
            yield place, at, max((when for when in held if when <= at), default=None)


def _learn(known: dict[_Place, dict[str, tuple[str, bool]]], copy: dict[str, Any]) -> None:
    """What is known of the snapshots in a region: the time of each, and whether it is owed."""
    there = known.setdefault((copy["dataset"], copy["region"]), {})
    snapshot, fact = copy["snapshot"], copy["fact"]
    if fact == "gone":
        there.pop(snapshot, None)
        return
    when = there[snapshot][0] if snapshot in there else copy["snapshot_at"]
    there[snapshot] = (when, fact == "owed")
    if fact in ("held", "owed"):
        for other in [
            s for s, (at, owed) in there.items() if owed and s != snapshot and at <= when
        ]:
            del there[other]
