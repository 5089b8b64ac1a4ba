"""An HTTP/1 response as it is parsed: bounded headers, interim responses skipped, the end recognised."""

from typing import Final

import httptools

from agent.probers.network.fault import Fault
from agent.probers.transport.answer import (
    HEADERS_TOO_LARGE,
    TOO_MANY_HEADERS,
    TOO_MANY_INTERIM,
    Answer,
)
from vedette.shared.failure import Failure
from vedette.shared.limits import (
    BODY_OVERHEAD_BYTES_MAX,
    INTERIM_RESPONSES_MAX,
    RESPONSE_HEADER_BYTES_MAX,
    RESPONSE_HEADERS_MAX,
)

_SWITCHING: Final = 101
_VERSIONS: Final = ("1.0", "1.1")
_TLS_RECORDS: Final = (0x14, 0x15, 0x16, 0x17)


class Response(Answer):
    """The final response to one request. Fed with bytes until `is_complete`."""

    def __init__(self, method: str, body_bytes_max: int) -> None:
        super().__init__(method, body_bytes_max)
        self._header_bytes = 0
        self._fed_bytes = 0
        self._received_before = 0
        self._silent_bytes = 0
        self._reason = b""
        self._fault: Fault | None = None
        self._is_begun = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what arrived. Fault if it is no HTTP, or too much of it."""
        if not self._is_begun:
            self._is_begun = True
            if data[0] in _TLS_RECORDS:
                raise Fault(Failure.PROTOCOL_ERROR, "the target speaks TLS on this port, not HTTP")
        self._fed_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.is_complete = True
        except httptools.HttpParserError as error:
            if self._fault is None and not self.is_complete:
                raise Fault(
                    Failure.PROTOCOL_ERROR, f"the answer is not HTTP/1: {_shown(error)}"
                ) from error
        if self.body is not None and not self.is_complete:
            self._demand_measure(len(data))
        if self.body is None and self._fed_bytes > RESPONSE_HEADER_BYTES_MAX:
            self._fail(Failure.HEADERS_TOO_LARGE, HEADERS_TOO_LARGE)
        if self._fault is not None:
            raise self._fault

    def _demand_measure(self, fed: int) -> None:
        """Fault of what is neither header nor body: endless trailers, and framing beyond measure."""
        assert self.body is not None
        received = self.body.received_bytes
        if received != self._received_before:
            self._received_before, self._silent_bytes = received, 0
        else:
            self._silent_bytes += fed
        if self._silent_bytes > RESPONSE_HEADER_BYTES_MAX:
            self._fail(Failure.HEADERS_TOO_LARGE, HEADERS_TOO_LARGE)
        if self._fed_bytes > 2 * self._body_bytes_max + BODY_OVERHEAD_BYTES_MAX:
            said = f"the body takes {self._fed_bytes} bytes and is not complete"
            self._fail(Failure.BODY_TOO_LARGE, said)

    def end(self) -> None:
        """The target has closed. Fault if the response was not complete without that."""
        if self.is_complete:
            return
        if self.body is None:
            if not self._is_begun:
                raise Fault(
                    Failure.CONNECTION_LOST, "the target closed the connection without an answer"
                )
            raise Fault(Failure.TRUNCATED, "the target closed the connection within the headers")
        names = {name for name, _ in self.headers}
        coding = self.header(b"transfer-encoding").rpartition(b",")[2].strip().lower()
        # Without chunks as the last coding, the body ends where the connection does (RFC 9112, 6.3).
        if coding == b"chunked" or (b"content-length" in names and not coding):
            raise Fault(
                Failure.TRUNCATED,
                f"the target closed the connection after {self.body.received_bytes} bytes of the body",
            )
        self._complete()
        if self._fault is not None:
            raise self._fault

    # Called by the parser. An exception would come back wrapped, so faults are kept and raised by feed.

    # What stands after the headers of the final response (trailers, a second response) is not kept.

    def on_message_begin(self) -> None:
        """Called at the beginning of every response, interim ones included."""
        if self.body is None:
            self.headers = []
            self._reason = b""

    def on_status(self, status: bytes) -> None:
        """Called with pieces of the reason phrase."""
        self._grow(len(status))
        if self.body is None:
            self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called for every header and trailer."""
        self._grow(len(name) + len(value) + 4)
        if self.body is not None:
            return
        if len(self.headers) < RESPONSE_HEADERS_MAX:
            self.headers.append((name.lower(), value))
        else:
            self._fail(Failure.HEADERS_TOO_LARGE, TOO_MANY_HEADERS)

    def on_headers_complete(self) -> None:
        """Called at the end of the headers of every response."""
        if self.body is not None:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != _SWITCHING:
            self._skip_interim(status)
            return
        self.status = status
        self.version = self._parser.get_http_version()
        if self.version not in _VERSIONS:
            self._fail(Failure.PROTOCOL_ERROR, f"the answer says HTTP/{self.version}")
        self.reason = self._reason.decode("latin-1")
        self.begin_body()
        if self.is_bodiless or status == _SWITCHING:
            self.is_complete = True

    def on_body(self, data: bytes) -> None:
        """Called with pieces of the body, without chunk framing."""
        if self.body is None or self._fault is not None or self.is_complete:
            return
        try:
            self.body.feed(data)
        except Fault as fault:
            self._fault = fault

    def on_message_complete(self) -> None:
        """Called at the end of every response."""
        if self.body is not None and not self.is_complete and self._fault is None:
            self._complete()

    def _skip_interim(self, status: int) -> None:
        self.interim.append(status)
        if len(self.interim) > INTERIM_RESPONSES_MAX:
            self._fail(Failure.PROTOCOL_ERROR, TOO_MANY_INTERIM)

    def _complete(self) -> None:
        assert self.body is not None
        self.is_complete = True
        try:
            self.body.end()
        except Fault as fault:
            self._fault = fault

    def _grow(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > RESPONSE_HEADER_BYTES_MAX:
            self._fail(Failure.HEADERS_TOO_LARGE, HEADERS_TOO_LARGE)

    def _fail(self, kind: Failure, detail: str) -> None:
        if self._fault is None:
            self._fault = Fault(kind, detail)


def _shown(error: Exception) -> str:
    return str(error)[:120] or type(error).__name__
