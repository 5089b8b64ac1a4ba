"""The table of what people did to exclusions. Triggers refuse changes."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class ExclusionEntryRow(Row, table=True):
    """One entry of the ledger of exclusions."""

    __tablename__ = "exclusion_entry"
    sequence: int | None = Field(default=None, primary_key=True)
    exclusion: str
    kind: str
    at_us: int = Field(sa_type=BigInteger)
    who: str
    role: str
    peer: str
    digest: str
    text: str
    body: bytes = Field(sa_column=bytes_column())
    uid: str
    recurrence: str
    __table_args__ = (
        Index("ix_exclusion_entry_at_us", "at_us"),
        {"sqlite_autoincrement": True},
    )
