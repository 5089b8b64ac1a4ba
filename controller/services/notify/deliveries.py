"""The outbox: what is sent next, how it went, what is given up, and what people do about it."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, Protocol

from controller.core.channels import Channel, EventName
from controller.core.notices import DeliveryState
from controller.core.retries import retry_after_us
from controller.core.sla.notices.notices import RETRACTED, contract_of
from controller.core.wording import Message, trial_message
from controller.errors import BadInput, NotFound
from controller.ports.custody import Actor
from controller.ports.deliveries import Delivery, DeliveryQuery, Outcome
from controller.ports.events import EventKind
from controller.ports.storage import Storage, Transaction
from controller.services.contracts.touched import note_delivered
from controller.services.notify.notify_outages import message_of
from vedette.shared.limits import DELIVERIES_SHOWN_MAX

_ALL: Final = 1_000_000
# What databases count up to.
_NUMBER_MAX: Final = 2**63 - 1
_GONE: Final = "There is no such channel in the fleet file any more."
log = logging.getLogger(__name__)


class Values(Protocol):
    """Opens secrets for the controller's own use."""

    def values(self, tx: Transaction, names: Collection[str]) -> Mapping[str, str]:
        """The values by name. BadInput names one that cannot be opened."""
        ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message that is to go out now, to which channel, with the secrets that the channel names."""

    number: int
    channel: Channel
    values: Mapping[str, str] = field(repr=False)
    message: Message


class Outbox:
    """Hands out what is due and takes back how it went. Synchronous: runs in the storage thread."""

    def __init__(
        self,
        storage: Storage,
        channels: Callable[[Transaction], Mapping[str, Channel]],
        secrets: Values,
        now_us: Callable[[], int],
        jitter: Callable[[], Fraction],
        recorded_us: Callable[[], int] | None = None,
    ) -> None:
        self._storage = storage
        self._channels = channels
        self._secrets = secrets
        self._now_us = now_us
        self._jitter = jitter
        # When a message had arrived stands in reports, and so is recorded later than what was before (S-21).
        self._recorded_us = recorded_us or now_us

    def recover(self) -> None:
        """Have sent again what was on its way when the controller ended: it may have arrived, or not."""
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            query = DeliveryQuery(states=[DeliveryState.SENDING], limit=_ALL)
            for one in tx.deliveries(query):
                self._put(tx, one, DeliveryState.PENDING, now_us)

    def claim(self, room: Callable[[str], int]) -> Sequence[Parcel]:
        """What is to be sent now, noted as being on its way; of each channel at most what it has room for."""
        now_us = self._now_us()
        parcels: list[Parcel] = []
        with self._storage.transaction() as tx:
            due = tx.due_channels(now_us)
            channels = self._channels(tx) if due else {}
            for name in due:
                free = room(name)
                for one in tx.due_deliveries(name, now_us, free) if free > 0 else ():
                    channel = channels.get(name)
                    if channel is None:
                        self._put(tx, one, DeliveryState.DEAD, now_us, error=_GONE)
                        continue
                    begun = replace(one, attempts=one.attempts + 1)
                    try:
                        values = self._secrets.values(tx, channel.secret_names)
                    except BadInput as error:
                        self._settle(tx, begun, Outcome(error=str(error)), now_us)
                        continue
                    self._put(tx, begun, DeliveryState.SENDING, now_us, error=one.error)
                    parcels.append(Parcel(one.number, channel, values, message_of(one)))
        return parcels

    def settle(self, outcomes: Mapping[int, Outcome]) -> None:
        """Note how attempts went, by the number of the delivery."""
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            for number, outcome in outcomes.items():
                one = tx.delivery(number)
                if one is not None and one.state is DeliveryState.SENDING:
                    self._settle(tx, one, outcome, now_us)

    def list(self, query: DeliveryQuery) -> Sequence[Delivery]:
        """Deliveries, the newest first."""
        most = min(query.limit or DELIVERIES_SHOWN_MAX, DELIVERIES_SHOWN_MAX)
        before = None if query.before is None else min(query.before, _NUMBER_MAX)
        with self._storage.transaction() as tx:
            return tx.deliveries(replace(query, limit=most, before=before))

    def show(self, number: int) -> tuple[Delivery, Message]:
        """A delivery and its message. NotFound if there is none of that number."""
        with self._storage.transaction() as tx:
            one = _found(tx, number)
            return one, message_of(one)

    def retry(self, number: int, by: Actor) -> Sequence[Delivery]:
        """Send a dead letter again, as often as at first; gives what went to the channel about it since."""
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            one = _dead(tx, number, "sent again")
            if one.channel not in self._channels(tx):
                raise BadInput(f"Delivery {number} is for channel {one.channel}. {_GONE}")
            if _is_retracted(tx, one):
                raise BadInput(
                    f"{one.subject} was retracted since: what delivery {number} says is known to be wrong."
                    f" `vedette notify drop {number}` notes that it was seen to."
                )
            self._put(tx, replace(one, attempts=0), DeliveryState.PENDING, now_us, error=one.error)
            tx.record(by.act(now_us, "notify.retry", f"delivery {number}", one.key))
            about = tx.deliveries_about(one.subject, one.channel)
            return [
                other
                for other in about
                if other.number > number and other.state is DeliveryState.DELIVERED
            ]

    def drop(self, number: int, by: Actor) -> None:
        """Note that a dead letter was seen to and is not to be sent."""
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            one = _dead(tx, number, "dropped")
            self._put(tx, one, DeliveryState.DROPPED, now_us, error=one.error)
            tx.record(by.act(now_us, "notify.drop", f"delivery {number}", one.key))

    def trial(self, name: str, by: Actor) -> Parcel:
        """A message with which to try a channel; of it nothing is kept but that it was asked for."""
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            channels = self._channels(tx)
            channel = channels.get(name)
            if channel is None:
                known = ", ".join(sorted(channels)) or "it has none"
                raise NotFound(f"There is no channel {name[:80]!r} in the fleet file ({known}).")
            values = self._secrets.values(tx, channel.secret_names)
            tx.record(by.act(now_us, "notify.test", f"channel {name}"))
        key = f"{name}/test/{now_us}"
        return Parcel(0, channel, values, trial_message(name, key=key, at_us=now_us, by=by.name))

    def _settle(self, tx: Transaction, one: Delivery, outcome: Outcome, now_us: int) -> None:
        fields = {"channel": one.channel, "delivery": one.number, "subject": one.subject}
        if outcome.is_delivered:
            self._put(tx, one, DeliveryState.DELIVERED, now_us)
            note_delivered(tx, one.subject)
            log.info("notify.delivered", extra=fields | {"event": one.event})
            return
        delay_us = (
            None
            if outcome.is_final
            else retry_after_us(one.attempts, self._jitter(), outcome.wait_us)
        )
        if delay_us is None:
            self._put(tx, one, DeliveryState.DEAD, now_us, error=outcome.error)
            log.error("notify.dead", extra=fields | {"reason": outcome.error})
            return
        self._put(
            tx, one, DeliveryState.PENDING, now_us, error=outcome.error, due_us=now_us + delay_us
        )
        log.warning("notify.failed", extra=fields | {"reason": outcome.error})

    def _put(
        self,
        tx: Transaction,
        one: Delivery,
        state: DeliveryState,
        now_us: int,
        *,
        error: str = "",
        due_us: int | None = None,
    ) -> None:
        tx.put_delivery(
            replace(
                one,
                state=state,
                changed_us=self._recorded_us(),
                due_us=now_us if due_us is None else due_us,
                error=error,
            )
        )


def _found(tx: Transaction, number: int) -> Delivery:
    one = tx.delivery(number) if number <= _NUMBER_MAX else None
    if one is None:
        raise NotFound(f"There is no delivery {number}.")
    return one


def _dead(tx: Transaction, number: int, what: str) -> Delivery:
    one = _found(tx, number)
    if one.state is not DeliveryState.DEAD:
        raise BadInput(
            f"Delivery {number} is {one.state.value}, and only a dead one can be {what}."
        )
    return one


def _is_retracted(tx: Transaction, one: Delivery) -> bool:
    """What a delivery tells of was retracted, and this is not the retraction."""
    if (contract := contract_of(one.subject)) is not None:
        newest = (e for e in tx.newest_sla_events(contract) if e.subject == one.subject)
        return any(event.event == one.event + RETRACTED for event in newest)
    number = one.subject.removeprefix("OUT-")
    if number == one.subject or one.event == EventName.RETRACTED.value:
        return False
    return tx.event_kinds(int(number))[-1:] == [EventKind.RETRACTED]
