"""Issued reports, which are only appended to, and what is to be looked at for them."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NAME: Final = "issued_report"
_REFUSAL: Final = "issued reports are only appended to"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        _NAME,
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("as_of_us", sa.BigInteger(), nullable=False),
        sa.Column("issued_us", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("issued_by", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("is_early", sa.Boolean(), nullable=False),
        sa.Column("unheard", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_issued_report"),
        sqlite_autoincrement=True,
    )
    columns = ["contract", "label", "revision"]
    op.create_index("uq_issued_report_contract_label_revision", _NAME, columns, unique=True)
    op.create_table(
        "retold",
        sa.Column("check", sa.String(), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("to_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("check", name="pk_retold"),
    )
    op.create_table(
        "reopened_report",
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("contract", "label", name="pk_reopened_report"),
    )
    op.create_table(
        "report_progress",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_report_progress"),
    )
    _refuse_changes()


def _refuse_changes() -> None:
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
    """Take them away."""
    if op.get_bind().dialect.name == "sqlite":
        for event in ("update", "delete"):
            op.execute(f"DROP TRIGGER {_NAME}_no_{event}")
    else:
        op.execute(f"DROP TRIGGER {_NAME}_no_change ON {_NAME}")
        op.execute(f"DROP FUNCTION refuse_{_NAME}_change()")
    for name in ("report_progress", "reopened_report", "retold"):
        op.drop_table(name)
    op.drop_index("uq_issued_report_contract_label_revision", table_name=_NAME)
    op.drop_table(_NAME)
