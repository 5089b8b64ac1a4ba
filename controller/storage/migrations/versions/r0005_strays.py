"""Where lines are that came for a check before there was one of that name."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "stray",
        sa.Column("stream_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("check", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name="fk_stray_stream_id_stream"),
        sa.PrimaryKeyConstraint("stream_id", "seq", name="pk_stray"),
    )
    op.create_index("ix_stray_check", "stray", ["check"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_stray_check", table_name="stray")
    op.drop_table("stray")
