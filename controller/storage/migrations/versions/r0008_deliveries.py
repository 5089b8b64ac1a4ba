"""Deliveries of messages to channels, and how far what they tell of was read."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "delivery",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_delivery"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_delivery_key", "delivery", ["key"], unique=True)
    op.create_index("ix_delivery_state_channel_due_us", "delivery", ["state", "channel", "due_us"])
    op.create_index("ix_delivery_channel_subject", "delivery", ["channel", "subject"])
    op.create_index("ix_delivery_subject", "delivery", ["subject"])
    op.create_table(
        "notify_progress",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notify_progress"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("notify_progress")
    for name in ("subject", "channel_subject", "state_channel_due_us"):
        op.drop_index(f"ix_delivery_{name}", table_name="delivery")
    op.drop_index("uq_delivery_key", table_name="delivery")
    op.drop_table("delivery")
