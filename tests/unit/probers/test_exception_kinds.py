"""Every exception that dnspython, icmplib and RE2 can raise has one kind of failure."""

import importlib
import pkgutil
from collections.abc import Iterator

import dns
import dns.exception
import dns.message
import dns.resolver
import dns.rrset
import pytest
import re2
from icmplib.exceptions import ICMPLibError, ICMPSocketError

from agent.probers.dns import reply, servers
from agent.probers.dns.fault import READING_ERRORS, dns_fault
from agent.probers.icmp_fault import icmp_fault
from agent.probers.network.fault import Fault
from tests.fakes.dns_target import LOOPBACK, name_server, reply_to, wire
from tests.unit.probers.dns_probing import Query, honest, run_dns
from vedette.shared.failure import Failure
from vedette.shared.patterns import BadPattern, pattern_of


def tree(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


def loaded() -> list[type[BaseException]]:
    """The whole tree of dnspython: its classes are known once their modules are."""
    for module in pkgutil.iter_modules(dns.__path__):
        if module.name != "_trio_backend":  # of a library that is not installed
            importlib.import_module(f"dns.{module.name}")
    return sorted(set(tree(dns.exception.DNSException)), key=lambda c: (c.__module__, c.__name__))


DNS_TREE = loaded()
ICMP_TREE = list(tree(ICMPLibError))
NOT_BAD_REPLY = {
    "Timeout": Failure.QUERY_TIMEOUT,
    "LifetimeTimeout": Failure.QUERY_TIMEOUT,
    "NoResolverConfiguration": Failure.UNRUNNABLE,
    "AsyncLibraryNotFoundError": Failure.AGENT_FAULT,
    "NoDOH": Failure.AGENT_FAULT,
    "NoDOQ": Failure.AGENT_FAULT,
    "UnsupportedAlgorithm": Failure.DNSSEC_INVALID,
    "AlgorithmKeyMismatch": Failure.DNSSEC_INVALID,
    "ValidationFailure": Failure.DNSSEC_INVALID,
    "DeniedByPolicy": Failure.DNSSEC_INVALID,
}


def made(kind: type[BaseException]) -> BaseException:
    """One of that class, whatever it wants to be made from."""
    error = kind.__new__(kind)
    if isinstance(error, dns.exception.DNSException):
        error.msg, error.kwargs = "as it happens", {}
    return error


@pytest.mark.parametrize("kind", DNS_TREE, ids=lambda c: f"{c.__module__}.{c.__name__}")
def test_every_exception_of_dnspython_has_a_kind(kind: type[BaseException]) -> None:
    fault = dns_fault(made(kind), "192.0.2.53:53")
    assert fault.kind is NOT_BAD_REPLY.get(kind.__name__, Failure.BAD_REPLY)
    assert fault.detail


@pytest.mark.parametrize("kind", [EOFError, ValueError, UnicodeError, UnicodeDecodeError])
def test_what_else_reading_raises_has_a_kind(kind: type[BaseException]) -> None:
    assert issubclass(kind, READING_ERRORS)
    assert not dns_fault(made(kind), "x").kind.is_agent_fault


def test_the_trees_are_whole() -> None:
    assert len(DNS_TREE) > 60
    assert len(ICMP_TREE) > 10


@pytest.mark.parametrize("kind", DNS_TREE, ids=lambda c: f"{c.__module__}.{c.__name__}")
def test_none_of_them_leaves_the_reading_of_a_reply(
    kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_data: bytes, **_options: bool) -> dns.message.Message:
        raise made(kind)

    monkeypatch.setattr(dns.message, "from_wire", failing)
    with pytest.raises(Fault):
        reply.message_of(bytes(12), "x")


@pytest.mark.parametrize("kind", ICMP_TREE, ids=lambda c: c.__name__)
def test_every_exception_of_icmplib_has_a_kind(kind: type[BaseException]) -> None:
    expected = {
        "NameLookupError": Failure.RESOLVE_NOT_FOUND,
        "SocketAddressError": Failure.NO_ROUTE,
        "SocketPermissionError": Failure.NO_PERMISSION,
        "SocketBroadcastError": Failure.NO_PERMISSION,
        "TimeoutExceeded": Failure.NO_REPLY,
        "DestinationUnreachable": Failure.UNREACHABLE,
        "ICMPv4DestinationUnreachable": Failure.UNREACHABLE,
        "ICMPv6DestinationUnreachable": Failure.UNREACHABLE,
        "TimeExceeded": Failure.TTL_EXCEEDED,
        "ICMPv4TimeExceeded": Failure.TTL_EXCEEDED,
        "ICMPv6TimeExceeded": Failure.TTL_EXCEEDED,
    }.get(kind.__name__, Failure.AGENT_FAULT)
    assert icmp_fault(made(kind), "192.0.2.7").kind is expected


def test_the_systems_error_behind_one_of_icmplib_decides() -> None:
    error = ICMPSocketError("text")
    error.__context__ = OSError(24, "Too many open files")
    assert icmp_fault(error, "192.0.2.7").kind is Failure.EXHAUSTED


@pytest.mark.parametrize("text", ["(", "[z-a]", "a{1000}{1000}", r"(?=look)", r"\1"])
def test_what_re2_refuses_is_a_bad_pattern(text: str) -> None:
    assert issubclass(re2.error, Exception)
    with pytest.raises(BadPattern):
        pattern_of(text)


async def test_a_site_without_name_servers_cannot_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_CONFIGURATION", servers._CONFIGURATION / "nothing")
    run = await run_dns(53, servers=[])
    assert (run.outcome, run.kind) == ("agent_error", "unrunnable")


async def test_the_sites_own_servers_are_asked_without_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with name_server(honest) as port:
        own = servers.Server(LOOPBACK, LOOPBACK, LOOPBACK, port)
        monkeypatch.setattr(servers, "own_servers", lambda: [own])
        run = await run_dns(port, "answers == ['127.0.0.1']", servers=[])
    assert run.outcome == "up", run.verdict.detail


async def test_records_that_cannot_be_written_down_are_a_bad_reply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unwritable(*_: object, **__: object) -> str:
        raise ValueError("no text for it")

    def other(query: Query) -> list[bytes]:
        return [wire(reply_to(query, ["example.com. 7 IN A 192.0.2.77"]))]

    async with name_server(other) as port:
        monkeypatch.setattr("dns.rdtypes.IN.A.A.to_text", unwritable)
        run = await run_dns(port, within="200ms")
    assert (run.outcome, run.kind) == ("down", "bad_reply")
