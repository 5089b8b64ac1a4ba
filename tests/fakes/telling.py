"""What telling people of outages rests on, as a test says that it is: insight, secrets, a way to channels."""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from controller.core.channels import Channel
from controller.core.flapping import Flapping
from controller.core.wording import Message
from controller.errors import BadInput
from controller.ports.deliveries import Outcome
from controller.ports.incidents import Explained
from controller.ports.storage import Transaction

DELIVERED = Outcome(is_delivered=True)


@dataclass
class FakeInsight:
    """Insight that is set by hand; gives itself for every transaction."""

    channels: dict[str, Channel] = field(default_factory=dict)
    flaps: set[str] = field(default_factory=set)
    explanations: dict[int, Explained] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    grade: str = "P2"

    def of(self, tx: Transaction, now_us: int) -> "FakeInsight":
        return self

    def service(self, check: str) -> str:
        return "shop"

    def severity(self, body: bytes) -> str:
        return self.grade

    def flapping(self, check: str) -> Flapping:
        is_flapping = check in self.flaps
        return Flapping(Fraction(1, 2) if is_flapping else Fraction(0), is_flapping)

    def explained(self, number: int) -> Explained | None:
        return self.explanations.get(number)

    def open_outage(self, check: str) -> str | None:
        return self.open.get(check)


class FakeSecrets:
    """Every secret has its name as value, but for those that are missing."""

    def __init__(self) -> None:
        self.missing: set[str] = set()

    def values(self, tx: Transaction, names: Collection[str]) -> Mapping[str, str]:
        for name in names:
            if name in self.missing:
                raise BadInput(f"There is no secret {name}: `vedette secret set {name}`.")
        return {name: f"value of {name}" for name in names}


class FakeTransport:
    """Takes messages; answers what stands next in `outcomes`, or that it was delivered.

    While `gate` is shut, nothing of the channels in `hanging` ends.
    """

    def __init__(self) -> None:
        self.outcomes: deque[Outcome] = deque()
        self.sent: list[tuple[str, Message]] = []
        self.hanging: set[str] = set()
        self.gate = asyncio.Event()
        self.news = asyncio.Event()
        self.is_closed = False

    async def send(self, channel: Channel, values: Mapping[str, str], message: Message) -> Outcome:
        self.sent.append((channel.id, message))
        self.news.set()
        if channel.id in self.hanging:
            await self.gate.wait()
        return self.outcomes.popleft() if self.outcomes else DELIVERED

    async def close(self) -> None:
        self.is_closed = True

    async def until(self, count: int) -> None:
        """Wait until so many messages were taken."""
        while len(self.sent) < count:
            self.news.clear()
            await self.news.wait()
