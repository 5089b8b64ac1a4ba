"""From when on a remark holds, where that is not when it was made: pauses of outages."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Until now no remark held from another instant."""
    op.add_column("remark", sa.Column("from_us", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("remark", "from_us")
