"""The first schema: events, ledger, runs, copies, posted."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table."""
    _events()
    _ledger()
    _runs()
    _copies()
    _posted()


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("n", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("boot", sa.Text, nullable=False),
        sa.Column("ticks", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("prev", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_events"),
        sa.UniqueConstraint("run", "seq", name="uq_events_run_seq"),
        sqlite_autoincrement=True,
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("n", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("head", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("prev", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_ledger"),
        sa.UniqueConstraint("run", "what", name="uq_ledger_run_what"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("dirty", sa.Boolean, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("head", sa.Text, nullable=False),
        sa.Column("owner_host", sa.Text, nullable=False),
        sa.Column("owner_pid", sa.BigInteger, nullable=False),
        sa.Column("owner_started", sa.BigInteger, nullable=False),
        sa.Column("owner_boot", sa.Text, nullable=False),
        sa.Column("owner_token", sa.Text, nullable=False),
        sa.Column("in_flight", sa.Integer, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run", name="pk_runs"),
    )
    unfinished = sa.text("finished_at IS NULL")
    op.create_index("ix_runs_started_at", "runs", ["started_at", "run"])
    op.create_index("ix_runs_name_started_at", "runs", ["name", "started_at", "run"])
    op.create_index(
        "ix_runs_unfinished",
        "runs",
        ["subject"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )


def _copies() -> None:
    op.create_table(
        "copies",
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.Column("snapshot_at", sa.Text, nullable=False),
        sa.Column("files", sa.BigInteger),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("owed", sa.Boolean, nullable=False),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sa.Column("verified_at", sa.Text),
        sa.Column("restore_tested_at", sa.Text),
        sa.PrimaryKeyConstraint("dataset", "region", "snapshot", name="pk_copies"),
    )
    op.create_index("ix_copies_dataset_snapshot_at", "copies", ["dataset", "snapshot_at"])


def _posted() -> None:
    op.create_table(
        "posted",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_posted"),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name="fk_posted_run"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_posted_run", "posted", ["run", "id"])
