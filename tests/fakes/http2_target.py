"""A real HTTP/2 server on loopback whose behaviour towards each request is a script of frames."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events

from tests.fakes.tcp_target import TcpTarget, target


@dataclass
class Talk:
    """One connection: what was asked, and the means to answer it."""

    connection: h2.connection.H2Connection
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def flush(self) -> None:
        self.writer.write(self.connection.data_to_send())
        await self.writer.drain()

    def head(self, *headers: tuple[str, str], status: str = "200", is_last: bool = False) -> None:
        self.connection.send_headers(self.number, [(":status", status), *headers], is_last)

    async def send(self, body: bytes) -> None:
        """Send `body` to its end, as fast as the other side takes it."""
        while body:
            room = self.connection.local_flow_control_window(self.number)
            room = min(room, self.connection.max_outbound_frame_size)
            part, body = body[:room], body[room:]
            if part:
                self.connection.send_data(self.number, part, end_stream=not body)
            await self.flush()
            if body and not part:
                self.connection.receive_data(await self.reader.read(65536))


Answers = Callable[[Talk], Awaitable[None]]


@asynccontextmanager
async def http2_target(
    answers: Answers, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[TcpTarget, list[Talk]]]:
    """Serves HTTP/2, over TLS by ALPN and without TLS by prior knowledge; gives also what was asked."""
    talks: list[Talk] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        talk = Talk(h2.connection.H2Connection(config), reader, writer)
        talk.connection.initiate_connection()
        await talk.flush()
        while data := await reader.read(65536):
            for event in talk.connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    talk.number = event.stream_id or 0
                    talk.headers = {str(n): str(v) for n, v in event.headers or ()}
                elif isinstance(event, h2.events.DataReceived):
                    talk.body += event.data or b""
                    size = event.flow_controlled_length or 0
                    talk.connection.acknowledge_received_data(size, talk.number)
                elif isinstance(event, h2.events.StreamEnded):
                    talks.append(talk)
                    await talk.flush()
                    await answers(talk)
            await talk.flush()

    if tls is not None:
        tls.set_alpn_protocols(["h2"])
    async with target(script, tls) as place:
        yield place, talks
