"""What people are told, and whether it reached them: deliveries of outage events to the channels of the fleet.

A delivery is one message to one channel. It is written in the transaction that notes how far the ledger of
outages was read, so nothing is told twice and nothing is forgotten; sending it comes after, and again until
it succeeds or a bound is met. It is never deleted.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from controller.core.channels import Channel
from controller.core.notices import DeliveryState, Withheld
from controller.core.wording import Message


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one channel.

    `key` is the same for ever: the channel and what it tells of. Deliveries of one `subject` (OUT-12, an
    agent, a check) to one channel are sent in the order of their numbers. `due_us` is when it may be sent or
    looked at again, `attempts` counts those that began, `error` says why the last one failed. `held_us` is when
    it was held back because something else explained it, whatever became of it then.
    """

    key: str
    channel: str
    subject: str
    event: str
    state: DeliveryState
    created_us: int
    due_us: int
    message: bytes = field(repr=False)
    why: Withheld | None = None
    reason: str = ""
    attempts: int = 0
    changed_us: int = 0
    error: str = ""
    held_us: int | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which deliveries are asked for; the newest come first.

    Those of a `subject` are also those of what lies below it: contract/acme has all that is told of acme.
    """

    states: Collection[DeliveryState] = ()
    channel: str | None = None
    subject: str | None = None
    before: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went. `error` says why it failed and shows no secret; `wait_us` is what was asked for.

    A final one is not tried again.
    """

    is_delivered: bool = False
    error: str = ""
    wait_us: int = 0
    is_final: bool = False


class Transport(Protocol):
    """What brings a message to a channel."""

    async def send(self, channel: Channel, values: Mapping[str, str], message: Message) -> Outcome:
        """Try once, within a deadline. `values` are the secrets that the channel names."""
        ...

    async def close(self) -> None:
        """Let go of everything; what is on its way is given up."""
        ...


class DeliveryStore(Protocol):
    """Deliveries, and how far what they tell of was read."""

    def put_delivery(self, delivery: Delivery) -> int:
        """Insert (number 0: the next one is given) or replace; gives the number."""
        ...

    def delivery(self, number: int) -> Delivery | None:
        """The delivery of that number."""
        ...

    def has_delivery(self, key: str) -> bool:
        """There is one with that key."""
        ...

    def deliveries(self, query: DeliveryQuery) -> Sequence[Delivery]:
        """Those that are asked for, the newest first."""
        ...

    def deliveries_about(self, subject: str, channel: str | None = None) -> Sequence[Delivery]:
        """Everything about a subject (to a channel), the oldest first."""
        ...

    def first_delivered_us(self, subjects: Sequence[str]) -> Mapping[str, int]:
        """When the first message about each of these subjects had arrived; those of which none has are left out."""
        ...

    def first_held_us(self, subjects: Sequence[str]) -> Mapping[str, int]:
        """When the first message about each of these subjects was held back, of those of which one was."""
        ...

    def withheld_deliveries(self, after: int, limit: int) -> Sequence[Delivery]:
        """Those that are held with greater numbers, the oldest first."""
        ...

    def due_channels(self, now_us: int) -> Sequence[str]:
        """Channels to which something is to be sent now, by id."""
        ...

    def due_deliveries(self, channel: str, now_us: int, limit: int) -> Sequence[Delivery]:
        """What is to be sent to a channel now: of each subject the oldest that is not done, if it is due."""
        ...

    def delivery_counts(self) -> Mapping[tuple[str, DeliveryState], int]:
        """How many there are of each channel and state."""
        ...

    def notify_progress(self) -> bytes | None:
        """How far was read, as it was put; None before the first time."""
        ...

    def put_notify_progress(self, progress: bytes) -> None:
        """Note how far was read."""
        ...
