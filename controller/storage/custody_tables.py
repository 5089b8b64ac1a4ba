"""The tables of trust: standings, alarms, the ledger of privileged acts, sealed secrets."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class StandingRow(Row, table=True):
    """What an agent may do, and how often it recovered."""

    __tablename__ = "standing"
    agent: str = Field(primary_key=True)
    standing: str
    since_us: int = Field(sa_type=BigInteger)
    by: str
    reason: str
    recoveries: int
    recoveries_since_us: int = Field(sa_type=BigInteger)


class AlarmRow(Row, table=True):
    """What makes an identity doubtful; one row for each kind."""

    __tablename__ = "alarm"
    agent: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    first_us: int = Field(sa_type=BigInteger)
    last_us: int = Field(sa_type=BigInteger)
    count: int = Field(sa_type=BigInteger)
    detail: str
    peer: str
    cleared_us: int | None = Field(sa_type=BigInteger)


class ActRow(Row, table=True):
    """One privileged act. Triggers refuse to change or delete it."""

    __tablename__ = "act"
    number: int | None = Field(default=None, primary_key=True)
    at_us: int = Field(sa_type=BigInteger)
    who: str
    role: str
    action: str
    subject: str
    detail: str
    peer: str
    __table_args__ = ({"sqlite_autoincrement": True},)


class SecretRow(Row, table=True):
    """Name and version of a secret, never its value."""

    __tablename__ = "secret"
    name: str = Field(primary_key=True)
    version: int
    set_us: int = Field(sa_type=BigInteger)
    set_by: str
    agents_only: bool
    deleted_us: int | None = Field(sa_type=BigInteger)


class SealedCopyRow(Row, table=True):
    """A secret as only its recipient can open it."""

    __tablename__ = "sealed_copy"
    name: str = Field(primary_key=True)
    recipient: str = Field(primary_key=True)
    version: int
    sealed: bytes = Field(sa_column=bytes_column())
