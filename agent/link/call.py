"""The call under a conversation: one writer at a time, deadlines on reading, and failures translated."""

import asyncio
import contextlib
from typing import Any, Final

import grpc

from agent.errors import Unreachable
from agent.link.channel import translated
from vedette.v1 import session_pb2 as pb

# What gRPC puts in the place of the other side's words when a write fails because the call is over.
_HIDDEN: Final = (grpc.StatusCode.INTERNAL, "Internal error from Core")
_WORDS_SECONDS_MAX: Final = 1.0
Stream = grpc.aio.StreamStreamCall[pb.ConnectRequest, pb.ConnectResponse]


class Ended(Exception):
    """The call is over; whoever reads from it learns why."""


class SessionCall:
    """A SessionService.Connect call to `address`. Only `read` says why it ended."""

    def __init__(self, stream: Stream, address: str) -> None:
        self.address = address
        self._stream = stream
        self._writing = asyncio.Lock()
        self._words: grpc.aio.AioRpcError | None = None
        self._has_words = asyncio.Event()
        stream.add_done_callback(self._note)

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
            raise translated(await self._said(error), self.address) from error
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

    def _note(self, stream: Any) -> None:
        """Keep how the other side ended the call: gRPC calls this whenever it sets a status, and forgets it.

        A write that fails at that moment sets one of its own, before or after.
        """
        words = _at_once(stream)
        if (words.code(), words.details()) != _HIDDEN:
            self._words = words
            self._has_words.set()

    async def _said(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """How the other side ended the call, where `error` hides it; it comes in a moment if it ever does."""
        if (error.code(), error.details()) != _HIDDEN:
            return error
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WORDS_SECONDS_MAX):
                await self._has_words.wait()
        return self._words or error


def _at_once(stream: Any) -> grpc.aio.AioRpcError:
    """The status of a call that has one: asking for it then never waits, so one step is enough."""

    async def told() -> grpc.aio.AioRpcError:
        return grpc.aio.AioRpcError(
            await stream.code(),
            await stream.initial_metadata(),
            await stream.trailing_metadata(),
            await stream.details(),
        )

    asking = told()
    try:
        asking.send(None)
    except StopIteration as done:
        found: grpc.aio.AioRpcError = done.value
        return found
    finally:
        asking.close()
    raise AssertionError("a call that is done has a status")


def _reraise_own(error: asyncio.CancelledError) -> None:
    """A cancelled call is reported as CancelledError too; one that was meant for this task goes on."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise error
