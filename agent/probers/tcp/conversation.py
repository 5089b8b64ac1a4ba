"""A conversation: lines and bytes of one connection, bounded in length, amount and number of pieces."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Final

from agent.probers.network.fault import Fault
from agent.probers.network.handshake import Shown, TlsWants, secured
from agent.probers.network.stream import Stream
from agent.probers.transport.steps import Steps
from vedette.shared.failure import Failure
from vedette.shared.limits import (
    DIALOGUE_BYTES_MAX,
    DIALOGUE_LINE_BYTES_MAX,
    DIALOGUE_PIECES_MAX,
    REFUSAL_US_MAX,
    REFUSAL_US_MIN,
    SHOWN_CHARS_MAX,
)

if TYPE_CHECKING:
    from agent.probers.transport.byte_stream import ByteStream

_LINE_END: Final = b"\n"


class Conversation:
    """What both sides say. The bytes need not be text; a line ends in LF or CR LF."""

    def __init__(self, plain: Stream, steps: Steps) -> None:
        self.steps = steps
        self.banner: bytes | None = None
        self.received_bytes = 0
        self.shown = Shown()
        self._plain = plain
        self._stream: ByteStream = plain
        self._buffer = bytearray()
        self._pieces = 0
        self._is_over = False

    @property
    def where(self) -> str:
        """The address that is spoken with."""
        return self._plain.address

    async def line(self) -> bytes | None:
        """The next line without its end; None when the target has closed. Fault if it is too long."""
        while True:
            end = self._buffer.find(_LINE_END)
            if end > DIALOGUE_LINE_BYTES_MAX or (
                end < 0 and len(self._buffer) > DIALOGUE_LINE_BYTES_MAX
            ):
                most = f"a line is longer than {DIALOGUE_LINE_BYTES_MAX} bytes"
                raise Fault(Failure.REPLY_TOO_LARGE, most)
            if end >= 0:
                return self._taken(end + 1)
            if not await self._more():
                return self._taken(len(self._buffer)) if self._buffer else None

    async def arrived(self, at_least: int = 1) -> bytes | None:
        """All that has come and was not taken, once it is `at_least` bytes; None if so much will not come."""
        while len(self._buffer) < at_least:
            if not await self._more():
                return None
        return bytes(self._buffer)

    def take(self, size: int) -> None:
        """The first `size` bytes that `arrived` gave are dealt with."""
        del self._buffer[:size]

    async def say(self, data: bytes) -> None:
        """Send `data`."""
        self._stream.write(data)
        await self._stream.drain()

    async def start_tls(self, wants: TlsWants) -> None:
        """Go on inside TLS. Fault if it does not come about.

        What the target said past its consent would be taken for something said inside TLS: it is refused.
        """
        if self._buffer:
            said = f"{self.where} says more than that TLS may begin, in plain text"
            raise Fault(Failure.PROTOCOL_ERROR, said)
        late = f"{self.where} did not finish the TLS handshake"
        self.steps.begin("tls", Failure.TLS_TIMEOUT, late)
        self._stream = await secured(self._plain, wants, self.shown)
        self.steps.end()

    async def hear_refusal(self) -> None:
        """Fault if the target refuses the certificate that was shown to it, as far as that can be told soon.

        In TLS 1.3 a client is done before the server has looked at its certificate (RFC 8446 4.4.2.4), and
        consent is silence. So it is waited for twice the time of the handshake, within bounds.
        """
        if self.shown.version != "TLSv1.3":
            return
        self.steps.begin("consent", Failure.TLS_TIMEOUT, f"{self.where} did not go on")
        wait_us = min(max(2 * self.steps.phases_us["tls"], REFUSAL_US_MIN), REFUSAL_US_MAX)
        try:
            async with asyncio.timeout(min(wait_us, self.steps.left_us) / 1e6):
                is_open = await self._more()
        except TimeoutError:
            is_open = True
        except Fault as fault:
            if not isinstance(fault.__cause__, ssl.SSLError):
                raise
            said = f"{self.where} refuses the client certificate: {fault.detail}"
            raise Fault(Failure.TLS_HANDSHAKE_FAILED, said) from fault
        if not is_open:
            said = f"{self.where} closed the connection when it had seen the client certificate"
            raise Fault(Failure.CONNECTION_LOST, said)
        self.steps.end()

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    async def _more(self) -> bool:
        """Read on; False when the target has closed."""
        if self._is_over:
            return False
        data = await self._stream.read()
        if not data:
            self._is_over = True
            return False
        self.received_bytes += len(data)
        if self.received_bytes > DIALOGUE_BYTES_MAX:
            most = f"{self.where} says more than {DIALOGUE_BYTES_MAX} bytes"
            raise Fault(Failure.REPLY_TOO_LARGE, most)
        self._count()
        self._buffer += data
        return True

    def _taken(self, size: int) -> bytes:
        self._count()
        line = bytes(self._buffer[:size]).rstrip(b"\r\n")
        del self._buffer[:size]
        if self.banner is None:
            self.banner = line
        return line

    def _count(self) -> None:
        self._pieces += 1
        if self._pieces > DIALOGUE_PIECES_MAX:
            most = f"{self.where} says what it says in more than {DIALOGUE_PIECES_MAX} pieces"
            raise Fault(Failure.REPLY_TOO_LARGE, most)


def text_of(data: bytes) -> str:
    """`data` as text for people and expressions; what is no UTF-8 becomes replacement characters."""
    return data.decode("utf-8", "replace")


def quoted(data: bytes) -> str:
    """`data` as it is shown in a message, cut to a readable length."""
    text = repr(text_of(data[: SHOWN_CHARS_MAX * 4]))
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[: SHOWN_CHARS_MAX - 3]}..."
