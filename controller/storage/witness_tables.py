"""The tables of witnesses."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class WitnessKeyRow(Row, table=True):
    """A key of a witness. Triggers refuse changes."""

    __tablename__ = "witness_key"
    name: str = Field(primary_key=True)
    public_key: bytes = Field(sa_column=bytes_column())
    number: int = Field(primary_key=True)
    agent: str
    since_us: int = Field(sa_type=BigInteger)


class CosignatureRow(Row, table=True):
    """A witness's signature under a checkpoint."""

    __tablename__ = "log_cosignature"
    size: int = Field(primary_key=True, sa_type=BigInteger)
    witness: str = Field(primary_key=True)
    line: bytes = Field(sa_column=bytes_column())
    at_us: int = Field(sa_type=BigInteger)
    received_us: int = Field(sa_type=BigInteger)
    is_kept: bool
    __table_args__ = (Index("ix_log_cosignature_witness_size", "witness", "size"),)
