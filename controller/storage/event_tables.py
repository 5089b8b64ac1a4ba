"""The tables of what was learnt of outages, and of what people said of them. Triggers refuse changes."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class OutageEventRow(Row, table=True):
    """One event of the ledger of outages."""

    __tablename__ = "outage_event"
    sequence: int | None = Field(default=None, primary_key=True)
    number: int
    revision: int
    kind: str
    recorded_us: int = Field(sa_type=BigInteger)
    check: str
    body: bytes = Field(sa_column=bytes_column())
    carried_from: str
    detected_us: int = Field(sa_type=BigInteger)
    closed_known_us: int | None = Field(sa_type=BigInteger)
    absorbed_by: int
    cause: str
    lines: bytes = Field(sa_column=bytes_column())
    line_count: int
    __table_args__ = (
        Index("uq_outage_event_number_revision", "number", "revision", unique=True),
        Index("ix_outage_event_check_recorded_us", "check", "recorded_us"),
        {"sqlite_autoincrement": True},
    )


class RemarkRow(Row, table=True):
    """What a person said of an outage: an acknowledgement, an annotation, a pause or its end."""

    __tablename__ = "remark"
    sequence: int | None = Field(default=None, primary_key=True)
    number: int
    kind: str
    at_us: int = Field(sa_type=BigInteger)
    who: str
    role: str
    peer: str
    text: str
    from_us: int | None = Field(default=None, sa_type=BigInteger)
    __table_args__ = (
        Index("ix_remark_number", "number"),
        {"sqlite_autoincrement": True},
    )
