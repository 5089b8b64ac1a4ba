"""Deliveries: messages to channels, and how far they are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, delete, func, insert, or_, select, update

from controller.core.notices import DeliveryState, Withheld
from controller.ports.deliveries import Delivery, DeliveryQuery
from controller.storage.bulk import Rows, parts_of
from controller.storage.delivery_tables import DeliveryRow, NotifyProgressRow
from controller.storage.tables import table

_DELIVERY = table(DeliveryRow)
_PROGRESS = table(NotifyProgressRow)
_THE_ROW: Final = 1
# What keeps the later ones of its subject waiting.
_UNDONE: Final = (
    DeliveryState.HELD.value,
    DeliveryState.PENDING.value,
    DeliveryState.SENDING.value,
)


class DeliveryRows(Rows):
    """controller.ports.deliveries.DeliveryStore over SQL."""

    def put_delivery(self, delivery: Delivery) -> int:
        """Insert (number 0: the next one is given) or replace; gives the number."""
        values = {key: value for key, value in asdict(delivery).items() if key != "number"}
        values["state"] = delivery.state.value
        values["why"] = delivery.why.value if delivery.why else None
        if delivery.number:
            its = _DELIVERY.c.number == delivery.number
            self._connection.execute(update(_DELIVERY).where(its).values(values))
            return delivery.number
        statement = insert(_DELIVERY).values(values).returning(_DELIVERY.c.number)
        number: int = self._connection.execute(statement).scalar_one()
        return number

    def delivery(self, number: int) -> Delivery | None:
        """The delivery of that number."""
        found = self._deliveries(select(_DELIVERY).where(_DELIVERY.c.number == number))
        return found[0] if found else None

    def has_delivery(self, key: str) -> bool:
        """There is one with that key."""
        query = select(_DELIVERY.c.number).where(_DELIVERY.c.key == key)
        return self._connection.execute(query).first() is not None

    def deliveries(self, query: DeliveryQuery) -> Sequence[Delivery]:
        """Those that are asked for, the newest first."""
        c = _DELIVERY.c
        found = select(_DELIVERY).order_by(c.number.desc()).limit(query.limit)
        if query.states:
            found = found.where(c.state.in_([state.value for state in query.states]))
        if query.channel is not None:
            found = found.where(c.channel == query.channel)
        if query.subject is not None:
            below = c.subject.startswith(f"{query.subject}/", autoescape=True)
            found = found.where(or_(c.subject == query.subject, below))
        if query.before is not None:
            found = found.where(c.number < query.before)
        return self._deliveries(found)

    def deliveries_about(self, subject: str, channel: str | None = None) -> Sequence[Delivery]:
        """Everything about a subject (to a channel), the oldest first."""
        query = select(_DELIVERY).where(_DELIVERY.c.subject == subject)
        if channel is not None:
            query = query.where(_DELIVERY.c.channel == channel)
        return self._deliveries(query.order_by(_DELIVERY.c.number))

    def first_delivered_us(self, subjects: Sequence[str]) -> Mapping[str, int]:
        """When the first message about each of these subjects had arrived; those of which none has are left out."""
        has_arrived = _DELIVERY.c.state == DeliveryState.DELIVERED.value
        return self._first_us(subjects, _DELIVERY.c.changed_us, has_arrived)

    def first_held_us(self, subjects: Sequence[str]) -> Mapping[str, int]:
        """When the first message about each of these subjects was held back, of those of which one was."""
        return self._first_us(subjects, _DELIVERY.c.held_us, _DELIVERY.c.held_us.is_not(None))

    def withheld_deliveries(self, after: int, limit: int) -> Sequence[Delivery]:
        """Those that are held with greater numbers, the oldest first."""
        c = _DELIVERY.c
        query = select(_DELIVERY).where(c.state == DeliveryState.HELD.value, c.number > after)
        return self._deliveries(query.order_by(c.number).limit(limit))

    def due_channels(self, now_us: int) -> Sequence[str]:
        """Channels to which something is to be sent now, by id."""
        c = _DELIVERY.c
        is_due = (c.state == DeliveryState.PENDING.value) & (c.due_us <= now_us)
        return sorted(
            self._connection.execute(select(c.channel).where(is_due).distinct()).scalars()
        )

    def due_deliveries(self, channel: str, now_us: int, limit: int) -> Sequence[Delivery]:
        """What is to be sent to a channel now: of each subject the oldest that is not done, if it is due."""
        c, before = _DELIVERY.c, _DELIVERY.alias("before")
        has_undone_before = (
            select(before.c.number)
            .where(
                before.c.channel == channel,
                before.c.subject == c.subject,
                before.c.number < c.number,
                before.c.state.in_(_UNDONE),
            )
            .exists()
        )
        query = (
            select(_DELIVERY)
            .where(
                c.state == DeliveryState.PENDING.value,
                c.channel == channel,
                c.due_us <= now_us,
                ~has_undone_before,
            )
            .order_by(c.due_us, c.number)
            .limit(limit)
        )
        return self._deliveries(query)

    def delivery_counts(self) -> Mapping[tuple[str, DeliveryState], int]:
        """How many there are of each channel and state."""
        c = _DELIVERY.c
        query = select(c.channel, c.state, func.count()).group_by(c.channel, c.state)
        return {
            (channel, DeliveryState(state)): count
            for channel, state, count in self._connection.execute(query)
        }

    def notify_progress(self) -> bytes | None:
        """How far was read, as it was put; None before the first time."""
        found: bytes | None = self._connection.execute(select(_PROGRESS.c.body)).scalar()
        return found

    def put_notify_progress(self, progress: bytes) -> None:
        """Note how far was read."""
        self._connection.execute(delete(_PROGRESS))
        self._connection.execute(insert(_PROGRESS).values(id=_THE_ROW, body=progress))

    def _first_us(
        self, subjects: Sequence[str], instant: ColumnElement[Any], wanted: ColumnElement[bool]
    ) -> Mapping[str, int]:
        """The least of an instant, by subject, of the deliveries that are wanted."""
        subject = _DELIVERY.c.subject
        found: dict[str, int] = {}
        for part in parts_of(subjects):
            query = select(subject, func.min(instant).label("at_us")).where(
                wanted, subject.in_(part)
            )
            rows = self._connection.execute(query.group_by(subject))
            found |= {row.subject: row.at_us for row in rows}
        return found

    def _deliveries(self, query: Select[Any]) -> Sequence[Delivery]:
        return [
            Delivery(
                **{
                    **row,
                    "state": DeliveryState(row["state"]),
                    "why": Withheld(row["why"]) if row["why"] else None,
                }
            )
            for row in self._connection.execute(query).mappings()
        ]
