"""Tokens of people that are good for some contracts only."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tokens that there are stay as they were."""
    with op.batch_alter_table("person_token") as table:
        table.add_column(sa.Column("contracts", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("person_token") as table:
        table.alter_column("contracts", server_default=None)


def downgrade() -> None:
    """Tokens for some contracts are good for nothing then, rather than for everything."""
    op.execute("DELETE FROM person_token WHERE contracts <> ''")
    with op.batch_alter_table("person_token") as table:
        table.drop_column("contracts")
