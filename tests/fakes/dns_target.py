"""A real DNS server on loopback, UDP and TCP on one port, whose replies are what a function makes."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

LOOPBACK = "127.0.0.1"
Replies = Callable[[dns.message.QueryMessage], list[bytes]]
ZONE = {
    "A": ["example.com. 3600 IN A 127.0.0.1"],
    "SOA": ["example.com. 3600 IN SOA ns1.example.com. root.example.com. 1000 7200 3600 86400 60"],
    "NS": ["example.com. 7200 IN NS ns1.example.com.", "example.com. 7200 IN NS ns2.example.com."],
    "TXT": ['version.bind. 0 CH TXT "one"'],
}


def reply_to(
    query: dns.message.QueryMessage,
    records: list[str] | None = None,
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR,
    *,
    flags: int = 0,
) -> dns.message.Message:
    """A reply to `query`; with the records of the zone for its type unless others are given."""
    made = dns.message.make_response(query, recursion_available=True)
    made.set_rcode(rcode)
    made.flags |= flags
    question = query.question[0]
    if records is None:
        records = ZONE.get(question.rdtype.name, [])
    for text in records:
        name, ttl, rdclass, rdtype, data = text.split(" ", 4)
        made.answer.append(dns.rrset.from_text(name, int(ttl), rdclass, rdtype, data))
    return made


def wire(message: dns.message.Message) -> bytes:
    return message.to_wire()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        query = dns.message.from_wire(data)
        assert isinstance(query, dns.message.QueryMessage)
        for reply in self._replies(query):
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def name_server(
    udp: Replies, tcp: Replies | None = None, *, address: str = LOOPBACK, port: int = 0
) -> AsyncIterator[int]:
    """Serves `udp` and `tcp` replies; gives the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            query = dns.message.from_wire(await reader.readexactly(length))
            assert isinstance(query, dns.message.QueryMessage)
            for reply in (tcp or udp)(query):
                writer.write(struct.pack("!H", len(reply)) + reply)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, address, port)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Udp(udp), local_addr=(address, port)
    )
    try:
        yield port
    finally:
        transport.close()
        server.close()
        await asyncio.sleep(0)  # the loop closes the socket in its next turn
