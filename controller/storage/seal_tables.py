"""The tables of seals."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class SealRow(Row, table=True):
    """A seal that verified, by stream and number. `note` is compressed with zlib."""

    __tablename__ = "seal"
    stream_id: int = Field(primary_key=True, foreign_key="stream.id")
    number: int = Field(primary_key=True, sa_type=BigInteger)
    first_seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)
    covered_seq: int = Field(sa_type=BigInteger)
    count: int = Field(sa_type=BigInteger)
    scheduled: int = Field(sa_type=BigInteger)
    done: int = Field(sa_type=BigInteger)
    missed: int = Field(sa_type=BigInteger)
    skipped: int = Field(sa_type=BigInteger)
    end_us: int = Field(sa_type=BigInteger)
    received_us: int = Field(sa_type=BigInteger)
    note: bytes = Field(sa_column=bytes_column())


class ForkedSealRow(Row, table=True):
    """Another note of a number that is taken; variants count from 1."""

    __tablename__ = "forked_seal"
    stream_id: int = Field(primary_key=True, foreign_key="stream.id")
    number: int = Field(primary_key=True, sa_type=BigInteger)
    variant: int = Field(primary_key=True)
    received_us: int = Field(sa_type=BigInteger)
    note: bytes = Field(sa_column=bytes_column())
