"""Outages of a region alone, what of them lies across a settled instant, and incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every outage until now was of all regions."""
    op.add_column(
        "outage", sa.Column("region", sa.String(), nullable=False, server_default=sa.text("''"))
    )
    op.create_table(
        "carried",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", "at_us", name="pk_carried"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incident",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("gone_us", sa.BigInteger(), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_incident"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "incident_outage",
        sa.Column("outage", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("outage", name="pk_incident_outage"),
    )
    op.create_index("ix_incident_outage_incident", "incident_outage", ["incident"])
    op.create_table(
        "incident_followed",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident_followed"),
    )


def downgrade() -> None:
    """Regional outages go with the column that tells them apart."""
    op.drop_table("incident_followed")
    op.drop_index("ix_incident_outage_incident", table_name="incident_outage")
    op.drop_table("incident_outage")
    op.drop_table("incident")
    op.drop_table("carried")
    op.execute("DELETE FROM outage WHERE region <> ''")
    op.drop_column("outage", "region")
