"""Seals, and notes that contradict them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBERS = (
    "first_seq",
    "last_seq",
    "covered_seq",
    "count",
    "scheduled",
    "done",
    "missed",
    "skipped",
    "end_us",
    "received_us",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "seal",
        sa.Column("stream_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _NUMBERS),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name="fk_seal_stream_id_stream"),
        sa.PrimaryKeyConstraint("stream_id", "number", name="pk_seal"),
    )
    op.create_table(
        "forked_seal",
        sa.Column("stream_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("variant", sa.Integer(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["stream.id"], name="fk_forked_seal_stream_id_stream"
        ),
        sa.PrimaryKeyConstraint("stream_id", "number", "variant", name="pk_forked_seal"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("forked_seal")
    op.drop_table("seal")
