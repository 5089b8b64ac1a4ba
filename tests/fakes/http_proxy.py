"""A real HTTP proxy on loopback: tunnels by CONNECT, forwards plain requests, or refuses by a status."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.fakes.tcp_target import LOOPBACK, Script, TcpTarget, target


@dataclass
class HttpProxy:
    """Where the proxy listens, and the heads of the requests that were sent to it."""

    place: TcpTarget
    heads: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.place.url("")


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _proxying(heads: list[bytes], refusal: bytes | None) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        if refusal is not None:
            writer.write(refusal)
            return
        method, address, _ = head.split(b" ", 2)
        is_tunnel = method == b"CONNECT"
        port = (
            int(address.rpartition(b":")[2]) if is_tunnel else urlsplit(address.decode()).port or 80
        )
        back, forth = await asyncio.open_connection(LOOPBACK, port)
        if is_tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            forth.write(head)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pumped(reader, forth))
                group.create_task(_pumped(back, writer))
        except* ConnectionError:
            pass
        finally:
            forth.close()

    return script


@asynccontextmanager
async def http_proxy(refusal: bytes | None = None) -> AsyncIterator[HttpProxy]:
    """A proxy that takes every target to be on loopback, whatever its name; `refusal` is what it answers instead."""
    heads: list[bytes] = []
    async with target(_proxying(heads, refusal)) as place:
        yield HttpProxy(place, heads)
