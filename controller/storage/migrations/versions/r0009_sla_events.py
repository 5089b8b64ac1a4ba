"""The ledger of what was told of contracts. It is only appended to."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NAME: Final = "sla_event"
_REFUSAL: Final = "the ledger of what was told of contracts is only appended to"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        _NAME,
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_sla_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_sla_event_subject_ordinal", _NAME, ["subject", "ordinal"], unique=True)
    op.create_index("ix_sla_event_contract", _NAME, ["contract"])
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {_NAME}_no_{event.lower()} BEFORE {event} ON {_NAME}"
                f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION refuse_{_NAME}_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {_NAME}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {_NAME}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION refuse_{_NAME}_change()"
    )


def downgrade() -> None:
    """Take it away."""
    if op.get_bind().dialect.name == "sqlite":
        for event in ("update", "delete"):
            op.execute(f"DROP TRIGGER {_NAME}_no_{event}")
    else:
        op.execute(f"DROP TRIGGER {_NAME}_no_change ON {_NAME}")
        op.execute(f"DROP FUNCTION refuse_{_NAME}_change()")
    op.drop_index("ix_sla_event_contract", table_name=_NAME)
    op.drop_index("uq_sla_event_subject_ordinal", table_name=_NAME)
    op.drop_table(_NAME)
