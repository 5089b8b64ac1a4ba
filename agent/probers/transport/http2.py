"""One request over HTTP/2 (RFC 9113), with the same phases and bounds as over HTTP/1.1."""

import asyncio
from contextlib import suppress
from typing import Final

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from agent.probers.network.fault import Fault
from agent.probers.transport.answer import (
    HEADERS_TOO_LARGE,
    TOO_MANY_HEADERS,
    TOO_MANY_INTERIM,
    Answer,
)
from agent.probers.transport.byte_stream import ByteStream
from agent.probers.transport.steps import Steps
from agent.probers.transport.wants import Hop, Request, Wants
from vedette.shared.failure import Failure
from vedette.shared.limits import (
    HTTP2_FRAMES_MAX,
    HTTP2_OVERHEAD_BYTES_MAX,
    INTERIM_RESPONSES_MAX,
    RESPONSE_HEADER_BYTES_MAX,
    RESPONSE_HEADERS_MAX,
)

_FRAME_HEADER_BYTES: Final = 9
_FRAME_BYTES_MAX: Final = 16_384
_SLICE_BYTES: Final = 2048
_BYTES_A_FRAME: Final = 256
_SETTINGS: Final = 4
_CONFIG = h2.config.H2Configuration(client_side=True, header_encoding=None)
_NO_HTTP2: Final = "the target does not begin as HTTP/2 does: it speaks something else on this port"
# Of the connection alone, which does not exist here (RFC 9113, 8.2.2), or said by a pseudo header.
_HOP_HEADERS = frozenset({
    b"host", b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade",
})  # fmt: skip


class _Conversation:
    """One stream of one connection. Fed with bytes until the answer is complete."""

    def __init__(self, stream: ByteStream, answer: Answer) -> None:
        self.answer = answer
        self.is_begun = False
        self._stream = stream
        self._received = 0
        self._frames = 0
        self._preface = b""
        self._number = 1
        self._connection = h2.connection.H2Connection(_CONFIG)
        settings = self._connection.local_settings
        settings.enable_push = 0
        settings.max_header_list_size = RESPONSE_HEADER_BYTES_MAX

    async def send(self, request: Request) -> None:
        """Send `request`, its body as far and as fast as the target lets it."""
        connection = self._connection
        connection.initiate_connection()
        connection.send_headers(self._number, _headers(request), end_stream=not request.body)
        left = memoryview(request.body)
        while left:
            room = min(
                connection.local_flow_control_window(self._number),
                connection.max_outbound_frame_size,
            )
            if room > 0:
                is_last = len(left) <= room
                connection.send_data(self._number, bytes(left[:room]), end_stream=is_last)
                left = left[room:]
            await self._flush()
            if left and room <= 0:
                await self.receive()
                if self.answer.is_complete:
                    return
        await self._flush()

    async def receive(self) -> None:
        """Take what arrives next. Fault if it is no HTTP/2, or too much of it, or the end."""
        data = await self._stream.read()
        if not data:
            self._ended()
        for start in range(0, len(data), _SLICE_BYTES):
            if start:
                await asyncio.sleep(0)  # small frames take long, and others must run in between
            self._feed(data[start : start + _SLICE_BYTES])
            if self.answer.is_complete:
                return
        if not self.answer.is_complete:
            # A target that is gone may have said all there is to say before: what arrived is read first.
            with suppress(Fault):
                await self._flush()

    def _feed(self, data: bytes) -> None:
        self._received += len(data)
        if len(self._preface) < _FRAME_HEADER_BYTES:
            self._preface += data[:_FRAME_HEADER_BYTES]
            _demand_settings(self._preface)
        try:
            events = self._connection.receive_data(data)
            for event in events:
                self._take(event)
        except h2.exceptions.DenialOfServiceError as error:
            raise Fault(Failure.HEADERS_TOO_LARGE, HEADERS_TOO_LARGE) from error
        except h2.exceptions.InvalidBodyLengthError as error:
            said = f"the body is not as long as its content-length says: {error}"
            raise Fault(Failure.TRUNCATED, said) from error
        except h2.exceptions.ProtocolError as error:
            why = str(error)[:120] or type(error).__name__
            raise Fault(Failure.PROTOCOL_ERROR, f"the answer is not HTTP/2: {why}") from error
        body = self.answer.body
        kept = body.received_bytes if body is not None else 0
        self._frames += len(events)
        is_endless = self._frames > HTTP2_FRAMES_MAX + kept // _BYTES_A_FRAME
        if is_endless or self._received - kept > HTTP2_OVERHEAD_BYTES_MAX + kept:
            raise Fault(Failure.PROTOCOL_ERROR, "the target sends frames without an end")

    async def _flush(self) -> None:
        data = self._connection.data_to_send()
        if data:
            self._stream.write(data)
            await self._stream.drain()

    def _take(self, event: h2.events.Event) -> None:
        answer = self.answer
        match event:
            case h2.events.InformationalResponseReceived():
                self.is_begun = True
                answer.interim.append(_status(event.headers))
                if len(answer.interim) > INTERIM_RESPONSES_MAX:
                    raise Fault(Failure.PROTOCOL_ERROR, TOO_MANY_INTERIM)
            case h2.events.ResponseReceived():
                self.is_begun = True
                self._begin(event)
            case h2.events.DataReceived():
                self._connection.acknowledge_received_data(
                    event.flow_controlled_length or 0, self._number
                )
                if answer.body is not None and not answer.is_bodiless:
                    answer.body.feed(event.data or b"")
            case h2.events.StreamEnded():
                self._complete()
            case h2.events.StreamReset():
                self._lost(f"the target reset the stream ({_named(event.error_code)})")
            case h2.events.ConnectionTerminated() if (event.last_stream_id or 0) < self._number:
                self._lost(f"the target refused the request ({_named(event.error_code)})")
            case _:
                return

    def _begin(self, event: h2.events.ResponseReceived) -> None:
        answer = self.answer
        pairs = [(bytes(name).lower(), bytes(value)) for name, value in event.headers or ()]
        answer.headers = [pair for pair in pairs if not pair[0].startswith(b":")]
        if len(answer.headers) > RESPONSE_HEADERS_MAX:
            raise Fault(Failure.HEADERS_TOO_LARGE, TOO_MANY_HEADERS)
        answer.status, answer.version = _status(pairs), "2"
        answer.begin_body()

    def _complete(self) -> None:
        answer = self.answer
        if answer.body is None:
            raise Fault(Failure.PROTOCOL_ERROR, "the answer ends without a status")
        answer.is_complete = True
        answer.body.end()

    def _lost(self, detail: str) -> None:
        if not self.answer.is_complete:
            kind = Failure.TRUNCATED if self.answer.body is not None else Failure.CONNECTION_LOST
            raise Fault(kind, detail)

    def _ended(self) -> None:
        body = self.answer.body
        if body is not None:
            said = f"the target closed the connection after {body.received_bytes} bytes of the body"
            raise Fault(Failure.TRUNCATED, said)
        if 0 < len(self._preface) < _FRAME_HEADER_BYTES:
            raise Fault(Failure.PROTOCOL_ERROR, _NO_HTTP2)
        said = "the target closed the connection without an answer"
        raise Fault(Failure.CONNECTION_LOST, said)


def _demand_settings(begin: bytes) -> None:
    """Fault unless what a server begins with is a frame of settings (RFC 9113, 3.4).

    h2 waits for the end of the frame that the first bytes of another protocol seem to announce.
    """
    if len(begin) >= _FRAME_HEADER_BYTES:
        size = int.from_bytes(begin[:3])
        is_settings = begin[3] == _SETTINGS and not begin[4] and begin[5:9] == bytes(4)
        if size > _FRAME_BYTES_MAX or not is_settings:
            raise Fault(Failure.PROTOCOL_ERROR, _NO_HTTP2)


async def exchanged(
    stream: ByteStream, request: Request, hop: Hop, wants: Wants, steps: Steps
) -> Answer:
    """The complete answer to `request` on `stream`, which speaks HTTP/2. Fault if there is none."""
    answer = Answer(request.method, wants.body_bytes_max)
    hop.response = answer
    conversation = _Conversation(stream, answer)
    steps.begin("send", Failure.SEND_TIMEOUT, "the target did not take the request")
    await conversation.send(request)
    steps.end()
    steps.begin("first_byte", Failure.FIRST_BYTE_TIMEOUT, f"{hop.addr} did not begin to answer")
    while not (conversation.is_begun or answer.is_complete):
        await conversation.receive()
    steps.end()
    steps.begin("transfer", Failure.TRANSFER_TIMEOUT, f"{hop.addr} did not complete its answer")
    while not answer.is_complete:
        await conversation.receive()
    steps.end()
    return answer


def _headers(request: Request) -> list[tuple[bytes, bytes]]:
    host = next((v for n, v in request.headers if n.lower() == b"host"), request.authority.encode())
    pseudo = [
        (b":method", request.method.encode()),
        (b":scheme", request.scheme.encode()),
        (b":authority", host),
        (b":path", request.target.encode("latin-1")),
    ]
    own = [(n.lower(), v) for n, v in request.headers if n.lower() not in _HOP_HEADERS]
    return pseudo + own


def _status(headers: object) -> int:
    """The status in pseudo headers; a fault if it is no number of three digits."""
    assert isinstance(headers, list)
    text = next((bytes(v) for n, v in headers if bytes(n) == b":status"), b"")
    if not (len(text) == 3 and text.isdigit()):
        raise Fault(Failure.PROTOCOL_ERROR, "the answer has no status")
    return int(text)


def _named(code: object) -> str:
    return str(getattr(code, "name", code))
