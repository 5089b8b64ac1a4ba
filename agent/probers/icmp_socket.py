"""One shared ICMP socket per address family: a reader that hands every reply to the probe it belongs to.

A socket per probe would be dearer, and each raw socket sees every reply of the machine. Packets are
icmplib's; requests carry a number of their own, so that a reply is known by (id, sequence), by its source
and by its payload. Arrival is the kernel's time stamp where it gives one.
"""

import asyncio
import errno
import os
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from icmplib import ICMPReply, ICMPv4Socket, ICMPv6Socket
from icmplib.exceptions import ICMPSocketError, SocketPermissionError

from agent.probers.network.fault import Fault, fault_of
from vedette.shared.failure import Failure
from vedette.shared.limits import ICMP_PACKETS_PER_WAKE_MAX

# Linux numbers that Python 3.11 has no names for.
_SO_TIMESTAMPNS: Final = 35
_TIMESPEC: Final = struct.Struct("@ll")
_INT: Final = struct.Struct("@i")
_SEQUENCES: Final = 1 << 16
_PACKET_BYTES_MAX: Final = 2048
_ANCILLARY_BYTES: Final = 256
_REPLY_TYPES: Final = {4: 0, 6: 129}
_UNREACHABLE_TYPES: Final = {4: 3, 6: 1}
_RANGE_FILE: Final = Path("/proc/sys/net/ipv4/ping_group_range")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one request: when it arrived by the monotonic clock, and its TTL where known."""

    at_us: int
    ttl: int | None = None
    is_unreachable: bool = False


class _Packets4(ICMPv4Socket):  # type: ignore[misc] # icmplib has no types
    """icmplib's IPv4 socket, with its reading of packets made usable for a shared reader."""

    def packet(self, number: int, sequence: int, payload: bytes) -> bytes:
        return bytes(self._create_packet(number, sequence, payload))

    def read(self, packet: bytes, source: str) -> ICMPReply | None:
        return self._parse_reply(packet, source, 0.0)

    def payload(self, packet: bytes) -> bytes:
        return packet[28:] if self.is_privileged else packet[8:]


class _Packets6(ICMPv6Socket):  # type: ignore[misc] # icmplib has no types
    """icmplib's IPv6 socket, likewise."""

    def packet(self, number: int, sequence: int, payload: bytes) -> bytes:
        return bytes(self._create_packet(number, sequence, payload))

    def read(self, packet: bytes, source: str) -> ICMPReply | None:
        return self._parse_reply(packet, source, 0.0)

    def payload(self, packet: bytes) -> bytes:
        return packet[8:]


@dataclass(slots=True)
class _Expected:
    address: str
    payload: bytes
    answer: Callable[[Reply], None]


class IcmpSocket:
    """Sends echo requests of one family and delivers their replies. Opened within a running loop."""

    def __init__(self, version: int, clock: Callable[[], int]) -> None:
        self._version = version
        self._clock = clock
        self._packets = _opened(version)
        self._sock: socket.socket = self._packets.sock
        self._sock.setblocking(False)
        _ask_for_details(self._sock, version)
        self._id = int.from_bytes(os.urandom(2))
        self._next = int.from_bytes(os.urandom(2))
        self._expected: dict[int, _Expected] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock.fileno(), self._read)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that this socket reads on."""
        return self._loop

    def send(self, address: str, size: int, answer: Callable[[Reply], None]) -> tuple[int, int]:
        """Send one echo request of `size` payload bytes; `answer` is called at most once with its reply.

        Gives (sequence, time of sending); `forget` the sequence when the reply would be too late. Fault if
        the system does not take the packet.
        """
        sequence = self._free_sequence()
        payload = os.urandom(min(size, 16)).ljust(size, b"v")
        self._expected[sequence] = _Expected(address, payload, answer)
        packet = self._packets.packet(self._id, sequence, payload)
        sent_us = self._clock()
        try:
            self._sock.sendto(packet, (address, 0))
        except OSError as error:
            self.forget(sequence)
            raise fault_of(error, address) from error
        return sequence, sent_us

    def forget(self, sequence: int) -> None:
        """Replies to `sequence` are late from now on, and therefore lost."""
        self._expected.pop(sequence, None)

    def close(self) -> None:
        """Stop reading and close."""
        if not self._loop.is_closed():
            self._loop.remove_reader(self._sock.fileno())
        self._packets.close()

    def _free_sequence(self) -> int:
        if len(self._expected) >= _SEQUENCES:
            raise Fault(Failure.EXHAUSTED, "this agent has too many echo requests on the way")
        while self._next in self._expected:
            self._next = (self._next + 1) % _SEQUENCES
        sequence, self._next = self._next, (self._next + 1) % _SEQUENCES
        return sequence

    def _read(self) -> None:
        for _ in range(ICMP_PACKETS_PER_WAKE_MAX):
            try:
                packet, ancillary, _flags, source = self._sock.recvmsg(
                    _PACKET_BYTES_MAX, _ANCILLARY_BYTES
                )
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # An error of an earlier packet that the system reports here; it has no reply.
                continue
            self._deliver(packet, ancillary, str(source[0]).partition("%")[0])

    def _deliver(self, packet: bytes, ancillary: list[Any], source: str) -> None:
        reply = self._packets.read(packet, source)
        if reply is None or (self._packets.is_privileged and reply.id != self._id):
            return
        expected = self._expected.get(reply.sequence)
        if expected is None:
            return
        if reply.type == _REPLY_TYPES[self._version]:
            if source != expected.address.partition("%")[0]:
                return
            if self._packets.payload(packet) != expected.payload:
                return
        elif reply.type != _UNREACHABLE_TYPES[self._version]:
            return
        self.forget(reply.sequence)
        at_us, ttl = _details(ancillary, self._clock())
        is_unreachable = reply.type == _UNREACHABLE_TYPES[self._version]
        expected.answer(Reply(at_us, ttl, is_unreachable))


def permission_problem(version: int = 4) -> str | None:
    """Why this process cannot send echo requests, with what to set; None if it can."""
    try:
        _opened(version).close()
    except Fault as fault:
        return fault.detail
    return None


def _opened(version: int) -> Any:
    """A socket as far as the process's rights go: datagram first, because it needs none, then raw."""
    kind = _Packets4 if version == 4 else _Packets6
    for privileged in (False, True):
        try:
            return kind(privileged=privileged)
        except SocketPermissionError:
            continue
        except ICMPSocketError as error:
            cause = error.__context__  # the system's error; icmplib keeps only its text
            if isinstance(cause, OSError) and cause.errno == errno.EPROTONOSUPPORT:
                continue
            if not isinstance(cause, OSError):
                raise Fault(Failure.AGENT_FAULT, f"no ICMP socket: {error}") from error
            raise fault_of(cause, f"any IPv{version} address") from error
    raise Fault(Failure.NO_PERMISSION, _permission_text())


def _permission_text() -> str:
    try:
        found = " ".join(_RANGE_FILE.read_text().split())
    except OSError:
        found = "unknown"
    return (
        "this agent may not send ICMP: give its process CAP_NET_RAW (setcap cap_net_raw+ep, or a "
        "container's --cap-add NET_RAW), or put its group into the sysctl net.ipv4.ping_group_range "
        f'(now "{found}"), as in sysctl -w net.ipv4.ping_group_range="0 2147483647"'
    )


def _ask_for_details(sock: socket.socket, version: int) -> None:
    """Ask for time stamp and TTL of every packet; without them the reader's own clock does."""
    wanted = [(socket.SOL_SOCKET, _SO_TIMESTAMPNS)]
    if version == 4:
        wanted.append((socket.IPPROTO_IP, getattr(socket, "IP_RECVTTL", 12)))
    else:
        wanted.append((socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT))
    for level, option in wanted:
        try:
            sock.setsockopt(level, option, 1)
        except OSError:
            continue


def _details(ancillary: list[Any], now_us: int) -> tuple[int, int | None]:
    """(arrival by the monotonic clock, TTL) from what the kernel attached."""
    at_us, ttl = now_us, None
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            waited_us = (time.time_ns() - seconds * 10**9 - nanoseconds) // 1000
            # A step of the wall clock between the two readings would show here: then it is not used.
            if 0 <= waited_us < 1_000_000:
                at_us = now_us - waited_us
        elif (level, kind) in _TTLS and len(data) >= _INT.size:
            ttl = _INT.unpack_from(data)[0]
    return at_us, ttl


_TTLS: Final = frozenset({
    (socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT),
})  # fmt: skip
