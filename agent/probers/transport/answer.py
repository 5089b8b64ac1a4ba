"""An answer as far as it came, whichever version of HTTP it came in."""

from agent.probers.network.fault import Fault
from agent.probers.transport.inflate import Body
from vedette.shared.failure import Failure
from vedette.shared.limits import (
    INTERIM_RESPONSES_MAX,
    RESPONSE_HEADER_BYTES_MAX,
    RESPONSE_HEADERS_MAX,
)

HEADERS_TOO_LARGE = f"the headers are larger than {RESPONSE_HEADER_BYTES_MAX} bytes"
TOO_MANY_HEADERS = f"there are more than {RESPONSE_HEADERS_MAX} headers"
TOO_MANY_INTERIM = f"there are more than {INTERIM_RESPONSES_MAX} interim responses"
BODILESS = frozenset({204, 304})


class Answer:
    """Status, headers and body of one answer. `status` is 0 until the final headers are complete."""

    def __init__(self, method: str, body_bytes_max: int) -> None:
        self.status = 0
        self.reason = ""
        self.version = ""
        self.headers: list[tuple[bytes, bytes]] = []
        self.interim: list[int] = []
        self.body: Body | None = None
        self.is_complete = False
        self.is_bodiless = method in ("HEAD", "CONNECT")
        self._body_bytes_max = body_bytes_max

    def header(self, name: bytes) -> bytes:
        """The values of a header (its name in lower case), joined as a list; empty if there is none."""
        return b", ".join(value for found, value in self.headers if found == name)

    @property
    def location(self) -> bytes:
        """Where a redirect leads to; empty if the answer is none."""
        return self.header(b"location") if self.status in (301, 302, 303, 307, 308) else b""

    def demand(self, compression: str) -> None:
        """Fault unless the body came compressed by `compression`; answers that have no body pass."""
        if self.body is None or self.is_bodiless or self.status in BODILESS:
            return
        found = self.body.codings
        if found != (() if compression == "identity" else (compression,)):
            seen = ", ".join(found) or "no compression"
            detail = f"the check demands {compression}, and the answer has {seen}"
            raise Fault(Failure.BAD_ENCODING, detail)

    def begin_body(self) -> None:
        """The final headers are complete, and a body may follow."""
        encoding = self.header(b"content-encoding") if self.headers else b""
        self.body = Body(self._body_bytes_max, encoding.decode("latin-1"))
