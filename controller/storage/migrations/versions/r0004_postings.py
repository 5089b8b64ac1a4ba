"""Postings of agents, what they report, and notices about them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "posting",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("mode_since_us", sa.BigInteger(), nullable=False),
        sa.Column("mode_reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("agent", name="pk_posting"),
    )
    op.create_table(
        "report",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("agent", name="pk_report"),
    )
    op.create_table(
        "notice",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("to_us", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_notice"),
    )
    op.create_index("ix_notice_to_us", "notice", ["to_us"])


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_notice_to_us", table_name="notice")
    for name in ("notice", "report", "posting"):
        op.drop_table(name)
