"""Traces: over the real loopback, and what a router's answer means."""

import socket
import struct
import sys

import pytest

from agent.capture import route
from agent.capture.route import route_to

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="error queues are Linux's")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_loopback_is_one_hop_away(address: str) -> None:
    found = await route_to(address)
    assert (found["to"], found["reached"]) == (address, True)
    (hop,) = found["hops"]
    assert hop["addr"] == address
    assert 0 < hop["us"] < 1_000_000


def error(origin: int, kind: int, code: int, who: bytes) -> bytes:
    """An extended error as the kernel attaches it: the error, then the address of who sent it."""
    family = socket.AF_INET if origin == 2 else socket.AF_INET6
    address = struct.pack("=HH", family, 0) + (who if origin == 2 else bytes(4) + who + bytes(4))
    return struct.pack("@IBBBBII", 113, origin, kind, code, 0, 0, 0) + address.ljust(28, b"\0")


def traced(*errors: tuple[int, bytes]) -> route._Trace:
    trace = route._Trace()
    for ttl, data in errors:
        trace.sent_us[ttl] = route._now_us()
        route._note(trace, ttl, data)
    return trace


V4 = [socket.inet_aton(f"192.0.2.{n}") for n in range(4)]
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7")


def test_a_router_that_says_time_exceeded_is_a_hop_and_not_the_end() -> None:
    trace = traced((1, error(2, 11, 0, V4[1])), (2, error(3, 3, 0, V6)))
    assert [trace.hops[n][0] for n in (1, 2)] == ["192.0.2.1", "2001:db8::7"]
    assert trace.end is None


@pytest.mark.parametrize(("origin", "kind", "code", "who"), [(2, 3, 3, V4[2]), (3, 1, 4, V6)])
def test_a_closed_port_is_the_target_itself(origin: int, kind: int, code: int, who: bytes) -> None:
    trace = traced((3, error(origin, kind, code, who)))
    assert (trace.end, trace.is_reached) == (3, True)


def test_a_router_that_refuses_ends_the_way_without_reaching_it() -> None:
    trace = traced((4, error(2, 3, 13, V4[3])))
    assert (trace.end, trace.is_reached) == (4, False)


@pytest.mark.parametrize("data", [b"", b"short", error(1, 11, 0, V4[1])])
def test_what_no_router_said_is_passed_over(data: bytes) -> None:
    assert traced((1, data)).hops == {}
