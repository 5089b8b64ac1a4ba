"""The tables of postings: what people decided about agents, what these say, and what people are told."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class PostingRow(Row, table=True):
    """An agent's place, labels (JSON) and mode."""

    __tablename__ = "posting"
    agent: str = Field(primary_key=True)
    place: int
    labels: bytes = Field(sa_column=bytes_column())
    mode: str
    mode_since_us: int = Field(sa_type=BigInteger)
    mode_reason: str


class ReportRow(Row, table=True):
    """What an agent said of itself last, as JSON: it is shown and never searched."""

    __tablename__ = "report"
    agent: str = Field(primary_key=True)
    body: bytes = Field(sa_column=bytes_column())


class NoticeRow(Row, table=True):
    """Something that people should know of an agent, from when to when."""

    __tablename__ = "notice"
    number: int | None = Field(default=None, primary_key=True)
    agent: str
    region: str
    kind: str
    from_us: int = Field(sa_type=BigInteger)
    to_us: int | None = Field(sa_type=BigInteger)
    detail: str
    __table_args__ = (Index("ix_notice_to_us", "to_us"),)
