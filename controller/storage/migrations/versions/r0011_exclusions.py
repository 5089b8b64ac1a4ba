"""The ledger of exclusions that people declare by command. It is only appended to."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_REFUSAL = "the ledger of exclusions is only appended to"


def upgrade() -> None:
    """Make the table, and let the database refuse to change what is in it."""
    op.create_table(
        "exclusion_entry",
        sa.Column("sequence", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("exclusion", "kind")),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("who", "role", "peer", "digest", "text")
        ),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("uid", "recurrence")),
        sa.PrimaryKeyConstraint("sequence", name="pk_exclusion_entry"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exclusion_entry_at_us", "exclusion_entry", ["at_us"])
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER exclusion_entry_no_{event.lower()} BEFORE {event} ON exclusion_entry"
                f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_exclusion_entry_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER exclusion_entry_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON exclusion_entry"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_exclusion_entry_change()"
    )


def downgrade() -> None:
    """Take it away."""
    if op.get_bind().dialect.name == "sqlite":
        for event in ("update", "delete"):
            op.execute(f"DROP TRIGGER exclusion_entry_no_{event}")
    else:
        op.execute("DROP TRIGGER exclusion_entry_no_change ON exclusion_entry")
        op.execute("DROP FUNCTION refuse_exclusion_entry_change()")
    op.drop_index("ix_exclusion_entry_at_us", table_name="exclusion_entry")
    op.drop_table("exclusion_entry")
