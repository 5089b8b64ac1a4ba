"""When a message was held back because something else explained it, whatever became of it then."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of what is held back now that is known; of what was released it was not kept."""
    op.add_column("delivery", sa.Column("held_us", sa.BigInteger(), nullable=True))
    op.execute("UPDATE delivery SET held_us = created_us WHERE why IN ('parent', 'flapping')")


def downgrade() -> None:
    """Take it away."""
    op.drop_column("delivery", "held_us")
