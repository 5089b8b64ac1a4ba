"""The log: leaves, nodes over them, checkpoints. Only appended to."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_LEDGERS: Final = {
    "log_leaf": "the log is only appended to",
    "log_node": "the log is only appended to",
    "log_checkpoint": "what was signed is never changed",
}


def upgrade() -> None:
    """Make the tables. What was written before is not in the log; it says from when on it tells."""
    op.create_table(
        "log_leaf",
        sa.Column("index", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("stream_id", sa.Integer(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("index", name="pk_log_leaf"),
    )
    op.create_index("ix_log_leaf_kind_subject", "log_leaf", ["kind", "subject"])
    op.create_index(
        "uq_log_leaf_stream_id_number", "log_leaf", ["stream_id", "number"], unique=True
    )
    op.create_table(
        "log_node",
        sa.Column("level", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("index", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name="pk_log_node"),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("signed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoint"),
    )
    _refuse_changes()


def downgrade() -> None:
    """Take them away."""
    for name in _LEDGERS:
        if op.get_bind().dialect.name == "sqlite":
            for event in ("update", "delete"):
                op.execute(f"DROP TRIGGER {name}_no_{event}")
        else:
            op.execute(f"DROP TRIGGER {name}_no_change ON {name}")
            op.execute(f"DROP FUNCTION refuse_{name}_change()")
    op.drop_table("log_checkpoint")
    op.drop_table("log_node")
    op.drop_index("uq_log_leaf_stream_id_number", table_name="log_leaf")
    op.drop_index("ix_log_leaf_kind_subject", table_name="log_leaf")
    op.drop_table("log_leaf")


def _refuse_changes() -> None:
    for name, refusal in _LEDGERS.items():
        if op.get_bind().dialect.name == "sqlite":
            for event in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {name}_no_{event.lower()} BEFORE {event} ON {name}"
                    f" BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
                )
            continue
        op.execute(
            f"CREATE FUNCTION refuse_{name}_change() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {name}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION refuse_{name}_change()"
        )
