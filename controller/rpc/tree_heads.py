"""Which head of the log an agent is sent: the newest, with the proof from the one that it took last."""

import asyncio

from controller.ports.storage import Worker
from controller.services.evidence.logbook import Logbook
from vedette.v1 import session_pb2 as pb


class TreeHeads:
    """The heads of one stream. Lives in the event loop's thread."""

    def __init__(self, logbook: Logbook, worker: Worker) -> None:
        self._logbook = logbook
        self._worker = worker
        self._takes = False
        self._seen = 0
        self._asked: int | None = None
        self.changed = asyncio.Event()

    def greeted(self, hello: pb.Hello) -> None:
        """The agent says whether it takes heads, and which it has seen."""
        self._takes, self._seen = hello.takes_tree_heads, hello.log_size
        self.changed.set()

    def acknowledged(self, ack: pb.TreeHeadAck) -> None:
        """The agent took the head, or refused it: the next is offered when there is one."""
        self._seen = ack.size

    async def due(self) -> pb.TreeHead | None:
        """What to send now; None if the agent was offered it on this stream, or takes none.

        One of the size that it has seen is shown to it once: it may be another tree of that size.
        """
        self.changed.clear()
        if not self._takes:
            return None
        seen = self._seen
        head = await self._worker.run(lambda: self._logbook.head_from(seen))
        if head is None or head.size == self._asked:
            return None
        self._asked = head.size
        return pb.TreeHead(
            checkpoint=head.note, log_key=head.key, from_size=head.from_size, path=head.path
        )
