"""What is waiting to be sent to one agent: bounded, and merged where only the newest counts."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from vedette.v1 import session_pb2 as pb

REPLIES_MAX: Final = 1024

Key = tuple[str, str]


class Outbox:
    """Acks merge by stream, an assignment replaces the one before it, replies keep their order.

    Orders to probe merge too: a run that is still to be asked for is asked for once. Replies answer messages of
    the agent; the reader waits for room, so that they cannot pile up.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._durable: dict[Key, int] = {}
        self._assignment: pb.Assignment | None = None
        self._orders: dict[pb.ProbeTrigger.ValueType, dict[str, None]] = {}
        self._is_seal_wanted = False
        self._replies: deque[pb.ConnectResponse] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._is_closed = False

    async def room(self) -> None:
        """Return when there is room for another reply."""
        await self._room.wait()

    def reply(self, message: pb.ConnectResponse) -> None:
        """Send this, after what is waiting."""
        self._replies.append(message)
        if len(self._replies) >= REPLIES_MAX:
            self._room.clear()
        self._changed.set()

    def acknowledge(self, epoch: str, stream: str, seq: int) -> None:
        """Tell the agent that its lines up to `seq` are durable."""
        key = (epoch, stream)
        self._durable[key] = max(seq, self._durable.get(key, 0))
        self._changed.set()

    def assign(self, assignment: pb.Assignment) -> None:
        """Send this assignment rather than any that is still waiting."""
        self._assignment = assignment
        self._changed.set()

    def order(self, order: pb.ProbeOrder) -> None:
        """Ask for these runs, once each."""
        self._orders.setdefault(order.trigger, {}).update(dict.fromkeys(order.checks))
        self._changed.set()

    def seal_now(self) -> None:
        """Ask for a seal out of turn, once."""
        self._is_seal_wanted = True
        self._changed.set()

    def close(self) -> None:
        """Nothing more will come: `next` gives what is left, and then nothing."""
        self._is_closed = True
        self._changed.set()

    async def next(self) -> list[pb.ConnectResponse]:
        """Everything that is to be sent now; waits until there is something. Empty: it was closed."""
        await self._changed.wait()
        messages = list(self._drawn())
        # After closing the event stays set: the next call finds nothing and says so.
        if not self._is_closed:
            self._changed.clear()
        self._room.set()
        return messages

    def _drawn(self) -> Iterable[pb.ConnectResponse]:
        if self._assignment is not None:
            yield pb.ConnectResponse(assignment=self._assignment)
            self._assignment = None
        for trigger, checks in self._orders.items():
            yield pb.ConnectResponse(probe_now=pb.ProbeOrder(checks=checks, trigger=trigger))
        self._orders.clear()
        if self._is_seal_wanted:
            self._is_seal_wanted = False
            yield pb.ConnectResponse(seal_now=pb.SealNow())
        while self._replies:
            message = self._replies.popleft()
            if message.HasField("clock_reply"):
                message.clock_reply.controller_sent_us = self._now_us()
            yield message
        if self._durable:
            positions = [
                pb.Position(epoch=e, stream=s, seq=n) for (e, s), n in self._durable.items()
            ]
            self._durable.clear()
            yield pb.ConnectResponse(ack=pb.Ack(durable=positions))
