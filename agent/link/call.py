"""The call under a conversation: one writer at a time, deadlines on reading, and failures translated."""

import asyncio
from typing import Any

import grpc

from agent.errors import Unreachable
from agent.link.channel import translated
from vedette.v1 import session_pb2 as pb

Stream = grpc.aio.StreamStreamCall[pb.ConnectRequest, pb.ConnectResponse]


class Ended(Exception):
    """The call is over; whoever reads from it learns why."""


class SessionCall:
    """A SessionService.Connect call to `address`. Only `read` says why it ended."""

    def __init__(self, stream: Stream, address: str) -> None:
        self.address = address
        self._stream = stream
        self._writing = asyncio.Lock()

    async def write(self, message: pb.ConnectRequest) -> None:
        """Send `message`; waits while the other side takes none. Ended if the call is over."""
        async with self._writing:
            try:
                await self._stream.write(message)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
                raise Ended from error
            except asyncio.CancelledError as error:
                _reraise_own(error)
                raise Ended from error

    async def read(self, seconds_max: float) -> pb.ConnectResponse | None:
        """The next message, or None at the end of the stream. AgentError says why it broke off."""
        try:
            async with asyncio.timeout(seconds_max):
                message: Any = await self._stream.read()
        except TimeoutError as error:
            raise Unreachable(
                f"The controller at {self.address} has been silent for {seconds_max:.0f} s."
            ) from error
        except grpc.aio.AioRpcError as error:
            raise translated(error, self.address) from error
        except asyncio.CancelledError as error:
            _reraise_own(error)
            raise Unreachable(
                f"The conversation with the controller at {self.address} was cut off."
            ) from error
        return message if isinstance(message, pb.ConnectResponse) else None

    async def finish(self) -> None:
        """Say that nothing more will be sent."""
        await self._stream.done_writing()

    def cancel(self) -> None:
        """Break the call off."""
        self._stream.cancel()


def _reraise_own(error: asyncio.CancelledError) -> None:
    """A cancelled call is reported as CancelledError too; one that was meant for this task goes on."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise error
