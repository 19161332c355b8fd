"""The tables, by SQLAlchemy Core. `events` and `ledger` only grow; the others can be rebuilt.

Instants are ISO 8601 texts in UTC with microseconds and Z: they sort as they should, say the
same on every database, and are what the hashes are taken over.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

#: The newest revision under migrations/versions: what this code reads and writes.
REVISION = "0005"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column that is called INTEGER to the letter.
_Number = BigInteger().with_variant(Integer(), "sqlite")

#: `n` is the order in which events were recorded over all runs; the chain does not cover it.
events = Table(
    "events",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=True),
    Column("run", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("ticks", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("run", "seq"),
    sqlite_autoincrement=True,
)

ledger = Table(
    "ledger",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("run", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("head", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("run", "what"),
)

runs = Table(
    "runs",
    metadata,
    Column("run", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("dirty", Boolean, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("head", Text, nullable=False),
    Column("owner_host", Text, nullable=False),
    Column("owner_pid", BigInteger, nullable=False),
    Column("owner_started", BigInteger, nullable=False),
    Column("owner_boot", Text, nullable=False),
    Column("owner_token", Text, nullable=False),
    Column("in_flight", Integer, nullable=False),
    Column("asked", Text, nullable=False),
)
Index("ix_runs_started_at", runs.c.started_at, runs.c.run)
Index("ix_runs_name_started_at", runs.c.name, runs.c.started_at, runs.c.run)
Index("ix_runs_kind_started_at", runs.c.kind, runs.c.started_at, runs.c.run)
Index(
    "ix_runs_unfinished",
    runs.c.subject,
    sqlite_where=runs.c.finished_at.is_(None),
    postgresql_where=runs.c.finished_at.is_(None),
)

copies = Table(
    "copies",
    metadata,
    Column("dataset", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    Column("snapshot", Text, primary_key=True),
    Column("snapshot_at", Text, nullable=False),
    Column("files", BigInteger),
    Column("bytes", BigInteger),
    Column("owed", Boolean, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column("verified_at", Text),
    Column("restore_tested_at", Text),
)
Index("ix_copies_dataset_snapshot_at", copies.c.dataset, copies.c.snapshot_at)

#: The same in short, for each region of a dataset (core/posture.py): ten thousand are read at once.
stocks = Table(
    "stocks",
    metadata,
    Column("dataset", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    Column("snapshot", Text),
    Column("newest_at", Text),
    Column("oldest_at", Text),
    Column("verified_at", Text),
    Column("restore_tested_at", Text),
    Column("owed_at", Text),
    Column("owed_since", Text),
    Column("files", BigInteger),
    Column("bytes", BigInteger),
)

#: How old copies were at any time: from `at` on, the newest snapshot known to lie in the region was
#: of `newest_at`, which is not after `at`; NULL: none did. Up to the next row of the place.
points = Table(
    "points",
    metadata,
    Column("dataset", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    Column("at", Text, primary_key=True),
    Column("newest_at", Text),
    sqlite_with_rowid=False,
)

#: What else attempts learned: the newest of each place (core/facts.py), as canonical JSON.
facts = Table(
    "facts",
    metadata,
    Column("word", Text, primary_key=True),
    Column("dataset", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
)

#: What became of each slot of a job: a row for one that was fired, or for a gap of missed ones. That
#: none is there twice is held by `jobs`; only after a clock has lied may two runs have had one.
slots = Table(
    "slots",
    metadata,
    Column("job", Text, primary_key=True),
    Column("first_at", Text, primary_key=True),
    Column("last_at", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("fate", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("run", Text, primary_key=True),
)
Index("ix_slots_last_at", slots.c.last_at, slots.c.job, slots.c.run)
Index("ix_slots_run", slots.c.run)

#: Up to when the slots of each job are accounted for: what is recorded next must come after.
jobs = Table(
    "jobs",
    metadata,
    Column("job", Text, primary_key=True),
    Column("accounted_at", Text, nullable=False),
)

#: Requests people leave for a run's owner. A number is never given twice (AUTOINCREMENT): owners
#: ask for what came after the last they took.
posted = Table(
    "posted",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("run", Text, ForeignKey("runs.run"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_posted_run", "run", "id"),
    sqlite_autoincrement=True,
)

#: Alembic's own table; the name and the column are its convention.
revisions = Table(
    "alembic_version", MetaData(), Column("version_num", String(32), primary_key=True)
)
