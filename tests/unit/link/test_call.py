"""How a call ended is told in the words of the other side, whatever gRPC puts in their place."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from agent.errors import Revoked, Unreachable
from agent.link import call as conversation
from agent.link.call import Ended, SessionCall
from vedette.shared.identity import REVOKED_METADATA
from vedette.v1 import session_pb2 as pb

HIDDEN = (grpc.StatusCode.INTERNAL, "Internal error from Core", ())
REVOKED = (grpc.StatusCode.PERMISSION_DENIED, "revoked: stolen", ((REVOKED_METADATA, "1"),))
Status = tuple[grpc.StatusCode, str, tuple[tuple[str, str], ...]]


class EndingStream:
    """A call of grpc.aio that sets these statuses, one after the other, as its `write` fails."""

    def __init__(self, *at_once: Status, later: Status | None = None) -> None:
        self._statuses, self._later = at_once, later
        self._status = at_once[0]
        self._callbacks: list[Callable[[Any], None]] = []

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._callbacks.append(callback)

    async def write(self, message: pb.ConnectRequest) -> None:
        for status in self._statuses:
            self._set(status)
        if self._later is not None:
            asyncio.get_running_loop().call_soon(self._set, self._later)
        raise self._error()

    async def read(self) -> pb.ConnectResponse:
        raise self._error()

    async def code(self) -> grpc.StatusCode:
        return self._status[0]

    async def details(self) -> str:
        return self._status[1]

    async def initial_metadata(self) -> Any:
        return grpc.aio.Metadata()

    async def trailing_metadata(self) -> Any:
        return grpc.aio.Metadata(*self._status[2])

    def _set(self, status: Status) -> None:
        self._status = status
        for callback in self._callbacks:
            callback(self)

    def _error(self) -> grpc.aio.AioRpcError:
        code, details, trailing = self._status
        return grpc.aio.AioRpcError(
            code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), details
        )


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(EndingStream(REVOKED), id="alone"),
        pytest.param(EndingStream(REVOKED, HIDDEN), id="before the failure of the write"),
        pytest.param(EndingStream(HIDDEN, REVOKED), id="just after it"),
        pytest.param(EndingStream(HIDDEN, later=REVOKED), id="a moment later"),
    ],
)
async def test_a_failed_write_does_not_hide_why_the_call_ended(stream: Any) -> None:
    call = SessionCall(stream, "probe.example:7443")
    with pytest.raises(Ended):
        await call.write(pb.ConnectRequest())
    with pytest.raises(Revoked, match="revoked: stolen"):
        await call.read(60.0)


async def test_where_nothing_else_comes_the_failure_is_what_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conversation, "_WORDS_SECONDS_MAX", 0.0)
    stream: Any = EndingStream(HIDDEN)
    call = SessionCall(stream, "probe.example:7443")
    with pytest.raises(Ended):
        await call.write(pb.ConnectRequest())
    with pytest.raises(Unreachable, match="Internal error from Core"):
        await call.read(60.0)
