"""A real TCP server on loopback whose behaviour towards each connection is a script."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LOOPBACK = "127.0.0.1"


@dataclass
class TcpTarget:
    """Where the server listens, and the heads of the requests that it read."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)

    def url(self, path: str = "/", scheme: str = "http", host: str = LOOPBACK) -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def target(
    script: Script, tls: ssl.SSLContext | None = None, *, host: str = LOOPBACK, port: int = 0
) -> AsyncIterator[TcpTarget]:
    """A server that runs `script` for every connection, for as long as the block lasts."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        except asyncio.CancelledError:
            pass
        finally:
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    place = TcpTarget(server.sockets[0].getsockname()[1])
    heads = _heads.setdefault(place.port, place.heads)
    place.heads = heads
    try:
        yield place
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        _heads.pop(place.port, None)


_heads: dict[int, list[bytes]] = {}


async def head_of(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The head of the request that comes in; the target remembers it."""
    head = await reader.readuntil(b"\r\n\r\n")
    _heads[writer.get_extra_info("sockname")[1]].append(head)
    return head


def answering(*parts: bytes) -> Script:
    """Reads a request, sends `parts` one after the other, and closes."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        for part in parts:
            writer.write(part)
            await writer.drain()

    return script


def routed(routes: dict[str, bytes]) -> Script:
    """Answers by the path of the request."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await head_of(reader, writer)
        path = head.split(b" ", 2)[1].decode()
        writer.write(routes[path])
        await writer.drain()

    return script


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing."""
    while await reader.read(65536):
        pass
    await asyncio.Event().wait()


def stalling(*parts: bytes) -> Script:
    """Reads a request, sends `parts`, and then nothing more, without closing."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        for part in parts:
            writer.write(part)
        await writer.drain()
        await asyncio.Event().wait()

    return script


def dripping(first: bytes, piece: bytes) -> Script:
    """Reads a request, sends `first`, and then `piece` now and then for ever: never silent, never done."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)

    return script


def endless(first: bytes, piece: bytes) -> Script:
    """Reads a request, sends `first`, and then `piece` for ever."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()

    return script


def response(
    body: bytes = b"", status: str = "200 OK", headers: tuple[str, ...] = (), *, sized: bool = True
) -> bytes:
    """The bytes of an HTTP response."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if sized:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
