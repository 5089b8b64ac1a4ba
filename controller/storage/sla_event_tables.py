"""The table of what was told of contracts. Triggers refuse changes."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class SlaEventRow(Row, table=True):
    """One thing that was told of a contract."""

    __tablename__ = "sla_event"
    sequence: int | None = Field(default=None, primary_key=True)
    subject: str
    ordinal: int
    event: str
    contract: str
    recorded_us: int = Field(sa_type=BigInteger)
    facts: bytes = Field(sa_column=bytes_column())
    __table_args__ = (
        Index("uq_sla_event_subject_ordinal", "subject", "ordinal", unique=True),
        Index("ix_sla_event_contract", "contract"),
        {"sqlite_autoincrement": True},
    )
