"""The way to an address, hop by hop: UDP datagrams of growing reach, and what routers say of them.

Linux hands the ICMP errors of a datagram socket to that socket (IP_RECVERR), with the router that sent them. So
one ordinary socket does it, without privileges, and no other probe's packets are seen. Every datagram goes to a
port of its own, which is how an error is known to be of that hop; all are sent at once, and the whole trace
takes no longer than its slowest answer.
"""

import asyncio
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

from vedette.shared.limits import TRACE_HOPS_MAX, TRACE_US_MAX

_FIRST_PORT: Final = 33434
# Numbers of Linux that Python has no names for (linux/in.h, linux/in6.h, linux/errqueue.h).
_IP_RECVERR: Final = 11
_IPV6_RECVERR: Final = 25
_MSG_ERRQUEUE: Final = 0x2000
_ERROR: Final = struct.Struct("@IBBBBII")
_FROM_ICMP: Final = (2, 3)
_UNREACHABLE: Final = {2: 3, 3: 1}
_PORT_CLOSED: Final = {2: 3, 3: 4}
_SETTLE_SECONDS: Final = 0.3


@dataclass(slots=True)
class _Trace:
    """Answers by hop: (who, microseconds); where the target, or a refusal, was met."""

    sent_us: dict[int, int] = field(default_factory=dict)
    hops: dict[int, tuple[str, int]] = field(default_factory=dict)
    end: int | None = None
    is_reached: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)


async def route_to(address: str, hops_max: int = TRACE_HOPS_MAX) -> dict[str, Any]:
    """The routers on the way to `address`, which the caller has had admitted.

    `hops` is a list of {addr, us}, null where nobody answered, up to the last that did; `reached` says whether
    the target itself answered. OSError if this system cannot send at all.
    """
    if sys.platform != "linux":
        raise OSError("traces need Linux")
    version = ip_address(address.partition("%")[0]).version
    sock = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    loop, trace = asyncio.get_running_loop(), _Trace()
    with sock:
        sock.setblocking(False)
        level, option = _levels(version)
        sock.setsockopt(level, option, 1)
        loop.add_reader(sock.fileno(), _read, sock, trace)
        try:
            await _sent(sock, address, version, hops_max, trace)
            await _answered(trace, hops_max)
        finally:
            loop.remove_reader(sock.fileno())
    last = trace.end or max(trace.hops, default=0)
    hops = [_shown(trace.hops.get(ttl)) for ttl in range(1, last + 1)]
    return {"to": address, "reached": trace.is_reached, "hops": hops}


async def _sent(
    sock: socket.socket, address: str, version: int, hops_max: int, trace: _Trace
) -> None:
    """Send one datagram for each hop, unless the target has answered already."""
    level, option = (
        (socket.IPPROTO_IP, socket.IP_TTL)
        if version == 4
        else (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
    )
    for ttl in range(1, hops_max + 1):
        if trace.end is not None:
            return
        sock.setsockopt(level, option, ttl)
        trace.sent_us[ttl] = _now_us()
        try:
            sock.sendto(b"vedette trace", (address, _FIRST_PORT + ttl))
        except OSError as error:
            # A pending answer to an earlier datagram is reported here too; it is read from the queue.
            if not trace.hops and ttl == hops_max:
                raise OSError(error.errno, error.strerror) from error
        await asyncio.sleep(0)


async def _answered(trace: _Trace, hops_max: int) -> None:
    """Wait until all hops up to the target have answered, or it has been quiet for a while."""
    ends_us = _now_us() + TRACE_US_MAX
    while not all(ttl in trace.hops for ttl in range(1, (trace.end or hops_max) + 1)):
        trace.changed.clear()
        quiet = _SETTLE_SECONDS if trace.end else (ends_us - _now_us()) / 1e6
        try:
            async with asyncio.timeout(quiet):
                await trace.changed.wait()
        except TimeoutError:
            return


def _read(sock: socket.socket, trace: _Trace) -> None:
    while True:
        try:
            _, ancillary, _, to = sock.recvmsg(512, 512, _MSG_ERRQUEUE)
        except BlockingIOError:
            break
        except OSError:
            continue
        ttl = int(to[1]) - _FIRST_PORT
        for _level, _kind, data in ancillary:
            if ttl in trace.sent_us and ttl not in trace.hops:
                _note(trace, ttl, bytes(data))
    try:  # the error itself is pending too, and would wake the loop for ever
        sock.recv(512)
    except OSError:
        return


def _note(trace: _Trace, ttl: int, data: bytes) -> None:
    """Take one extended error: its origin, type and code, and after it the address of who sent it."""
    if len(data) < _ERROR.size + 8:
        return
    _, origin, kind, code, *_ = _ERROR.unpack_from(data)
    if origin not in _FROM_ICMP:
        return
    raw = data[_ERROR.size :]
    who = str(IPv4Address(raw[4:8]) if origin == _FROM_ICMP[0] else IPv6Address(raw[8:24]))
    trace.hops[ttl] = (who, _now_us() - trace.sent_us[ttl])
    if kind == _UNREACHABLE[origin] and (trace.end is None or ttl < trace.end):
        trace.end = ttl
        trace.is_reached = code == _PORT_CLOSED[origin]
    trace.changed.set()


def _levels(version: int) -> tuple[int, int]:
    if version == 4:
        return socket.IPPROTO_IP, _IP_RECVERR
    return socket.IPPROTO_IPV6, _IPV6_RECVERR


def _shown(hop: tuple[str, int] | None) -> dict[str, Any] | None:
    return None if hop is None else {"addr": hop[0], "us": hop[1]}


def _now_us() -> int:
    return time.monotonic_ns() // 1000
