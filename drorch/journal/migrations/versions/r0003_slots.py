"""What became of the slots of jobs, and up to when each job's are accounted for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables; older journals hold no schedules."""
    op.create_table(
        "slots",
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("first_at", sa.Text, nullable=False),
        sa.Column("last_at", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("fate", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job", "first_at", "run", name="pk_slots"),
    )
    op.create_index("ix_slots_last_at", "slots", ["last_at", "job", "run"])
    op.create_index("ix_slots_run", "slots", ["run"])
    op.create_table(
        "jobs",
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("accounted_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job", name="pk_jobs"),
    )
