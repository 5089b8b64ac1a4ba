"""ICMP packets by icmplib: requests made, and what comes in read as the answer to one of them, or as none."""

import socket
import struct
from enum import Enum, auto
from typing import Final, NamedTuple

from icmplib import ICMPReply, ICMPv4Socket, ICMPv6Socket

_HEADER_BYTES: Final = 8
_IPV4_HEADER_BYTES: Final = 20
_ID_AND_SEQUENCE: Final = struct.Struct("!2H")
_IPV6_HEADER_BYTES: Final = 40
_ECHO_REQUESTS: Final = {4: 8, 6: 128}
_EXTENDED_ERROR: Final = struct.Struct("@IBBBBII")


class Saying(Enum):
    """What an ICMP message says of a request."""

    REPLY = auto()
    UNREACHABLE = auto()
    TOO_BIG = auto()
    TTL_EXCEEDED = auto()


class Incoming(NamedTuple):
    """One message about one request: what it says, and the part of the request that it repeats."""

    saying: Saying
    id: int
    sequence: int
    echoed: bytes = b""
    target: str | None = None
    router: str = ""


_SAYINGS: Final = {
    (4, 3): Saying.UNREACHABLE, (4, 11): Saying.TTL_EXCEEDED,
    (6, 1): Saying.UNREACHABLE, (6, 2): Saying.TOO_BIG,
    (6, 3): Saying.TTL_EXCEEDED,
}  # fmt: skip
_FRAGMENTATION_NEEDED: Final = (4, 3, 4)


def saying_of(version: int, kind: int, code: int) -> Saying | None:
    """What an error of that type and code says; None if it is none about a request."""
    if (version, kind, code) == _FRAGMENTATION_NEEDED:
        return Saying.TOO_BIG
    return _SAYINGS.get((version, kind))


class _Packets:
    """What both families have in common, mixed into icmplib's sockets."""

    version = 0
    reply_type = -1

    def packet(self, number: int, sequence: int, payload: bytes) -> bytes:
        """An echo request."""
        return bytes(self._create_packet(number, sequence, payload))  # type: ignore[attr-defined] # of icmplib's class

    def is_of_another(self, packet: bytes, own_id: bytes) -> bool:
        """`packet` is plainly a reply to another process, of which a raw socket sees every one."""
        return packet[:1] == b"\x81" and packet[4:6] != own_id

    def incoming(self, packet: bytes, source: str) -> Incoming | None:
        """What `packet` says; None if it is no answer to an echo request.

        Replies are most of what comes, and are read right here; what a router says is icmplib's to read.
        """
        at = self.header_bytes(packet)
        if len(packet) < at + _HEADER_BYTES:
            return None
        if packet[at] == self.reply_type:
            number, sequence = _ID_AND_SEQUENCE.unpack_from(packet, at + 4)
            return Incoming(Saying.REPLY, number, sequence, packet[at + _HEADER_BYTES :])
        return self._error(packet[at:], source)

    def header_bytes(self, packet: bytes) -> int:
        """How long the IP header is that `packet` begins with: none, unless a family gives one."""
        return 0

    def _error(self, body: bytes, source: str) -> Incoming | None:
        """What a router says in the message `body`, without its IP header."""
        # icmplib reads headers at fixed offsets: behind an IP header without options, where there is any.
        header = bytes(self._ICMP_HEADER_OFFSET) if self._privileged else b""  # type: ignore[attr-defined] # of icmplib's class
        error: ICMPReply | None = self._parse_reply(header + body, source, 0.0)  # type: ignore[attr-defined] # likewise
        saying = None if error is None else saying_of(self.version, error.type, error.code)
        target = _quoted_target(self.version, body[_HEADER_BYTES:])
        if error is None or saying is None or target is None:
            return None
        return Incoming(saying, error.id, error.sequence, target=target)

    def _checksum(self, data: bytes) -> int:
        """The checksum of RFC 1071, as icmplib's, without going through the words.

        To add words and the carry is to reckon modulo 2**16 - 1, in which a word counts the same wherever it
        stands: the sum is the one number that all bytes together are, and its nought is written as ones.
        """
        number = int.from_bytes(data + b"\0" * (len(data) & 1))
        total = number % 0xFFFF or (0xFFFF if number else 0)
        return 0xFFFF - total


class Packets4(_Packets, ICMPv4Socket):  # type: ignore[misc] # icmplib has no types
    """An IPv4 socket of icmplib's, for a shared reader."""

    version = 4
    reply_type = 0

    def is_of_another(self, packet: bytes, own_id: bytes) -> bool:
        """As for both families; a packet with IP options is looked at more closely later."""
        return packet[:1] == b"\x45" and packet[20:21] == b"\0" and packet[24:26] != own_id

    def header_bytes(self, packet: bytes) -> int:
        """A raw socket gives the IP header too, which may carry options."""
        if not self._privileged or not packet:
            return 0
        return max((packet[0] & 0x0F) * 4, _IPV4_HEADER_BYTES)


class Packets6(_Packets, ICMPv6Socket):  # type: ignore[misc] # icmplib has no types
    """An IPv6 socket of icmplib's, likewise."""

    version = 6
    reply_type = 129


def queued_error(version: int, data: bytes, error: bytes, target: str) -> Incoming | None:
    """What an entry of the system's error queue says: the request `data` to `target`, and what came back."""
    if len(data) < _HEADER_BYTES or len(error) < _EXTENDED_ERROR.size:
        return None
    _, _, kind, code, *_ = _EXTENDED_ERROR.unpack_from(error)
    saying = saying_of(version, kind, code)
    if saying is None:
        return None
    number, sequence = _ID_AND_SEQUENCE.unpack_from(data, 4)
    router = _offender(version, error[_EXTENDED_ERROR.size :])
    return Incoming(saying, number, sequence, target=target, router=router)


def _offender(version: int, address: bytes) -> str:
    """Who said it, from the socket address behind an entry; empty where the system does not know."""
    place, size = (4, 4) if version == 4 else (8, 16)
    if len(address) < place + size:
        return ""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    return socket.inet_ntop(family, address[place : place + size])


def _quoted_target(version: int, quoted: bytes) -> str | None:
    """Where the echo request that a router quotes was going to; None if it quotes something else."""
    if version == 4 and len(quoted) > _IPV4_HEADER_BYTES:
        is_echo = (
            quoted[9] == socket.IPPROTO_ICMP and quoted[_IPV4_HEADER_BYTES] == _ECHO_REQUESTS[4]
        )
        return socket.inet_ntop(socket.AF_INET, quoted[16:20]) if is_echo else None
    if version == 6 and len(quoted) > _IPV6_HEADER_BYTES:
        is_echo = (
            quoted[6] == socket.IPPROTO_ICMPV6 and quoted[_IPV6_HEADER_BYTES] == _ECHO_REQUESTS[6]
        )
        return socket.inet_ntop(socket.AF_INET6, quoted[24:40]) if is_echo else None
    return None
