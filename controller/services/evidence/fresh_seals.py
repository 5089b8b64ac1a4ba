"""Having agents seal out of turn before evidence is handed over, so that its last minute is in it."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from controller.ports.seals import StreamId
from controller.ports.storage import Storage, Worker
from controller.services.evidence.seals import Seals

# An agent that is busy or far away: the bundle is made without its last minute then.
_SECONDS_MAX: Final = 5.0


@dataclass(frozen=True, slots=True)
class FreshSeals:
    """`ask` asks every agent that is connected for a seal, and says who was asked."""

    worker: Worker
    storage: Storage
    seals: Seals
    ask: Callable[[], Collection[str]]
    seconds_max: float = _SECONDS_MAX

    async def arrived(self) -> bool:
        """Wait until whatever is durable here now of the agents that are connected is under a seal.

        False if that did not come in time; what there is counts all the same.
        """
        asked = frozenset(self.ask())
        lines = await self.worker.run(lambda: self._unsealed(asked))
        try:
            async with asyncio.timeout(self.seconds_max):
                while await self._waits_for(lines):
                    pass
        except TimeoutError:
            return False
        return True

    async def _waits_for(self, lines: dict[StreamId, int]) -> bool:
        """Wait for the next seals if some of these lines need them; whether they did."""
        coming = asyncio.ensure_future(self.seals.next_commit())
        try:
            left = await self.worker.run(lambda: self._left(lines))
            if left:
                await coming
        finally:
            coming.cancel()
        return bool(left)

    # --- in the storage thread

    def _unsealed(self, agents: Collection[str]) -> dict[StreamId, int]:
        """The last line of every stream of these agents."""
        with self.storage.transaction() as tx:
            found = {
                StreamId(one.agent, one.epoch, one.stream): one.seq
                for one in tx.positions()
                if one.agent in agents
            }
        return self._left(found)

    def _left(self, lines: dict[StreamId, int]) -> dict[StreamId, int]:
        """Those of them that no seal covers yet."""
        left: dict[StreamId, int] = {}
        with self.storage.transaction() as tx:
            for stream, seq in lines.items():
                tip = tx.seal_tip(stream)
                if tip is None or tip.covered_seq < seq:
                    left[stream] = seq
        return left
