"""The tables of incidents, and of regional outages that lie across a settled instant."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class IncidentRow(Row, table=True):
    """An incident under its number, which is never given twice."""

    __tablename__ = "incident"
    number: int | None = Field(default=None, primary_key=True)
    recorded_us: int = Field(sa_type=BigInteger)
    gone_us: int | None = Field(sa_type=BigInteger)
    merged_into: int
    __table_args__ = ({"sqlite_autoincrement": True},)


class IncidentOutageRow(Row, table=True):
    """Which incident an outage belongs to."""

    __tablename__ = "incident_outage"
    outage: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    incident: int
    __table_args__ = (Index("ix_incident_outage_incident", "incident"),)


class IncidentFollowedRow(Row, table=True):
    """The last event of the ledger of outages that incidents know of. One row."""

    __tablename__ = "incident_followed"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    sequence: int


class CarriedRow(Row, table=True):
    """The regional outages of a check that lie across an instant at which it was settled."""

    __tablename__ = "carried"
    check_id: int = Field(primary_key=True)
    at_us: int = Field(primary_key=True, sa_type=BigInteger)
    body: bytes = Field(sa_column=bytes_column())
    __table_args__ = ({"sqlite_with_rowid": False},)
