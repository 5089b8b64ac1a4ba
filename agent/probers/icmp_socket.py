"""One shared ICMP socket per address family: a reader that hands every answer to the probe it belongs to.

A socket per probe would be dearer, and each raw socket sees every reply of the machine. Requests carry random
bytes, so that a reply is known by (id, sequence), by its source and by its payload. Arrival is the kernel's
time stamp where it gives one.
"""

import asyncio
import errno
import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from icmplib.exceptions import ICMPSocketError, SocketPermissionError

from agent.probers.icmp_fault import icmp_fault, permission_text
from agent.probers.icmp_packets import Incoming, Packets4, Packets6, Saying, queued_error
from agent.probers.network.fault import Fault, fault_of
from vedette.shared.failure import Failure
from vedette.shared.limits import ICMP_PACKETS_PER_WAKE_MAX, ICMP_PAYLOAD_BYTES_MAX

# Linux numbers that Python has no names for.
_SO_TIMESTAMPNS: Final = 35
_MTU_DISCOVER: Final = {4: (socket.IPPROTO_IP, 10), 6: (socket.IPPROTO_IPV6, 23)}
_PMTUDISC_WANT: Final = 1
_PMTUDISC_PROBE: Final = 3  # DF, and no memory of what the path took before
_HOPS: Final = {
    4: (socket.IPPROTO_IP, socket.IP_TTL),
    6: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS),
}
_RECEIVE_ERRORS: Final = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}
_MSG_ERRQUEUE: Final = 0x2000
_ICMP_FILTER: Final = {4: (255, 1), 6: (socket.IPPROTO_ICMPV6, 1)}
_WANTED: Final = {4: (0, 3, 11), 6: (1, 2, 3, 129)}
_TTL_DETAILS: Final = frozenset({
    (socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT),
})  # fmt: skip

_TIMESPEC: Final = struct.Struct("@ll")
_INT: Final = struct.Struct("@i")
_SEQUENCES: Final = 1 << 16
_PACKET_BYTES_MAX: Final = ICMP_PAYLOAD_BYTES_MAX + 128
_ANCILLARY_BYTES: Final = 256
_RANDOM_BYTES: Final = 16
_RANDOM_BYTES_AT_ONCE: Final = 64 * _RANDOM_BYTES
_HOPS_DEFAULT: Final = 64


class Answer(NamedTuple):
    """An answer to one request: what it says, when it arrived by the monotonic clock, from where, its TTL."""

    saying: Saying
    at_us: int
    source: str
    ttl: int | None = None


class Asker(Protocol):
    """Who waits for answers."""

    def take(self, number: int, answer: Answer) -> None:
        """An answer to the request that was sent as `number`."""
        ...


@dataclass(frozen=True, slots=True)
class Echo:
    """What a request is: where it goes, how large it is, and how it travels."""

    address: str
    size: int
    dont_fragment: bool = False
    ttl: int | None = None

    @property
    def bare_address(self) -> str:
        """The address without the interface that it is reached by."""
        return self.address.partition("%")[0] if "%" in self.address else self.address


class _Expected(NamedTuple):
    address: str
    payload: bytes
    asker: Asker
    number: int


class IcmpSocket:
    """Sends echo requests of one family and delivers their answers. Opened within a running loop."""

    def __init__(self, version: int, clock: Callable[[], int]) -> None:
        self._version = version
        self._clock = clock
        self._packets = _opened(version)
        self._sock: socket.socket = self._packets.sock
        self._sock.setblocking(False)
        self._is_raw: bool = self._packets.is_privileged
        _ask_for_details(self._sock, version)
        _ask_for_answers_only(self._sock, version, is_raw=self._is_raw)
        self._travel: tuple[bool, int | None] = (False, None)
        self._id_bytes = os.urandom(2)
        self._id = int.from_bytes(self._id_bytes)
        self._next = int.from_bytes(os.urandom(2))
        self._expected: dict[int, _Expected] = {}
        self._random, self._random_at = b"", 0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock.fileno(), self._read)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that this socket reads on."""
        return self._loop

    def send(self, echo: Echo, asker: Asker, number: int) -> tuple[int, int]:
        """Send one echo request; `asker` takes every answer as `number` until the sequence is forgotten.

        Gives (sequence, time of sending). Fault if the system does not take the packet.
        """
        sequence = self._free_sequence()
        payload = self._random_bytes().ljust(echo.size, b"v")
        self._expected[sequence] = _Expected(echo.bare_address, payload, asker, number)
        packet = self._packets.packet(self._id, sequence, payload)
        try:
            if (echo.dont_fragment, echo.ttl) != self._travel:
                self._travel_as(echo)
            sent_us = self._clock()
            self._sock.sendto(packet, (echo.address, 0))
        except OSError as error:
            self.forget(sequence)
            raise _sending_fault(error, echo) from error
        return sequence, sent_us

    def forget(self, sequence: int) -> None:
        """Answers to `sequence` are late from now on, and therefore lost."""
        self._expected.pop(sequence, None)

    def close(self) -> None:
        """Stop reading and close."""
        if not self._loop.is_closed():
            self._loop.remove_reader(self._sock.fileno())
        self._packets.close()

    def _random_bytes(self) -> bytes:
        """The next of the system's random bytes, which are asked for many packets at a time."""
        place, end = self._random_at, self._random_at + _RANDOM_BYTES
        if end > len(self._random):
            self._random, place, end = os.urandom(_RANDOM_BYTES_AT_ONCE), 0, _RANDOM_BYTES
        self._random_at = end
        return self._random[place:end]

    def _free_sequence(self) -> int:
        if len(self._expected) >= _SEQUENCES:
            raise Fault(Failure.EXHAUSTED, "this agent has too many echo requests on the way")
        while self._next in self._expected:
            self._next = (self._next + 1) % _SEQUENCES
        sequence, self._next = self._next, (self._next + 1) % _SEQUENCES
        return sequence

    def _travel_as(self, echo: Echo) -> None:
        """Set how the next packet travels. The socket is shared, and remembers it."""
        mode = _PMTUDISC_PROBE if echo.dont_fragment else _PMTUDISC_WANT
        self._sock.setsockopt(*_MTU_DISCOVER[self._version], mode)
        self._sock.setsockopt(*_HOPS[self._version], echo.ttl or _HOPS_DEFAULT)
        self._travel = (echo.dont_fragment, echo.ttl)

    def _read(self) -> None:
        if not self._is_raw:
            self._read_errors()
        for _ in range(ICMP_PACKETS_PER_WAKE_MAX):
            try:
                packet, ancillary, _flags, source = self._sock.recvmsg(
                    _PACKET_BYTES_MAX, _ANCILLARY_BYTES
                )
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # An error of an earlier packet that the system reports here as well; the queue has it.
                continue
            if self._is_raw and self._packets.is_of_another(packet, self._id_bytes):
                continue
            where: str = source[0]
            if "%" in where:
                where = where.partition("%")[0]
            incoming = self._packets.incoming(packet, where)
            if incoming is not None and (not self._is_raw or incoming.id == self._id):
                self._deliver(incoming, ancillary, where)
                if not self._expected:
                    return  # what else there may be wakes the reader again

    def _read_errors(self) -> None:
        """What routers said of our requests: a datagram socket is told by its error queue only."""
        for _ in range(ICMP_PACKETS_PER_WAKE_MAX):
            try:
                data, ancillary, _flags, target = self._sock.recvmsg(
                    _PACKET_BYTES_MAX, _ANCILLARY_BYTES, _MSG_ERRQUEUE
                )
            except OSError:
                return
            where = str(target[0]).partition("%")[0] if target else ""
            for level, kind, error in ancillary:
                if (level, kind) == _RECEIVE_ERRORS[self._version]:
                    incoming = queued_error(self._version, data, error, where)
                    if incoming is not None:
                        self._deliver(incoming, ancillary, incoming.router)

    def _deliver(self, incoming: Incoming, ancillary: list[Any], source: str) -> None:
        """Hand an answer to the probe that waits for it; what is not ours is passed over."""
        expected = self._expected.get(incoming.sequence)
        if expected is None:
            return
        if incoming.saying is Saying.REPLY:
            if source != expected.address or incoming.echoed != expected.payload:
                return
        elif incoming.target != expected.address:
            return
        at_us, ttl = _details(ancillary, self._clock())
        expected.asker.take(expected.number, Answer(incoming.saying, at_us, source, ttl))


def permission_problem(version: int = 4) -> str | None:
    """Why this process cannot send echo requests, with what to set; None if it can."""
    try:
        _opened(version).close()
    except Fault as fault:
        return fault.detail
    return None


def _opened(version: int) -> Any:
    """A socket as far as the process's rights go: datagram first, because it needs none, then raw."""
    kind = Packets4 if version == 4 else Packets6
    for privileged in (False, True):
        try:
            return kind(privileged=privileged)
        except SocketPermissionError:
            continue
        except ICMPSocketError as error:
            cause = error.__context__  # the system's error; icmplib keeps only its text
            if isinstance(cause, OSError) and cause.errno == errno.EPROTONOSUPPORT:
                continue
            raise icmp_fault(error, f"any IPv{version} address") from error
    raise Fault(Failure.NO_PERMISSION, permission_text())


def _sending_fault(error: OSError, echo: Echo) -> Fault:
    if error.errno == errno.EMSGSIZE:
        said = f"a packet with {echo.size} bytes does not fit this agent's own link"
        return Fault(Failure.UNRUNNABLE, said)
    return fault_of(error, echo.address)


def _ask_for_details(sock: socket.socket, version: int) -> None:
    """Ask for time stamp, TTL and errors of every packet; without them the reader's own clock does."""
    wanted = [(socket.SOL_SOCKET, _SO_TIMESTAMPNS), _RECEIVE_ERRORS[version]]
    if version == 4:
        wanted.append((socket.IPPROTO_IP, getattr(socket, "IP_RECVTTL", 12)))
    else:
        wanted.append((socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT))
    for level, option in wanted:
        try:
            sock.setsockopt(level, option, 1)
        except OSError:
            continue


def _ask_for_answers_only(sock: socket.socket, version: int, *, is_raw: bool) -> None:
    """Have the system drop what a raw socket would see besides answers: the requests of everyone else."""
    if not is_raw:
        return
    level, option = _ICMP_FILTER[version]
    blocked = bytearray(b"\xff" * (4 if version == 4 else 32))
    for kind in _WANTED[version]:
        word = (kind >> 5) * 4
        bits = int.from_bytes(blocked[word : word + 4], sys.byteorder) & ~(1 << (kind & 31))
        blocked[word : word + 4] = bits.to_bytes(4, sys.byteorder)
    try:
        sock.setsockopt(level, option, bytes(blocked))
    except OSError:
        return


def _details(ancillary: list[Any], now_us: int) -> tuple[int, int | None]:
    """(arrival by the monotonic clock, TTL) from what the kernel attached."""
    at_us, ttl = now_us, None
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            waited_us = (time.time_ns() - seconds * 1_000_000_000 - nanoseconds) // 1000
            # A step of the wall clock between the two readings would show here: then it is not used.
            if 0 <= waited_us < 1_000_000:
                at_us = now_us - waited_us
        elif (level, kind) in _TTL_DETAILS and len(data) >= _INT.size:
            ttl = _INT.unpack_from(data)[0]
    return at_us, ttl
