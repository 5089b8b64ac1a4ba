"""Every exception that the libraries below HTTP probes can raise has one kind of failure."""

import errno
import inspect
import os
import socket
import ssl
import zlib
from types import ModuleType

import brotli
import dns.exception
import dns.message
import h2.exceptions
import httptools
import httpx
import pytest

from agent.probers.http import HttpProber
from agent.probers.http_faults import ERRORS, foreseen
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault, fault_of
from agent.probers.network.resolver import Resolver
from tests.unit.probers.http_probing import LOOPBACK_ONLY, check_of
from vedette.shared.failure import Failure
from vedette.shared.probes import Family

MODULES = (httpx, httptools, ssl, socket, h2.exceptions, dns.exception, dns.message)


def exceptions_of(module: ModuleType) -> list[type[BaseException]]:
    return [
        found
        for name, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, Exception) and not name.startswith("_")
    ]


ALL = sorted(
    {found for module in MODULES for found in exceptions_of(module)}
    | {zlib.error, brotli.error, OverflowError, UnicodeEncodeError, UnicodeDecodeError},
    key=lambda found: f"{found.__module__}.{found.__qualname__}",
)


def made(kind: type[BaseException]) -> BaseException:
    """One of `kind`, whatever its constructor wants; of a class of its own, as a new version might bring."""
    newer: type[BaseException] = type(
        f"Newer{kind.__name__}", (kind,), {"__str__": lambda _: "odd"}
    )
    return newer.__new__(newer)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_every_exception_has_a_kind(kind: type[BaseException]) -> None:
    assert issubclass(kind, ERRORS), "the net would let it through"
    fault = foreseen(made(kind))
    assert isinstance(fault, Fault)
    assert fault.kind in Failure
    assert fault.detail


def test_there_are_exceptions_of_every_library() -> None:
    homes = {found.__module__.split(".")[0] for found in ALL}
    assert {"httpx", "httptools", "ssl", "socket", "h2", "dns", "zlib", "builtins"} <= homes


@pytest.mark.parametrize("number", sorted(errno.errorcode), ids=lambda n: errno.errorcode[n])
def test_every_errno_has_a_kind(number: int) -> None:
    error = OSError(number, os.strerror(number))
    assert foreseen(error).kind is fault_of(error, "x").kind


# What connect(2), send(2), recv(2) and tcp(7) say that a connection can end in, and whose doing it is.
DOCUMENTED = {
    "ECONNREFUSED": "connect_refused",
    "ETIMEDOUT": "connect_timeout",
    "EHOSTUNREACH": "unreachable",
    "EHOSTDOWN": "unreachable",
    "ECONNRESET": "connection_lost",
    "ECONNABORTED": "connection_lost",
    "EPIPE": "connection_lost",
    "ENOTCONN": "connection_lost",
    "ESHUTDOWN": "connection_lost",
    "ENETRESET": "connection_lost",
    "ENOPROTOOPT": "unreachable",
    "EPROTO": "protocol_error",
    "ENETUNREACH": "no_route",
    "ENETDOWN": "no_route",
    "ENONET": "no_route",
    "EAFNOSUPPORT": "no_route",
    "EADDRNOTAVAIL": "exhausted",
    "EADDRINUSE": "exhausted",
    "EMFILE": "exhausted",
    "ENFILE": "exhausted",
    "ENOBUFS": "exhausted",
    "ENOMEM": "exhausted",
    "EAGAIN": "exhausted",
    "EACCES": "no_permission",
    "EPERM": "no_permission",
    "EBADF": "agent_fault",
}


@pytest.mark.parametrize(("name", "kind"), DOCUMENTED.items())
def test_a_documented_errno_has_its_own_kind(name: str, kind: str) -> None:
    number = getattr(errno, name)
    assert foreseen(OSError(number, os.strerror(number))).kind == kind


RESOLVER = {
    "EAI_NONAME": "resolve_not_found",
    "EAI_AGAIN": "resolve_failed",
    "EAI_FAIL": "resolve_failed",
    "EAI_MEMORY": "exhausted",
    "EAI_SYSTEM": "exhausted",
    "EAI_FAMILY": "resolve_failed",
    "EAI_SERVICE": "resolve_failed",
    "EAI_BADFLAGS": "resolve_failed",
    "EAI_OVERFLOW": "resolve_failed",
}


@pytest.mark.parametrize(("name", "kind"), RESOLVER.items())
def test_every_resolver_error_has_a_kind(name: str, kind: str) -> None:
    assert foreseen(socket.gaierror(getattr(socket, name), "why"), "shop").kind == kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(ssl.SSLError(1, "unknown protocol"), "tls_handshake_failed", id="SSLError"),
        pytest.param(ssl.SSLEOFError(8, "EOF"), "connection_lost", id="SSLEOFError"),
        pytest.param(ConnectionResetError(), "connection_lost", id="a reset without an errno"),
        pytest.param(ConnectionRefusedError(), "connect_refused", id="a refusal without an errno"),
        pytest.param(TimeoutError(), "transfer_timeout", id="a timeout without an errno"),
        pytest.param(OSError("odd"), "agent_fault", id="an OSError without an errno"),
        pytest.param(EOFError(), "truncated", id="EOFError"),
        pytest.param(MemoryError(), "exhausted", id="MemoryError"),
        pytest.param(Fault(Failure.NO_REPLY, "x"), "no_reply", id="a fault is what it is"),
    ],
)
def test_an_errno_of_ssl_is_no_errno_of_the_system(error: BaseException, kind: str) -> None:
    """ssl.SSLError(1) is no EPERM, although both are an OSError whose errno is 1."""
    assert foreseen(error).kind == kind


def test_a_defect_of_ours_is_not_in_the_net() -> None:
    assert not issubclass(TypeError, ERRORS)
    assert not issubclass(KeyError, ERRORS)


class BrokenResolver(Resolver):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def addresses(self, host: str, family: Family, timeout_us: int) -> list[str]:
        raise self._error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(OSError(errno.ENETUNREACH, "unreachable"), "no_route", id="of the system"),
        pytest.param(ssl.SSLError(1, "odd"), "tls_handshake_failed", id="of TLS"),
        pytest.param(h2.exceptions.FlowControlError("odd"), "protocol_error", id="of HTTP/2"),
    ],
)
async def test_what_no_step_foresaw_ends_in_the_net_with_what_was_reached(
    error: Exception, kind: str
) -> None:
    admission = Admission(LOOPBACK_ONLY, BrokenResolver(error))
    seen = await HttpProber(admission).probe(check_of("http", {"url": "http://shop.example/"}))
    assert seen.kind == kind
    assert list(seen.phases or {}) == ["resolve"]


async def test_a_defect_of_ours_leaves_the_prober() -> None:
    admission = Admission(LOOPBACK_ONLY, BrokenResolver(KeyError("defect")))
    with pytest.raises(KeyError):
        await HttpProber(admission).probe(check_of("http", {"url": "http://shop.example/"}))
