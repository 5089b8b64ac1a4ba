"""What answers at a target: its certificate chain, and the head of what it says."""

from typing import Any, Final

from agent.capture.place import Place
from agent.probers.network.certificate import Certificate, certificate_of
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import monotonic_us
from agent.probers.network.stream import Stream, connected
from agent.probers.network.tls import TlsPolicy, TlsStream, context_of
from vedette.shared.limits import CAPTURE_US_MAX, HEADER_NAMES_SHOWN_MAX

_CHAIN_MAX: Final = 6
_HEAD_BYTES_MAX: Final = 16 * 1024
_TEXT_CHARS_MAX: Final = 200
_UNVERIFIED: Final = TlsPolicy(verify=False)


async def answer_of(
    place: Place, address: str, *, wants_head: bool, user_agent: str
) -> dict[str, Any]:
    """`chain` and `head` of the target at `address`, which the caller has had admitted.

    The request carries nothing of the check's own headers and body: what is wanted is what answers, and secrets
    have no business here. Fault, or half of the answer with a `fault`, where it went wrong.
    """
    assert place.port is not None
    plain = await connected([address], place.port, CAPTURE_US_MAX, monotonic_us)
    found: dict[str, Any] = {}
    try:
        stream: Stream | TlsStream = plain
        if place.is_tls:
            stream = tls = TlsStream(plain, context_of(_UNVERIFIED), place.server_name)
            try:
                await tls.handshake()
            finally:
                if chain := [_certificate(der) for der in tls.chain()[:_CHAIN_MAX]]:
                    found["chain"] = chain
        if wants_head:
            found["head"] = await _head(stream, place, user_agent)
    except Fault as fault:
        if not found:
            raise
        found["fault"] = fault.detail
    finally:
        plain.close()
    return found


async def _head(stream: Stream | TlsStream, place: Place, user_agent: str) -> dict[str, Any]:
    host = f"[{place.host}]" if ":" in place.host else place.host
    lines = (f"GET {place.target} HTTP/1.1", f"Host: {host}:{place.port}", f"User-Agent: {user_agent}",
             "Accept: */*", "Connection: close", "", "")  # fmt: skip
    stream.write("\r\n".join(lines).encode("latin-1", errors="replace"))
    received = b""
    while b"\r\n\r\n" not in received and len(received) < _HEAD_BYTES_MAX:
        data = await stream.read()
        if not data:
            break
        received += data
    return head_facts(received)


def head_facts(received: bytes) -> dict[str, Any]:
    """The status line and the names of the headers; of what is no HTTP, only its size and whether it is text.

    Values of headers, and whatever else a target sends, stay out of the line.
    """
    if not received:
        return {"bytes": 0}
    head, _, _ = received.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if not version.startswith("HTTP/") or not status[:3].isdecimal():
        printable = sum(32 <= byte < 127 or byte in b"\r\n\t" for byte in received)
        return {"bytes": len(received), "http": False, "text": printable == len(received)}
    names = [line.partition(":")[0].strip().lower()[:100] for line in rest if ":" in line]
    return {
        "status": _plain(f"{version} {status[:3]}"),
        "headers": [_plain(name) for name in dict.fromkeys(names)][:HEADER_NAMES_SHOWN_MAX],
    }


def _certificate(der: bytes) -> dict[str, Any]:
    known: Certificate | None = certificate_of(der)
    if known is None:
        return {"unreadable": len(der)}
    return {
        "subject": known.subject[:_TEXT_CHARS_MAX],
        "issuer": known.issuer[:_TEXT_CHARS_MAX],
        "sha256": known.sha256,
        "not_before": known.not_before_us,
        "not_after": known.not_after_us,
    }


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
