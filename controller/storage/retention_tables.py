"""The tables of what was pruned, of holds, and of counter-evidence. Triggers refuse changes."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class PrunedRow(Row, table=True):
    """Lines of a stream that were dropped at once."""

    __tablename__ = "pruned"
    stream_id: int = Field(primary_key=True, foreign_key="stream.id")
    first_seq: int = Field(primary_key=True, sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)
    first_seal: int = Field(sa_type=BigInteger)
    last_seal: int = Field(sa_type=BigInteger)
    lines: int = Field(sa_type=BigInteger)
    bytes: int = Field(sa_type=BigInteger)
    number: int = Field(index=True)


class HoldEventRow(Row, table=True):
    """A hold was placed or lifted; `checks` are separated by spaces."""

    __tablename__ = "hold_event"
    sequence: int | None = Field(default=None, primary_key=True)
    number: int
    kind: str
    at_us: int = Field(sa_type=BigInteger)
    who: str
    role: str
    peer: str
    subject: str
    checks: str
    from_us: int = Field(sa_type=BigInteger)
    to_us: int = Field(sa_type=BigInteger)
    reason: str
    claim: int
    __table_args__ = (
        Index("uq_hold_event_number_kind", "number", "kind", unique=True),
        {"sqlite_autoincrement": True},
    )


class CounterRow(Row, table=True):
    """What somebody said against something."""

    __tablename__ = "counter"
    sequence: int | None = Field(default=None, primary_key=True)
    subject: str = Field(index=True)
    at_us: int = Field(sa_type=BigInteger)
    who: str
    role: str
    peer: str
    text: str
    file_name: str
    size: int = Field(sa_type=BigInteger)
    sha256: str
    content: bytes = Field(sa_column=bytes_column())
    __table_args__ = ({"sqlite_autoincrement": True},)
