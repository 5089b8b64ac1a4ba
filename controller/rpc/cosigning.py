"""Which of the agents that are connected sign heads of the log, and up to which one each has come."""

import asyncio
import contextlib

from controller.rpc.sessions import Sessions


class Cosigning:
    """Lives in the event loop's thread. Heads go to agents through `sessions`."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._sizes: dict[str, int] = {}
        self._moved = asyncio.Event()

    def signed(self, agent: str, size: int) -> None:
        """The signature of an agent under the head of so many leaves is kept."""
        self._sizes[agent] = max(size, self._sizes.get(agent, 0))
        self._moved.set()

    def left(self, agent: str) -> None:
        """It is not connected any more: nobody waits for it."""
        self._sizes.pop(agent, None)
        self._moved.set()

    async def until(self, size: int, seconds_max: float) -> None:
        """Show the head to all; return when every agent that signs has signed one of that size, or the time is up."""
        self._sessions.tell_heads()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds_max):
                while any(one < size for one in self._sizes.values()):
                    self._moved.clear()
                    await self._moved.wait()
