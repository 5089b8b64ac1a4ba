"""Keys of witnesses, which are only appended to, and their signatures under checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_KEY = "witness_key"
_SIGNED = "log_cosignature"
_REFUSAL = "the key of a witness is never changed"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        _KEY,
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "number", name="pk_witness_key"),
    )
    op.create_table(
        _SIGNED,
        sa.Column("size", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("witness", sa.String(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("is_kept", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("size", "witness", name="pk_log_cosignature"),
    )
    op.create_index("ix_log_cosignature_witness_size", _SIGNED, ["witness", "size"])
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {_KEY}_no_{event.lower()} BEFORE {event} ON {_KEY}"
                f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION refuse_{_KEY}_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {_KEY}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {_KEY}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION refuse_{_KEY}_change()"
    )


def downgrade() -> None:
    """Take them away."""
    if op.get_bind().dialect.name == "sqlite":
        for event in ("update", "delete"):
            op.execute(f"DROP TRIGGER {_KEY}_no_{event}")
    else:
        op.execute(f"DROP TRIGGER {_KEY}_no_change ON {_KEY}")
        op.execute(f"DROP FUNCTION refuse_{_KEY}_change()")
    op.drop_table(_SIGNED)
    op.drop_table(_KEY)
