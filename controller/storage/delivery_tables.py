"""The tables of deliveries: one row a message to a channel, and how far what they tell of was read."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from controller.storage.tables import Row, bytes_column


class DeliveryRow(Row, table=True):
    """One message to one channel, and how far it is."""

    __tablename__ = "delivery"
    number: int | None = Field(default=None, primary_key=True)
    key: str
    channel: str
    subject: str
    event: str
    state: str
    why: str | None
    reason: str
    attempts: int
    due_us: int = Field(sa_type=BigInteger)
    created_us: int = Field(sa_type=BigInteger)
    changed_us: int = Field(sa_type=BigInteger)
    error: str
    held_us: int | None = Field(default=None, sa_type=BigInteger)
    message: bytes = Field(sa_column=bytes_column())
    __table_args__ = (
        Index("uq_delivery_key", "key", unique=True),
        Index("ix_delivery_state_channel_due_us", "state", "channel", "due_us"),
        Index("ix_delivery_channel_subject", "channel", "subject"),
        Index("ix_delivery_subject", "subject"),
        {"sqlite_autoincrement": True},
    )


class NotifyProgressRow(Row, table=True):
    """How far was read, as JSON; one row."""

    __tablename__ = "notify_progress"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    body: bytes = Field(sa_column=bytes_column())
