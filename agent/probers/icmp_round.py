"""One round of echo requests: sent at their spacing, answered or not until the deadline."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from agent.probers.icmp_packets import Saying
from agent.probers.icmp_socket import Answer, Echo, IcmpSocket
from agent.probers.network.fault import Fault
from vedette.shared.failure import Failure

_ERRORS: Final = {
    Saying.UNREACHABLE: (Failure.UNREACHABLE, "{router} says that {address} cannot be reached"),
    Saying.TOO_BIG: (
        Failure.PACKET_TOO_BIG,
        "{router} cannot pass on {size} bytes uncut to {address}",
    ),
    Saying.TTL_EXCEEDED: (
        Failure.TTL_EXCEEDED,
        "{router} dropped the packet to {address}: no hops left",
    ),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests, how far apart, and how long after the last one a reply still counts."""

    count: int
    spacing_seconds: float
    wait_seconds: float | None


class Round:
    """The requests of one probe: sends them at their spacing and collects the answers until the deadline."""

    __slots__ = (
        "_done", "_echo", "_loop", "_pace", "_sequences", "_sock", "_timer", "duplicates", "errors",
        "replies", "sent_us",
    )  # fmt: skip

    def __init__(self, echo: Echo, pace: Pace, sock: IcmpSocket) -> None:
        self._echo = echo
        self._pace = pace
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._sequences: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self.sent_us: list[int] = []
        self.replies: dict[int, Answer] = {}
        self.errors: dict[int, Answer] = {}
        self.duplicates = 0

    async def run(self, seconds: float) -> None:
        """Return when every request is answered, or its time is over. Fault if one cannot be sent."""
        deadline = self._loop.call_later(seconds, self._end)
        try:
            self._send(self._loop.time())
            await self._done
        finally:
            deadline.cancel()
            if self._timer is not None:
                self._timer.cancel()
            self._forget()

    def _send(self, begun: float) -> None:
        """Send the next request, and see to it that the one after it follows in time."""
        number = len(self.sent_us)
        try:
            sequence, sent_us = self._sock.send(self._echo, self, number)
        except Fault as fault:
            if not self._done.done():
                self._done.set_exception(fault)
            return
        self._sequences.append(sequence)
        self.sent_us.append(sent_us)
        if number + 1 < self._pace.count:
            next_at = begun + (number + 1) * self._pace.spacing_seconds
            self._timer = self._loop.call_at(next_at, self._send, begun)
        elif self._pace.wait_seconds is not None:
            self._timer = self._loop.call_later(self._pace.wait_seconds, self._end)

    def take(self, number: int, answer: Answer) -> None:
        """An answer to request `number`; the round is over when each has one."""
        if answer.saying is not Saying.REPLY:
            self.errors.setdefault(number, answer)
        elif number in self.replies:
            self.duplicates += 1
            return
        else:
            self.replies[number] = answer
        answered = len(self.replies)
        if self.errors:
            answered = len(self.replies.keys() | self.errors.keys())
        if answered == self._pace.count:
            self._end()

    def _end(self) -> None:
        self._forget()
        if not self._done.done():
            self._done.set_result(None)

    def _forget(self) -> None:
        """What comes from now on is late."""
        for sequence in self._sequences:
            self._sock.forget(sequence)
        self._sequences.clear()

    def rtts_us(self) -> list[int | None]:
        """Round trip of each request in sending order; None where it is lost or was turned away."""
        return [
            max(reply.at_us - sent_us, 0) if (reply := self.replies.get(number)) else None
            for number, sent_us in enumerate(self.sent_us)
        ]

    def error_fault(self) -> Fault | None:
        """What was said instead of a reply, if there was no reply at all; the most frequent saying of it."""
        if self.replies or not self.errors:
            return None
        ((saying, _),) = Counter(answer.saying for answer in self.errors.values()).most_common(1)
        said = next(answer for answer in self.errors.values() if answer.saying is saying)
        kind, sentence = _ERRORS[saying]
        router = said.source or "a router"
        echo = self._echo
        return Fault(kind, sentence.format(router=router, address=echo.address, size=echo.size))
