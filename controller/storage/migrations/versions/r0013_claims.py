"""Claims: the ledger of acts, and the packs as they were handed out. Both are only appended to."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_LEDGERS: Final = {
    "claim_event": "the ledger of claims is only appended to",
    "claim_file": "the pack of a claim stays as it was handed out",
}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "claim_event",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=True),
        sa.Column("late", sa.String(), nullable=False),
        sa.Column("by_claim", sa.Integer(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_claim_event"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_claim_event_number_revision", "claim_event", ["number", "revision"], unique=True
    )
    op.create_table(
        "claim_file",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("place", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", "place", name="pk_claim_file"),
    )
    for name, refusal in _LEDGERS.items():
        _refuse_changes(name, refusal)


def _refuse_changes(name: str, refusal: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {name}_no_{event.lower()} BEFORE {event} ON {name}"
                f" BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION refuse_{name}_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION refuse_{name}_change()"
    )


def downgrade() -> None:
    """Take them away."""
    for name in _LEDGERS:
        if op.get_bind().dialect.name == "sqlite":
            for event in ("update", "delete"):
                op.execute(f"DROP TRIGGER {name}_no_{event}")
        else:
            op.execute(f"DROP TRIGGER {name}_no_change ON {name}")
            op.execute(f"DROP FUNCTION refuse_{name}_change()")
    op.drop_table("claim_file")
    op.drop_index("uq_claim_event_number_revision", table_name="claim_event")
    op.drop_table("claim_event")
