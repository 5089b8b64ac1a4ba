"""The tables of claims: the ledger of acts, and the packs. Triggers refuse changes."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class ClaimEventRow(Row, table=True):
    """One act on a claim."""

    __tablename__ = "claim_event"
    sequence: int | None = Field(default=None, primary_key=True)
    number: int
    revision: int
    action: str
    at_us: int = Field(sa_type=BigInteger)
    who: str
    role: str
    peer: str
    reason: str
    amount: str | None
    late: str
    by_claim: int
    facts: bytes = Field(sa_column=bytes_column())
    __table_args__ = (
        Index("uq_claim_event_number_revision", "number", "revision", unique=True),
        {"sqlite_autoincrement": True},
    )


class ClaimFileRow(Row, table=True):
    """A file of the pack of a claim."""

    __tablename__ = "claim_file"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    place: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    sha256: str
    size: int = Field(sa_type=BigInteger)
    packed: bytes = Field(sa_column=bytes_column())
