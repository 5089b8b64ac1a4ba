"""Things to probe on loopback: an HTTP server that fails when the script says so, and a DNS server."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, cast

import dns.exception
import dns.message
import dns.rrset

HOST: Final = "127.0.0.1"
ANSWER: Final = "192.0.2.1"
READ_SECONDS_MAX: Final = 5.0


@dataclass(slots=True)
class Weather:
    """How the HTTP server does at present; the script changes it while they run."""

    is_down: bool = False
    blocked_agents: set[str] = field(default_factory=set)

    def fails_for(self, request: bytes) -> bool:
        """The answer to `request` is to be a failure. Agents say in their User-Agent who they are."""
        return self.is_down or any(f"({name})".encode() in request for name in self.blocked_agents)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the targets listen on loopback."""

    http: int
    dns: int


@contextlib.contextmanager
def targets(weather: Weather) -> Iterator[Ports]:
    """The targets, running in a thread of their own until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="targets", daemon=True)
    thread.start()
    started = asyncio.run_coroutine_threadsafe(_start(weather), loop).result(timeout=10)
    try:
        yield started
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)


async def _start(weather: Weather) -> Ports:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(READ_SECONDS_MAX):
                writer.write(_http_answer(await reader.readuntil(b"\r\n\r\n"), weather))
                await writer.drain()
        writer.close()

    http = await asyncio.start_server(serve, HOST, 0)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_DnsServer, local_addr=(HOST, 0))
    return Ports(http=http.sockets[0].getsockname()[1], dns=transport.get_extra_info("sockname")[1])


def _http_answer(request: bytes, weather: Weather) -> bytes:
    failing = weather.fails_for(request)
    status = b"503 Service Unavailable" if failing else b"200 OK"
    body = b'{"ok": false}' if failing else b'{"ok": true}'
    return (
        b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )


class _DnsServer(asyncio.DatagramProtocol):
    """Answers every A question with one address."""

    def __init__(self) -> None:
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked by isinstance: asyncio's own transport is no subclass of the documented one.
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question; what is not a question gets none."""
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return
        response = dns.message.make_response(query, recursion_available=True)
        if query.question:
            response.answer.append(
                dns.rrset.from_text(query.question[0].name, 60, "IN", "A", ANSWER)
            )
        assert self.transport is not None
        self.transport.sendto(response.to_wire(), addr)
