"""The tables of the log."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class LeafRow(Row, table=True):
    """A leaf. The note of a seal stands in its own table, under `stream_id` and `number`; any other is here."""

    __tablename__ = "log_leaf"
    index: int = Field(primary_key=True, sa_type=BigInteger)
    kind: str
    subject: str
    hash: bytes = Field(sa_column=bytes_column())
    recorded_us: int = Field(sa_type=BigInteger)
    note: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))
    stream_id: int | None
    number: int | None = Field(sa_type=BigInteger)
    __table_args__ = (
        Index("ix_log_leaf_kind_subject", "kind", "subject"),
        Index("uq_log_leaf_stream_id_number", "stream_id", "number", unique=True),
    )


class NodeRow(Row, table=True):
    """The root of a complete subtree over 2**level leaves."""

    __tablename__ = "log_node"
    level: int = Field(primary_key=True)
    index: int = Field(primary_key=True, sa_type=BigInteger)
    hash: bytes = Field(sa_column=bytes_column())


class TimestampRow(Row, table=True):
    """A timestamp of a checkpoint by an authority outside."""

    __tablename__ = "log_timestamp"
    size: int = Field(primary_key=True, sa_type=BigInteger)
    authority: str = Field(primary_key=True)
    query: bytes = Field(sa_column=bytes_column())
    response: bytes = Field(sa_column=bytes_column())
    at_us: int = Field(sa_type=BigInteger)
    root: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))


class CheckpointRow(Row, table=True):
    """A signed tree head."""

    __tablename__ = "log_checkpoint"
    size: int = Field(primary_key=True, sa_type=BigInteger)
    root: bytes = Field(sa_column=bytes_column())
    note: bytes = Field(sa_column=bytes_column())
    signed_us: int = Field(sa_type=BigInteger)
