"""What is captured of a failure: real targets on loopback, the site's policy, redaction and bounds."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
import trustme

from agent.capture import opinion
from agent.capture.answer import head_facts
from agent.capture.failure import FailureCapture, fitting
from agent.capture.place import other_family, place_of
from agent.core.policy import Policy
from agent.ports import Observation
from agent.probers.dns.servers import Server
from agent.probers.network.admission import Admission
from tests.fakes.dns_target import name_server, reply_to, wire
from tests.fakes.tcp_target import LOOPBACK, answering, head_of, response, target
from tests.unit.agent.checks import check_of
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.limits import CAPTURE_BYTES_MAX
from vedette.shared.probes import Family

LOCAL = Admission(Policy.of(["127.0.0.0/8", "::1/128"]))
SECRET = "canary-of-a-secret"


@dataclass
class Probes:
    """A prober that remembers what it was asked, and always sees the same."""

    seen: Observation
    asked: list[Check] = field(default_factory=list)

    async def probe(self, check: Check) -> Observation:
        self.asked.append(check)
        return self.seen


def capture(**probers: Probes) -> FailureCapture:
    return FailureCapture(probers, LOCAL, "agent/1")


async def test_the_head_of_the_answer_has_names_and_no_values() -> None:
    headers = (f"Set-Cookie: {SECRET}", "X-Served-By: three", f"X-{SECRET[:3]}: {SECRET}")
    async with target(answering(response(SECRET.encode(), "502 Bad Gateway", headers))) as at:
        check = check_of(
            http={"url": at.url("/health?key=1"), "headers": {"Authorization": SECRET}}
        )
        found = await capture().of(check, LOOPBACK, has_answer=False)
    assert found["answer"]["head"] == {
        "status": "HTTP/1.1 502",
        "headers": ["set-cookie", "x-served-by", "x-can", "content-length"],
    }
    assert SECRET not in str(found)
    assert b"GET /health?key=1 HTTP/1.1\r\n" in at.heads[0]
    assert SECRET.encode() not in at.heads[0]
    assert found["route"]["reached"] is True


async def test_an_answer_that_the_line_has_already_is_not_asked_for_again() -> None:
    async with target(answering(response())) as at:
        found = await capture().of(check_of(http={"url": at.url()}), LOOPBACK, has_answer=True)
        assert at.heads == []
    assert "answer" not in found


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_certificate_that_nobody_trusts_is_captured_with_its_chain(
    version: ssl.TLSVersion,
) -> None:
    ca = trustme.CA()
    certificate = ca.create_child_ca().issue_cert("elsewhere.example")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.maximum_version = version
    certificate.configure_cert(context)
    async with target(answering(response(b"ok")), tls=context) as at:
        check = check_of(http={"url": at.url(scheme="https")})
        found = await capture().of(check, LOOPBACK, has_answer=False)
    leaf, *issuers = found["answer"]["chain"]
    assert len(issuers) == 1
    assert set(leaf) == {"subject", "issuer", "sha256", "not_before", "not_after"}
    assert leaf["issuer"] == issuers[0]["subject"]
    assert found["answer"]["head"]["status"] == "HTTP/1.1 200"


async def test_a_refused_connection_says_so_in_its_place() -> None:
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
        check = check_of(http={"url": f"https://{LOOPBACK}:{port}/"})
        found = await capture().of(check, LOOPBACK, has_answer=False)
    assert found["answer"] == {"fault": f"{LOOPBACK}:{port} refused the connection"}


async def test_nothing_is_asked_of_an_address_that_the_site_does_not_admit() -> None:
    async with target(answering(response())) as at:
        closed = FailureCapture({}, Admission(Policy()))
        found = await closed.of(check_of(http={"url": at.url()}), LOOPBACK, has_answer=False)
        assert at.heads == []
    assert set(found) == {"route", "answer"}
    assert all("loopback" in part["fault"] for part in found.values())


async def test_the_other_family_is_tried_with_the_same_check() -> None:
    probes = Probes(Observation(700, addr="::1", facts={"status": 200}))
    found = await capture(http=probes).of(check_of(), "192.0.2.1", has_answer=True)
    assert found["family"] == {"tried": "ipv6", "took": 700, "addr": "::1", "status": 200}
    (asked,) = probes.asked
    assert asked.probe.family is Family.IPV6


@pytest.mark.parametrize(
    ("probe", "addr"),
    [
        pytest.param({"http": {"url": "http://192.0.2.1/"}}, "192.0.2.1", id="an address has no other"),
        pytest.param({"http": {"url": "http://a.example/", "method": "POST"}}, "192.0.2.1", id="a POST does something"),
        pytest.param({"http": {"url": "http://a.example/"}}, None, id="no address was reached"),
        pytest.param({"dns": {"name": "a.example"}}, "192.0.2.1", id="a question has no host"),
    ],
)  # fmt: skip
def test_no_other_family_is_tried_where_it_means_nothing(
    probe: dict[str, Any], addr: str | None
) -> None:
    plain = {"id": "c", "service": "s", **probe}
    assert other_family(msgspec.convert(plain, Check), addr) is None


async def test_a_name_is_asked_of_another_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_server(lambda query: [wire(reply_to(query))]) as port:
        first = Server("192.0.2.9", "192.0.2.9", "192.0.2.9", 53)
        servers = (first, Server("local", LOOPBACK, LOOPBACK, port))
        monkeypatch.setattr(opinion, "own_servers", lambda: servers)
        check = check_of(http={"url": "http://example.com/"})
        found = await capture().of(check, None, has_answer=False)
    assert found["resolver"] == {"server": "local", "addresses": ["127.0.0.1"]}


async def test_a_dns_question_is_asked_of_the_sites_own_servers() -> None:
    probes = Probes(
        Observation(
            900, facts={"server": "192.0.2.53", "rcode": "NOERROR", "answers": ["192.0.2.7"]}
        )
    )
    dns = {"name": "a.example", "type": "MX", "servers": ["192.0.2.1"], "transport": "tcp", "expect": ["false"]}  # fmt: skip
    check = msgspec.convert({"id": "c", "service": "s", "dns": dns}, Check)
    found = await capture(dns=probes).of(check, None, has_answer=False)
    assert found["resolver"] == {
        "server": "192.0.2.53", "took": 900, "rcode": "NOERROR", "answers": ["192.0.2.7"],
    }  # fmt: skip
    asked = probes.asked[0].probe
    assert (asked.name, asked.type, asked.servers) == ("a.example", "MX", [])  # type: ignore[union-attr] # a DNS probe


async def test_a_part_that_fails_leaves_the_others_alone() -> None:
    class Broken:
        async def probe(self, check: Check) -> Observation:
            raise ZeroDivisionError

    broken = FailureCapture({"http": Broken()}, LOCAL)
    found = await broken.of(check_of(http={"url": "http://a.invalid/"}), LOOPBACK, has_answer=True)
    assert found["family"] == {"fault": "the agent failed: ZeroDivisionError"}
    assert found["route"]["reached"] is True


def test_faults_of_the_other_family_keep_their_kind() -> None:
    seen = Observation(5, Failure.CONNECT_REFUSED, "x" * 900)
    assert opinion.shown(seen) == {"took": 5, "kind": "connect_refused", "detail": "x" * 300}


@pytest.mark.parametrize(
    ("received", "facts"),
    [
        pytest.param(b"", {"bytes": 0}, id="nothing"),
        pytest.param(b"SSH-2.0-x\r\n", {"bytes": 11, "http": False, "text": True}, id="another protocol"),
        pytest.param(b"\x15\x03\x01\0\x02", {"bytes": 5, "http": False, "text": False}, id="bytes"),
        pytest.param(b"HTTP/1.1 204\r\n\r\n", {"status": "HTTP/1.1 204", "headers": []}, id="no reason"),
        pytest.param(b"HTTP/1.1 200 canary\r\nA: b\r\nnone\r\n", {"status": "HTTP/1.1 200", "headers": ["a"]}, id="cut off"),
    ],
)  # fmt: skip
def test_a_head_is_told_by_what_it_is(received: bytes, facts: Mapping[str, object]) -> None:
    assert head_facts(received) == facts


def test_what_is_too_large_gives_way_and_is_named() -> None:
    found = fitting({"route": {"hops": ["x" * 200] * 100}, "resolver": {"server": "a"}})
    assert found == {"resolver": {"server": "a"}, "cut": ["route"]}
    assert len(msgspec.json.encode(found)) <= CAPTURE_BYTES_MAX


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        ({"http": {"url": "HTTPS://a.example?q=1"}}, ("a.example", 443, True, "/?q=1")),
        ({"http": {"url": "a.example:81/x"}}, ("a.example", 81, False, "/x")),
        ({"icmp": {"host": "a.example"}}, ("a.example", None, False, "/")),
        ({"tcp": {"host": "a.example", "port": 25, "tls": {}}}, ("a.example", 25, True, "/")),
    ],
)
def test_every_kind_of_check_has_a_place(
    probe: dict[str, Any], expected: tuple[object, ...]
) -> None:
    place = place_of(msgspec.convert({"id": "c", "service": "s", **probe}, Check))
    assert place is not None
    assert (place.host, place.port, place.is_tls, place.target) == expected


async def test_a_silent_target_does_not_hold_a_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        await asyncio.Event().wait()

    monkeypatch.setattr("agent.capture.failure.CAPTURE_US_MAX", 400_000)
    async with target(silent) as at:
        found = await capture().of(check_of(http={"url": at.url()}), LOOPBACK, has_answer=False)
    assert found["answer"] == {"fault": "not seen within 0.4 s"}
    assert found["route"]["reached"] is True
