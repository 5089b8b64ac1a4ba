"""The tables of issued reports, to which triggers refuse changes, and of what is to be looked at for them."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class IssuedReportRow(Row, table=True):
    """One revision of a report, its bytes compressed with zlib."""

    __tablename__ = "issued_report"
    sequence: int | None = Field(default=None, primary_key=True)
    contract: str
    label: str
    revision: int
    as_of_us: int = Field(sa_type=BigInteger)
    issued_us: int = Field(sa_type=BigInteger)
    sha256: str
    body: bytes = Field(sa_column=bytes_column())
    issued_by: str
    role: str
    reason: str
    is_early: bool
    unheard: bytes = Field(sa_column=bytes_column())
    __table_args__ = (
        Index(
            "uq_issued_report_contract_label_revision", "contract", "label", "revision", unique=True
        ),
        {"sqlite_autoincrement": True},
    )


class RetoldRow(Row, table=True):
    """The time of a check of which something else is told than before."""

    __tablename__ = "retold"
    check: str = Field(primary_key=True)
    from_us: int = Field(sa_type=BigInteger)
    to_us: int = Field(sa_type=BigInteger)


class ReopenedReportRow(Row, table=True):
    """A report that may not say what would be said now."""

    __tablename__ = "reopened_report"
    contract: str = Field(primary_key=True)
    label: str = Field(primary_key=True)
    since_us: int | None = Field(sa_type=BigInteger)


class ReportProgressRow(Row, table=True):
    """How far facts were read, as JSON; one row."""

    __tablename__ = "report_progress"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    body: bytes = Field(sa_column=bytes_column())
