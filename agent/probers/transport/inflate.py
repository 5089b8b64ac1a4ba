"""Content-Encoding undone while it arrives, so that a small answer cannot become a large one in memory."""

import zlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import brotli

from agent.probers.network.fault import Fault
from vedette.shared.failure import Failure
from vedette.shared.limits import BODY_OVERHEAD_BYTES_MAX, GZIP_MEMBERS_MAX

ACCEPTED: Final = "gzip, deflate, br"
_GZIP: Final = 16 + zlib.MAX_WBITS
_NO_ENCODING: Final = ("", "identity")


class _Decoder(Protocol):
    @property
    def is_finished(self) -> bool: ...

    def undone(self, data: bytes, room: int) -> tuple[bytes, bytes]:
        """About `room` bytes of content at most, and the input that is left for the next call."""
        ...


class Body:
    """Collects a body up to `bytes_max` after decompression. Fault when it is larger, or not what it says.

    `codings` are those that the answer names. One that we do not know is left as it is: `is_plain` is then
    False, and the size is that of the encoded body.
    """

    def __init__(self, bytes_max: int, encoding: str = "") -> None:
        self.codings: tuple[str, ...] = _codings_of(encoding) if encoding else ()
        self.received_bytes = 0
        self.is_plain = len(self.codings) <= 1 and set(self.codings) <= set(_DECODERS)
        self._bytes_max = bytes_max
        self._coding = self.codings[0] if self.codings and self.is_plain else None
        self._decoder: _Decoder | None = None
        self._members = 0
        self._content = bytearray()
        self._joined: bytes | None = None
        self._received_max = 2 * bytes_max + BODY_OVERHEAD_BYTES_MAX

    @property
    def content(self) -> bytes:
        """What was collected."""
        if self._joined is None or len(self._joined) != len(self._content):
            self._joined = bytes(self._content)
        return self._joined

    def feed(self, data: bytes) -> None:
        """Take the next piece as it arrived."""
        self.received_bytes += len(data)
        if self.received_bytes > self._received_max:
            said = f"the body is larger than {self._received_max} bytes as it is sent"
            raise Fault(Failure.BODY_TOO_LARGE, said)
        if self._coding is None:
            self._collect(data)
            return
        try:
            self._inflate(data, self._coding)
        except (zlib.error, brotli.error) as error:
            why = f"the body is not {self._coding}, as it says: {error}"
            raise Fault(Failure.BAD_ENCODING, why) from error

    def end(self) -> None:
        """No more will come."""
        if self._decoder is not None and not self._decoder.is_finished:
            raise Fault(Failure.BAD_ENCODING, f"the {self._coding} body ends too early")

    def _inflate(self, data: bytes, coding: str) -> None:
        while data:
            decoder = self._decoder
            if decoder is not None and decoder.is_finished and coding == "gzip":
                data = data.lstrip(b"\0")  # padding, as gzip itself takes it
                if not data:
                    return
            if decoder is None or (decoder.is_finished and coding == "gzip"):
                self._members += 1
                if self._members > GZIP_MEMBERS_MAX:
                    said = f"the body has more than {GZIP_MEMBERS_MAX} gzip members"
                    raise Fault(Failure.BAD_ENCODING, said)
                self._decoder = decoder = _DECODERS[coding](data)
            elif decoder.is_finished:
                return  # what stands behind the end is not part of the body
            # One byte more than may be kept shows that there is more, and costs no memory.
            content, data = decoder.undone(data, self._bytes_max - len(self._content) + 1)
            self._collect(content)

    def _collect(self, data: bytes) -> None:
        room = self._bytes_max - len(self._content)
        self._content += data if len(data) <= room else data[:room]
        if len(data) > room:
            raise Fault(Failure.BODY_TOO_LARGE, f"the body is larger than {self._bytes_max} bytes")


class _Zlib:
    """gzip, one member at a time, and deflate, with and without the zlib header that RFC 9110 demands."""

    def __init__(self, window: int) -> None:
        self._inflater = zlib.decompressobj(window)

    @property
    def is_finished(self) -> bool:
        return self._inflater.eof

    def undone(self, data: bytes, room: int) -> tuple[bytes, bytes]:
        content = self._inflater.decompress(data, room)
        return content, self._inflater.unconsumed_tail or self._inflater.unused_data


class _Brotli:
    """Brotli (RFC 7932)."""

    def __init__(self) -> None:
        self._inflater = brotli.Decompressor()

    @property
    def is_finished(self) -> bool:
        return bool(self._inflater.is_finished())

    def undone(self, data: bytes, room: int) -> tuple[bytes, bytes]:
        chunks = [self._inflater.process(data, output_buffer_limit=room)]
        while len(chunks[-1]) and not self._inflater.can_accept_more_data():
            room -= len(chunks[-1])
            if room <= 0:
                break
            chunks.append(self._inflater.process(b"", output_buffer_limit=room))
        return b"".join(chunks), b""


def _deflate(data: bytes) -> _Zlib:
    has_header = data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] << 8 | data[1]) % 31 == 0)
    return _Zlib(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)


_DECODERS: Final[Mapping[str, Callable[[bytes], _Decoder]]] = {
    "gzip": lambda _: _Zlib(_GZIP),
    "deflate": _deflate,
    "br": lambda _: _Brotli(),
}


def _codings_of(encoding: str) -> tuple[str, ...]:
    names = [name.strip().lower().removeprefix("x-") for name in encoding.split(",")]
    return tuple(name for name in names if name not in _NO_ENCODING)
