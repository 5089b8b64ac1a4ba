"""A TCP proxy on loopback that cuts a connection after so many bytes."""

import asyncio
from typing import Self


class CuttingProxy:
    """Forwards to `port`; each connection dies after the next number of `cuts` (client bytes), or never."""

    def __init__(self, port: int, cuts: list[int]) -> None:
        self._target = port
        self._cuts = cuts
        self._server: asyncio.Server | None = None
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        left = self._cuts.pop(0) if self._cuts else None
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        back = asyncio.create_task(_copy(there[0], writer, None))
        await _copy(reader, there[1], left)
        back.cancel()
        for end in (writer, there[1]):
            end.transport.abort()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None
) -> None:
    """Forward up to `left` bytes (all of them where it is None)."""
    try:
        while left != 0 and (data := await reader.read(4096 if left is None else min(left, 4096))):
            writer.write(data)
            await writer.drain()
            left = None if left is None else left - len(data)
    except OSError:
        return
