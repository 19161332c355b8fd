"""What each region holds of each dataset, in short."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_FILL = """
INSERT INTO stocks (
    dataset, region, snapshot, newest_at, oldest_at, verified_at, restore_tested_at,
    owed_at, owed_since, files, bytes
)
SELECT known.dataset, known.region, newest.snapshot, newest.snapshot_at, known.oldest_at,
    known.verified_at, known.restore_tested_at, substr(known.owed, 1, 27), substr(known.owed, 28),
    newest.files, newest.bytes
FROM (
    SELECT dataset, region,
        max(CASE WHEN NOT owed THEN snapshot_at || snapshot END) AS held,
        min(CASE WHEN NOT owed THEN snapshot_at END) AS oldest_at,
        max(CASE WHEN NOT owed THEN verified_at END) AS verified_at,
        max(CASE WHEN NOT owed THEN restore_tested_at END) AS restore_tested_at,
        max(CASE WHEN owed THEN snapshot_at || recorded_at END) AS owed
    FROM copies GROUP BY dataset, region
) AS known
LEFT JOIN copies AS newest ON newest.dataset = known.dataset AND newest.region = known.region
    AND newest.snapshot = substr(known.held, 28)
"""


def upgrade() -> None:
    """Make the table from what is known of copies."""
    op.create_table(
        "stocks",
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("snapshot", sa.Text),
        sa.Column("newest_at", sa.Text),
        sa.Column("oldest_at", sa.Text),
        sa.Column("verified_at", sa.Text),
        sa.Column("restore_tested_at", sa.Text),
        sa.Column("owed_at", sa.Text),
        sa.Column("owed_since", sa.Text),
        sa.Column("files", sa.BigInteger),
        sa.Column("bytes", sa.BigInteger),
        sa.PrimaryKeyConstraint("dataset", "region", name="pk_stocks"),
    )
    op.execute(_FILL)
