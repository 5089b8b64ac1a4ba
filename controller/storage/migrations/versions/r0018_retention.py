"""What was pruned, holds, and counter-evidence. All three are only appended to."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_LEDGERS: Final = {
    "pruned": "what was pruned stays known",
    "hold_event": "the ledger of holds is only appended to",
    "counter": "counter-evidence is only appended to",
}
_INDEXES: Final = {
    "pruned": ("ix_pruned_number", ["number"], False),
    "hold_event": ("uq_hold_event_number_kind", ["number", "kind"], True),
    "counter": ("ix_counter_subject", ["subject"], False),
}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "pruned",
        sa.Column("stream_id", sa.Integer(), nullable=False),
        *_big("first_seq", "last_seq", "first_seal", "last_seal", "lines", "bytes"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name="fk_pruned_stream_id_stream"),
        sa.PrimaryKeyConstraint("stream_id", "first_seq", name="pk_pruned"),
    )
    op.create_table(
        "hold_event",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *_texts("kind"),
        *_big("at_us"),
        *_texts("who", "role", "peer", "subject", "checks"),
        *_big("from_us", "to_us"),
        *_texts("reason"),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_hold_event"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "counter",
        sa.Column("sequence", sa.Integer(), nullable=False),
        *_texts("subject"),
        *_big("at_us"),
        *_texts("who", "role", "peer", "text", "file_name"),
        *_big("size"),
        *_texts("sha256"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_counter"),
        sqlite_autoincrement=True,
    )
    for table, (name, columns, is_unique) in _INDEXES.items():
        op.create_index(name, table, columns, unique=is_unique)
    for name, refusal in _LEDGERS.items():
        _refuse_changes(name, refusal)


def _texts(*names: str) -> list["sa.Column[str]"]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _big(*names: str) -> list["sa.Column[int]"]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


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
        op.drop_index(_INDEXES[name][0], table_name=name)
        op.drop_table(name)
