"""A TCP proxy on loopback that does to connections what networks do to them."""

import asyncio
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    """How a connection ends, or does not."""

    CUT = "cut"
    RESET = "reset"
    HALF_OPEN = "half open"


@dataclass(frozen=True)
class Fault:
    """What happens to a connection after so many bytes of the client."""

    kind: Kind
    after_bytes: int


class FaultyProxy:
    """Forwards to `port`. Each connection meets the next of `faults`; those after the last meet none.

    Everything is delayed by `latency_seconds` in each direction. A half-open connection stays there, takes
    what the client sends, and answers nothing more.
    """

    def __init__(self, port: int, faults: list[Fault], *, latency_seconds: float = 0.0) -> None:
        self._target = port
        self._faults = faults
        self._latency_seconds = latency_seconds
        self._server: asyncio.Server | None = None
        self._half_open: list[asyncio.StreamWriter] = []
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._half_open:
            writer.transport.abort()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        fault = self._faults.pop(0) if self._faults else None
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        back = asyncio.create_task(self._copy(there[0], writer, None))
        await self._copy(reader, there[1], fault.after_bytes if fault else None)
        back.cancel()
        if fault is not None and fault.kind is Kind.HALF_OPEN:
            there[1].transport.abort()
            self._half_open.append(writer)
            await self._swallow(reader)
            return
        for end in (writer, there[1]):
            if fault is not None and fault.kind is Kind.RESET:
                _reset_on_close(end)
            end.transport.abort()

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None
    ) -> None:
        """Forward up to `left` bytes (all of them where it is None)."""
        try:
            while left != 0 and (
                data := await reader.read(4096 if left is None else min(left, 4096))
            ):
                if self._latency_seconds:
                    await asyncio.sleep(self._latency_seconds)
                writer.write(data)
                await writer.drain()
                left = None if left is None else left - len(data)
        except OSError:
            return

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        try:
            while await reader.read(4096):
                pass
        except OSError:
            return


class CuttingProxy(FaultyProxy):
    """Each connection dies after the next number of `cuts` (client bytes), or never."""

    def __init__(self, port: int, cuts: list[int]) -> None:
        super().__init__(port, [Fault(Kind.CUT, after_bytes) for after_bytes in cuts])


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Let the kernel answer with RST rather than FIN: what a crashed machine or a firewall does."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
