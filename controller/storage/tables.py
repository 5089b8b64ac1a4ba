"""The tables. Rows that come by the thousand a second hold small integers; rare ones hold text.

`name` and `stream` are dictionaries: a sample names its check, region and failure kind by a number of
`name`, and its agent, epoch and stream by a number of `stream`.
"""

from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    TypeDecorator,
    text,
)
from sqlmodel import Field, SQLModel

_NAMING: dict[str, str] = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Row(SQLModel):
    """What every table shares: the metadata that migrations are compared with."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMING)


class _Bytes(TypeDecorator[bytes]):
    """Bytes; also where somebody has put text in their place, which SQLite allows."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: bytes | str | None, _dialect: Dialect) -> bytes | None:
        """What stands there, as bytes."""
        return value.encode() if isinstance(value, str) else value


def bytes_column() -> "Column[bytes]":
    """A column that holds bytes, and always some."""
    return Column(_Bytes, nullable=False)


# --- evidence


class NameRow(Row, table=True):
    """A text that samples refer to by number."""

    __tablename__ = "name"
    id: int | None = Field(default=None, primary_key=True)
    text: str = Field(unique=True)


class StreamRow(Row, table=True):
    """A stream of an agent, how far it is durable, and what was counted on it."""

    __tablename__ = "stream"
    id: int | None = Field(default=None, primary_key=True)
    agent: str
    epoch: str
    stream: str
    seq: int = Field(sa_type=BigInteger)
    lines: int = Field(sa_type=BigInteger)
    lost: int = Field(sa_type=BigInteger)
    __table_args__ = (
        Index("uq_stream_agent_epoch_stream", "agent", "epoch", "stream", unique=True),
    )


class SegmentRow(Row, table=True):
    """Consecutive lines of one stream as they came, compressed with zlib.

    `receipts` says when each of them came, where a seal's lines were packed together; see `receipts`.
    """

    __tablename__ = "segment"
    stream_id: int = Field(primary_key=True, foreign_key="stream.id")
    first_seq: int = Field(primary_key=True, sa_type=BigInteger)
    count: int
    lost: int = Field(sa_type=BigInteger)
    received_us: int = Field(sa_type=BigInteger)
    body: bytes = Field(sa_column=bytes_column())
    receipts: bytes | None = Field(default=None, sa_type=LargeBinary)


class SampleRow(Row, table=True):
    """One admitted result that counts. `variant` is 0, or the number of the conflicting line it is of (S-2).

    Clustered by check and time, which is how samples are read; there is no second index to keep up.
    """

    __tablename__ = "sample"
    check_id: int = Field(primary_key=True)
    at_us: int = Field(primary_key=True, sa_type=BigInteger)
    stream_id: int = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    variant: int = Field(primary_key=True)
    region_id: int
    outcome: int = Field(sa_type=SmallInteger)
    kind_id: int | None
    took_us: int | None = Field(sa_type=BigInteger)
    __table_args__ = ({"sqlite_with_rowid": False},)


class AnchorRow(Row, table=True):
    """One round of an agent's self-test."""

    __tablename__ = "anchor"
    agent_id: int = Field(primary_key=True)
    at_us: int = Field(primary_key=True, sa_type=BigInteger)
    stream_id: int = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    variant: int = Field(primary_key=True)
    ok: int
    total: int
    __table_args__ = ({"sqlite_with_rowid": False},)


class QuarantineRow(Row, table=True):
    """A line that is kept in its segment but not evaluated, and why."""

    __tablename__ = "quarantine"
    stream_id: int = Field(primary_key=True, foreign_key="stream.id")
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    reason: str


class StrayRow(Row, table=True):
    """Where a line is that came for a check before there was one of that name."""

    __tablename__ = "stray"
    stream_id: int = Field(primary_key=True, foreign_key="stream.id")
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    check: str
    __table_args__ = (Index("ix_stray_check", "check"),)


class ConflictRow(Row, table=True):
    """A line that came under an identity that was taken by other bytes; variants count from 1."""

    __tablename__ = "conflict"
    stream_id: int = Field(primary_key=True, foreign_key="stream.id")
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    variant: int = Field(primary_key=True)
    line: bytes = Field(sa_column=bytes_column())
    received_us: int = Field(sa_type=BigInteger)


# --- agents and people


class AgentRow(Row, table=True):
    """An enrolled machine."""

    __tablename__ = "agent"
    id: str = Field(primary_key=True)
    region: str
    hostname: str
    enrolled_us: int = Field(sa_type=BigInteger)
    evidence_key: bytes = Field(sa_column=bytes_column())
    sealing_key: bytes = Field(sa_column=bytes_column())
    active_serial: str
    pending_serial: str | None
    certificate_ends_us: int = Field(sa_type=BigInteger)
    seen_us: int | None = Field(sa_type=BigInteger)
    version: str
    clock_offset_us: int | None = Field(sa_type=BigInteger)
    clock_error_us: int | None = Field(sa_type=BigInteger)
    spool_lines: int = Field(sa_type=BigInteger)
    assignment_revision: str


class JoinTokenRow(Row, table=True):
    """A one-use right to enrol."""

    __tablename__ = "join_token"
    id: str = Field(primary_key=True)
    secret_sha256: bytes = Field(sa_column=bytes_column())
    region: str
    expires_us: int = Field(sa_type=BigInteger)
    created_by: str
    used_by: str | None
    needs_approval: bool


class PersonTokenRow(Row, table=True):
    """A person's bearer token."""

    __tablename__ = "person_token"
    id: str = Field(primary_key=True)
    secret_sha256: bytes = Field(sa_column=bytes_column())
    name: str
    role: str
    expires_us: int = Field(sa_type=BigInteger)
    created_us: int = Field(sa_type=BigInteger)
    revoked_us: int | None = Field(sa_type=BigInteger)
    contracts: str


# --- the fleet


class FleetRevisionRow(Row, table=True):
    """A fleet file as it was applied."""

    __tablename__ = "fleet_revision"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    text: bytes = Field(sa_column=bytes_column())
    file_name: str
    applied_us: int = Field(sa_type=BigInteger)
    applied_by: str


class CheckRevisionRow(Row, table=True):
    """A check definition in force from its effective time on; empty where the check is retired."""

    __tablename__ = "check_revision"
    check: str = Field(primary_key=True)
    effective_us: int = Field(primary_key=True, sa_type=BigInteger)
    digest: str
    definition: bytes = Field(sa_column=bytes_column())


# --- what was computed


class IntervalRow(Row, table=True):
    """A verdict of a check over [from_us, to_us), with its bounds (S-8)."""

    __tablename__ = "interval"
    check_id: int = Field(primary_key=True)
    from_us: int = Field(primary_key=True, sa_type=BigInteger)
    to_us: int = Field(sa_type=BigInteger)
    verdict: str
    low: str
    high: str
    __table_args__ = ({"sqlite_with_rowid": False},)


class SettledRow(Row, table=True):
    """The instant before which what is stored of a check is complete."""

    __tablename__ = "settled"
    check_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at_us: int = Field(sa_type=BigInteger)


class OutageRow(Row, table=True):
    """An outage under its number, which is never given twice."""

    __tablename__ = "outage"
    number: int | None = Field(default=None, primary_key=True)
    check: str
    started_us: int = Field(sa_type=BigInteger)
    ended_us: int | None = Field(sa_type=BigInteger)
    detected_us: int = Field(sa_type=BigInteger)
    closed_known_us: int | None = Field(sa_type=BigInteger)
    body: bytes = Field(sa_column=bytes_column())
    region: str = Field(sa_column_kwargs={"server_default": text("''")})
    __table_args__ = (
        Index("ix_outage_check_started_us", "check", "started_us"),
        {"sqlite_autoincrement": True},
    )


def table(row: type[Row]) -> Table:
    """The Core table behind a model: what bulk statements are made of."""
    return Row.metadata.tables[str(row.__tablename__)]
