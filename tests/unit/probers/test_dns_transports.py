"""DNS over TCP, TLS and HTTPS against real servers on loopback, well-behaved and hostile."""

import asyncio
import ssl

import dns.message
import pytest
import trustme

from tests.fakes.dns_target import LOOPBACK, Replies, name_server, reply_to, wire
from tests.fakes.http2_target import Talk, http2_target
from tests.fakes.tcp_target import Script, head_of, response, silent, target
from tests.unit.probers.dns_probing import Query, honest, run_dns

CA = trustme.CA()
TRUST = {"ca": CA.cert_pem.bytes().decode()}
MEDIA = ("Content-Type: application/dns-message",)


def server_tls(*alpn: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(LOOPBACK).configure_cert(context)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def by_length(replies: Replies, *, pieces: int = 65536) -> Script:
    """Answers one question behind its length, `pieces` bytes at a time."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2))
        query = dns.message.from_wire(await reader.readexactly(size))
        assert isinstance(query, dns.message.QueryMessage)
        for reply in replies(query):
            data = len(reply).to_bytes(2) + reply
            for place in range(0, len(data), pieces):
                writer.write(data[place : place + pieces])
                await writer.drain()

    return script


def by_http(replies: Replies, status: str = "200 OK", headers: tuple[str, ...] = MEDIA) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await head_of(reader, writer)
        lines = head.lower().split(b"\r\n")
        size = next(
            int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")
        )
        query = dns.message.from_wire(await reader.readexactly(size))
        assert isinstance(query, dns.message.QueryMessage)
        (reply,) = replies(query)
        writer.write(response(reply, status, headers))
        await writer.drain()

    return script


async def test_over_tls_with_its_certificate() -> None:
    async with target(by_length(honest), server_tls("dot")) as place:
        run = await run_dns(
            place.port,
            "answers == ['127.0.0.1'] && transport == 'tls'",
            "tls.verified && tls.days_left > 1.0 && tls.version == 'TLSv1.3'",
            "phases.tls_ms > 0.0 && phases.query_ms > 0.0",
            transport="tls",
            tls=TRUST,
        )
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {}) == ["resolve", "connect", "tls", "query"]
    assert abs(sum((run.seen.phases or {}).values()) - run.seen.took_us) < 1000


async def test_over_https_with_its_certificate() -> None:
    async with target(by_http(honest), server_tls("http/1.1")) as place:
        run = await run_dns(
            place.port,
            "answers == ['127.0.0.1'] && transport == 'https' && tls.verified",
            transport="https",
            tls=TRUST,
        )
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {}) == ["resolve", "connect", "tls", "query"]
    assert place.heads[0].startswith(b"POST /dns-query HTTP/1.1\r\n")
    assert f"Host: {LOOPBACK}:{place.port}".encode() in place.heads[0]


async def test_over_https_by_http_2_where_it_is_offered() -> None:
    async def answers(talk: Talk) -> None:
        query = dns.message.from_wire(talk.body)
        assert isinstance(query, dns.message.QueryMessage)
        talk.head(("content-type", "application/dns-message"))
        await talk.send(honest(query)[0])

    async with http2_target(answers, server_tls()) as (place, talks):
        run = await run_dns(
            place.port, "answers == ['127.0.0.1']", transport="https", tls=TRUST, path="/q"
        )
        headers = talks[0].headers
    assert run.outcome == "up", run.verdict.detail
    assert (headers[":method"], headers[":path"]) == ("POST", "/q")
    assert headers["content-type"] == "application/dns-message"


@pytest.mark.parametrize("transport", ["tls", "https"])
async def test_a_stranger_is_refused_unless_verification_is_off(transport: str) -> None:
    script = by_length(honest) if transport == "tls" else by_http(honest)
    async with target(script, server_tls()) as place:
        refused = await run_dns(place.port, transport=transport)
        pinned = await run_dns(
            place.port, transport=transport, tls={**TRUST, "pins": ["spki:" + "0" * 64]}
        )
        taken = await run_dns(place.port, transport=transport, tls={"verify": False})
    assert (refused.outcome, refused.kind) == ("down", "tls_verify_failed")
    assert refused.seen.facts["tls"]["sha256"]
    assert pinned.kind == "tls_verify_failed"
    assert taken.outcome == "up", taken.verdict.detail


@pytest.mark.parametrize("transport", ["tls", "https"])
async def test_a_plain_port_and_a_closed_one(transport: str) -> None:
    async with target(by_length(honest)) as place:
        plain = await run_dns(place.port, transport=transport, tls=TRUST, within="300ms")
    closed = await run_dns(place.port, transport=transport, tls=TRUST)
    assert plain.outcome == "down"
    assert plain.kind in ("tls_handshake_failed", "tls_timeout")
    assert (closed.outcome, closed.kind) == ("down", "query_refused")


async def test_servers_that_are_silent_are_late_in_their_phase() -> None:
    async with target(silent) as place:
        by_tcp = await run_dns(place.port, transport="tcp", within="100ms")
        by_tls = await run_dns(place.port, transport="tls", tls=TRUST, within="100ms")
    assert by_tcp.kind == "query_timeout"
    assert by_tls.kind == "tls_timeout"
    async with target(silent, server_tls()) as place:
        by_https = await run_dns(place.port, transport="https", tls=TRUST, within="300ms")
    assert by_https.kind == "query_timeout"


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        pytest.param("404 Not Found", MEDIA, id="not found"),
        pytest.param("302 Found", (*MEDIA, "Location: http://169.254.169.254/"), id="a redirect"),
        pytest.param("200 OK", ("Content-Type: text/html",), id="a page"),
        pytest.param("200 OK", (), id="no type"),
    ],
)
async def test_https_that_is_no_dns(status: str, headers: tuple[str, ...]) -> None:
    async with target(by_http(honest, status, headers), server_tls()) as place:
        run = await run_dns(place.port, transport="https", tls=TRUST)
    assert (run.outcome, run.kind) == ("down", "bad_reply")
    assert len(place.heads) == 1


def other_id(query: Query) -> list[bytes]:
    reply = reply_to(query)
    reply.id ^= 1
    return [wire(reply)]


def other_question(query: Query) -> list[bytes]:
    other = dns.message.make_query("other.example", "A")
    other.id = query.id
    return [wire(reply_to(other, ["other.example. 60 IN A 192.0.2.66"]))]


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        pytest.param(other_id, "bad_reply", id="another id"),
        pytest.param(other_question, "bad_reply", id="another question"),
        pytest.param(lambda q: [b""], "bad_reply", id="nothing"),
        pytest.param(lambda q: [wire(reply_to(q))[:-3]], "bad_reply", id="a cut message"),
        pytest.param(lambda q: [wire(q)], "bad_reply", id="our own query"),
        pytest.param(lambda q: [], "connection_lost", id="a close"),
    ],
)
async def test_replies_by_tcp_that_are_none(replies: Replies, kind: str) -> None:
    async with target(by_length(replies)) as place:
        run = await run_dns(place.port, transport="tcp")
    assert (run.outcome, run.kind) == ("down", kind)


async def test_a_reply_in_single_bytes_is_put_together() -> None:
    async with target(by_length(honest, pieces=1)) as place:
        run = await run_dns(place.port, transport="tcp")
    assert run.outcome == "up", run.verdict.detail


async def test_a_reply_that_is_cut_off_is_truncated() -> None:
    async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x01\x00half")

    async with target(cutting) as place:
        run = await run_dns(place.port, transport="tcp")
    assert (run.outcome, run.kind) == ("down", "truncated")


async def test_a_server_may_have_an_ipv6_address() -> None:
    async with name_server(honest, address="::1") as port:
        run = await run_dns(port, "addr == '::1'", servers=["::1"])
        in_brackets = await run_dns(9, "addr == '::1'", servers=[f"[::1]:{port}"])
    assert run.outcome == "up", run.verdict.detail
    assert in_brackets.outcome == "up", in_brackets.verdict.detail


async def test_a_server_of_another_family_is_not_asked() -> None:
    run = await run_dns(9, family="ipv6")
    assert (run.outcome, run.kind) == ("down", "resolve_not_found")


async def test_a_port_may_stand_with_the_server() -> None:
    async with target(by_length(honest)) as place:
        servers = [f"{LOOPBACK}:{place.port}"]
        run = await run_dns(9, f"server == '{servers[0]}'", transport="tcp", servers=servers)
    assert run.outcome == "up", run.verdict.detail
