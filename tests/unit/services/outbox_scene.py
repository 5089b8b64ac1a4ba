"""A controller's outbox over storage in memory: outages happen, are routed, and are sent by hand."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import msgspec

from controller.core.channels import Channel, Choice
from controller.core.notices import DeliveryState
from controller.ports.deliveries import Delivery, DeliveryQuery, Outcome
from controller.ports.events import EventKind, OutageEvent
from controller.ports.storage import Storage
from controller.services.notify.deliveries import Outbox, Parcel
from controller.services.notify.notify import Router
from tests.fakes.storage import FakeStorage
from tests.fakes.telling import DELIVERED, FakeInsight, FakeSecrets

SECOND = 1_000_000
START = 1_750_000_000 * SECOND
EVERYTHING: Sequence[Choice] = (
    "outage.opened", "outage.confirmed", "outage.revised", "outage.closed", "outage.reopened",
    "agent.silent",
)  # fmt: skip


def channel(id_: str, on: Sequence[Choice] = EVERYTHING, **filters: Any) -> Channel:
    """A channel by apprise."""
    return Channel(id=id_, url="json://chat.example/${secret:path}", on=list(on), **filters)


class Scene:
    """What happens is noted in the ledger; time goes on by hand."""

    def __init__(
        self, *channels: Channel, storage: Storage | None = None, begins: bool = True
    ) -> None:
        self.storage = storage or FakeStorage()
        self.insight = FakeInsight({one.id: one for one in channels})
        self.secrets = FakeSecrets()
        self.now_us = START
        self.revisions: dict[int, int] = {}
        self.restart()
        if begins:
            self.router.begin()

    def restart(self) -> None:
        """A new controller over the same storage."""
        self.router = Router(self.storage, self.insight, lambda: self.now_us)
        self.outbox = Outbox(
            self.storage,
            lambda tx: self.insight.channels,
            self.secrets,
            lambda: self.now_us,
            lambda: Fraction(1),
        )
        self.outbox.recover()

    def happens(self, kind: str, number: int = 1, check: str = "home", **more: Any) -> None:
        """Something happens to an outage."""
        self.revisions[number] = self.revisions.get(number, 0) + 1
        is_over = kind == "closed" or more.pop("is_over", False)
        body = {
            "id": f"{number:064}", "check": check, "revision": "r", "started_us": START,
            "until_us": START + 90 * SECOND, "ended_us": START + 90 * SECOND if is_over else None,
            "confirmed_us": START, "downtime_us": 90 * SECOND, "downtime_us_min": 60 * SECOND,
            "downtime_us_max": 120 * SECOND, "unknown_us": 0, "regions": ["fra", "nyc"],
            "kinds": [("connection_refused", 3)], "transients": 0, "votes": [],
        }  # fmt: skip
        event = OutageEvent(
            number=number, revision=self.revisions[number], kind=EventKind(kind),
            recorded_us=self.now_us, check=check, body=msgspec.json.encode(body), **more,
        )  # fmt: skip
        with self.storage.transaction() as tx:
            tx.put_event(event)

    def route(self, *kinds: str, number: int = 1) -> None:
        """These happen to an outage, and are routed one after another."""
        for kind in kinds:
            self.happens(kind, number)
            self.router.route()

    def pass_seconds(self, seconds: int) -> None:
        """Time goes on, and is looked at."""
        self.now_us += seconds * SECOND
        self.router.route()

    def claim(self, room: int = 100) -> Sequence[Parcel]:
        """What is to be sent now, and is noted as on its way."""
        return self.outbox.claim(lambda channel: room)

    def send(self, outcome: Outcome = DELIVERED) -> list[str]:
        """Send all that is due until nothing is, each with this outcome; channel and event of each."""
        sent: list[str] = []
        while parcels := self.claim():
            sent += [f"{one.channel.id} {one.message.event}" for one in parcels]
            self.outbox.settle({one.number: outcome for one in parcels})
        return sent

    def states(self, subject: str | None = None) -> list[str]:
        """Event and state of every delivery, the oldest first."""
        return [f"{one.event} {one.state}" for one in self.deliveries(subject=subject)]

    def deliveries(self, **query: Any) -> list[Delivery]:
        """Deliveries, the oldest first."""
        with self.storage.transaction() as tx:
            found = list(tx.deliveries(DeliveryQuery(limit=10_000, **query)))
        return found[::-1]

    def dead(self) -> list[Delivery]:
        """Dead letters."""
        return self.deliveries(states=[DeliveryState.DEAD])
