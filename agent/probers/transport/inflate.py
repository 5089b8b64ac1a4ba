"""Content-Encoding undone while it arrives, so that a small answer cannot become a large one in memory."""

import zlib
from typing import Final

from agent.probers.network.fault import Fault
from vedette.shared.failure import Failure

ACCEPTED: Final = "gzip, deflate"
_GZIP: Final = 16 + zlib.MAX_WBITS
_NO_ENCODING: Final = ("", "identity")


class Body:
    """Collects a body up to `bytes_max` after decompression. Fault when it is larger, or not what it says.

    An encoding that was not asked for and that we do not know is left as it is: `is_plain` is then False,
    and the size is that of the encoded body.
    """

    def __init__(self, bytes_max: int, encoding: str = "") -> None:
        names = [n.strip().lower() for n in encoding.split(",")]
        codings = [n for n in names if n not in _NO_ENCODING]
        self.received_bytes = 0
        self.is_plain = len(codings) <= 1 and set(codings) <= {"gzip", "x-gzip", "deflate"}
        self._bytes_max = bytes_max
        self._coding = codings[0].removeprefix("x-") if codings and self.is_plain else None
        self._inflater: zlib._Decompress | None = None
        self._chunks: list[bytes] = []
        self._size = 0

    @property
    def content(self) -> bytes:
        """What was collected."""
        return b"".join(self._chunks)

    def feed(self, data: bytes) -> None:
        """Take the next piece as it arrived."""
        self.received_bytes += len(data)
        if self._coding is None:
            self._collect(data)
            return
        try:
            self._inflate(data)
        except zlib.error as error:
            raise Fault(
                Failure.BAD_ENCODING, f"the body is not {self._coding}, as it says: {error}"
            ) from error

    def end(self) -> None:
        """No more will come."""
        if self._inflater is not None and not self._inflater.eof:
            raise Fault(Failure.BAD_ENCODING, f"the {self._coding} body ends too early")

    def _inflate(self, data: bytes) -> None:
        while data:
            if self._inflater is None or self._inflater.eof:
                self._inflater = zlib.decompressobj(self._window(data))
            # One byte more than may be kept shows that there is more, and costs no memory.
            room = self._bytes_max - self._size + 1
            self._collect(self._inflater.decompress(data, room))
            data = self._inflater.unconsumed_tail or self._inflater.unused_data
            if self._inflater.eof and self._coding == "deflate":
                return

    def _window(self, data: bytes) -> int:
        """Window bits: servers send deflate with and without the zlib header that RFC 9110 demands."""
        if self._coding == "gzip":
            return _GZIP
        has_header = data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] << 8 | data[1]) % 31 == 0)
        return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS

    def _collect(self, data: bytes) -> None:
        room = self._bytes_max - self._size
        self._chunks.append(data[:room])
        self._size += min(len(data), room)
        if len(data) > room:
            raise Fault(Failure.BODY_TOO_LARGE, f"the body is larger than {self._bytes_max} bytes")
