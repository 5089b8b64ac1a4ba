"""The ledger of outages, and what people say of them. Both are only appended to."""

import json
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LEDGERS: Final = {
    "outage_event": "the ledger of outages is only appended to",
    "remark": "what was said of an outage is only appended to",
}


def upgrade() -> None:
    """Make the tables, and begin the ledger with the outages that there are.

    Of lines that are packed from now on it is kept when each of them came.
    """
    op.add_column("segment", sa.Column("receipts", sa.LargeBinary(), nullable=True))
    op.create_table(
        "outage_event",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("check", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("carried_from", sa.String(), nullable=False),
        sa.Column("detected_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_known_us", sa.BigInteger(), nullable=True),
        sa.Column("absorbed_by", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_outage_event"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_outage_event_number_revision", "outage_event", ["number", "revision"], unique=True
    )
    op.create_index("ix_outage_event_check_recorded_us", "outage_event", ["check", "recorded_us"])
    op.create_table(
        "remark",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_remark"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_remark_number", "remark", ["number"])
    _tell_of_known_outages()
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
    op.drop_index("ix_remark_number", table_name="remark")
    op.drop_table("remark")
    op.drop_index("ix_outage_event_check_recorded_us", table_name="outage_event")
    op.drop_index("uq_outage_event_number_revision", table_name="outage_event")
    op.drop_table("outage_event")
    op.drop_column("segment", "receipts")


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


def _tell_of_known_outages() -> None:
    """Each as it is now: what was known of it before was not kept."""
    outage = sa.table("outage", *(sa.column(name) for name in _OUTAGE))
    event = sa.table("outage_event", *(sa.column(name) for name in _EVENT))
    rows = op.get_bind().execute(sa.select(outage).order_by(outage.c.detected_us, outage.c.number))
    for row in rows.mappings().all():
        op.bulk_insert(event, _events_of(dict(row)))


_OUTAGE: Final = ("number", "check", "ended_us", "detected_us", "closed_known_us", "body")
_EVENT: Final = (
    "number", "revision", "kind", "recorded_us", "check", "body", "carried_from", "detected_us",
    "closed_known_us", "absorbed_by", "cause", "lines", "line_count",
)  # fmt: skip


def _events_of(row: dict[str, object]) -> list[dict[str, object]]:
    body = row["body"]
    assert isinstance(body, bytes)
    told = [("opened", row["detected_us"])]
    if json.loads(body).get("downtime_us_min", 0) > 0:
        told.append(("confirmed", row["detected_us"]))
    if row["ended_us"] is not None:
        told.append(("closed", row["closed_known_us"]))
    return [
        {
            "number": row["number"],
            "revision": revision,
            "kind": kind,
            "recorded_us": recorded_us,
            "check": row["check"],
            "body": body,
            "carried_from": "",
            "detected_us": row["detected_us"],
            "closed_known_us": row["closed_known_us"],
            "absorbed_by": 0,
            "cause": "upgrade",
            "lines": b"[]",
            "line_count": 0,
        }
        for revision, (kind, recorded_us) in enumerate(told, 1)
    ]
