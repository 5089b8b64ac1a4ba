"""HTTP probes over HTTP/2: agreed on by ALPN, with the same phases, variables and bounds."""

import asyncio
import gzip
import struct

import h2.errors
import pytest
import trustme

from tests.fakes.http2_target import Answers, Talk, http2_target
from tests.fakes.tcp_target import answering, endless, response, target
from tests.unit.probers.http_probing import run_http
from tests.unit.probers.tls_serving import pem, served
from vedette.shared.limits import RESPONSE_HEADER_BYTES_MAX

LARGE = 300_000


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def fine(talk: Talk) -> None:
    talk.head(("x-one", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))
    await talk.send(b"ok")


@pytest.mark.parametrize("version", ["HTTP/2", "auto"])
async def test_it_is_agreed_on_over_tls(authority: trustme.CA, version: str) -> None:
    async with http2_target(fine, served(authority)) as (server, talks):
        run = await run_http(
            server.url("/x?q=1", scheme="https", host="localhost"),
            "status == 200 && version == 'HTTP/2' && body == 'ok' && reason == ''",
            "headers['x-one'] == '1' && size(headers_all['set-cookie']) == 2",
            "tls.verified && phases.tls_ms > 0.0",
            version=version,
            tls={"ca": pem(authority)},
        )
        headers = talks[0].headers
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {}) == [
        "resolve", "connect", "tls", "send", "first_byte", "transfer",
    ]  # fmt: skip
    assert sum((run.seen.phases or {}).values()) == run.seen.took_us
    assert headers[":authority"] == f"localhost:{server.port}"
    assert (headers[":path"], headers[":method"]) == ("/x?q=1", "GET")
    assert "host" not in headers
    assert "connection" not in headers


async def test_auto_takes_what_is_offered(authority: trustme.CA) -> None:
    async with target(answering(response()), served(authority)) as server:
        url = server.url(scheme="https", host="localhost")
        run = await run_http(url, "version == 'HTTP/1.1'", version="auto", tls={"verify": False})
        assert run.outcome == "up", run.verdict.detail
        run = await run_http(url, version="HTTP/2", tls={"verify": False})
    assert (run.outcome, run.kind) == ("down", "protocol_error")
    assert run.verdict.detail == "the target does not offer HTTP/2 over TLS"


async def test_without_tls_it_is_known_before() -> None:
    async with http2_target(fine) as (server, talks):
        run = await run_http(
            server.url(), "body == 'ok'", version="HTTP/2", method="POST", body="x" * 60_000
        )
        assert talks[0].body == b"x" * 60_000
    assert run.outcome == "up", run.verdict.detail


async def test_auto_without_tls_is_the_older_one() -> None:
    async with target(answering(response())) as server:
        assert (await run_http(server.url(), version="auto")).outcome == "up"


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_000])
async def test_a_body_waits_for_the_targets_window(size: int) -> None:
    async with http2_target(fine) as (server, talks):
        body = "ü" * (size // 2)
        run = await run_http(server.url(), version="HTTP/2", method="PUT", body=body[:65_536])
        assert talks[0].body == body[:65_536].encode()
    assert run.outcome == "up", run.verdict.detail


async def test_a_large_answer_is_read_to_its_end() -> None:
    async def large(talk: Talk) -> None:
        talk.head(("content-encoding", "gzip"))
        await talk.send(gzip.compress(bytes(LARGE), 0))

    async with http2_target(large) as (server, _):
        run = await run_http(server.url(), f"body_size == {LARGE}", version="HTTP/2")
    assert run.outcome == "up", run.verdict.detail


async def test_redirects_go_on_by_the_same_version() -> None:
    async def away(talk: Talk) -> None:
        if talk.headers[":path"] == "/":
            talk.head(("location", "/next"), ("set-cookie", "s=1"), status="302", is_last=True)
        else:
            status = "200" if talk.headers.get("cookie") == "s=1" else "400"
            talk.head(status=status, is_last=True)

    async with http2_target(away) as (server, _):
        run = await run_http(server.url(), "size(hops) == 2 && status == 200", version="HTTP/2")
    assert run.outcome == "up", run.verdict.detail


async def test_head_and_interim_answers_are_read() -> None:
    async def hinted(talk: Talk) -> None:
        talk.connection.send_headers(talk.number, [(":status", "103"), ("link", "</a>")])
        talk.head(("content-length", "100"), is_last=True)

    async with http2_target(hinted) as (server, _):
        run = await run_http(server.url(), version="HTTP/2", method="HEAD")
    assert run.outcome == "up", run.verdict.detail
    assert run.seen.facts["interim"] == [103]


def frame(kind: int, payload: bytes, flags: int = 0, number: int = 1) -> bytes:
    return (
        struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", number)
    ) + payload


def raw(*data: bytes) -> Answers:
    async def script(talk: Talk) -> None:
        for part in data:
            talk.writer.write(part)
        await talk.writer.drain()
        await asyncio.Event().wait()

    return script


async def resetting(talk: Talk) -> None:
    talk.connection.reset_stream(talk.number, h2.errors.ErrorCodes.REFUSED_STREAM)


async def resetting_later(talk: Talk) -> None:
    talk.head(("content-length", "10"))
    talk.connection.send_data(talk.number, b"half")
    talk.connection.reset_stream(talk.number, h2.errors.ErrorCodes.INTERNAL_ERROR)


async def going_away(talk: Talk) -> None:
    talk.connection.close_connection(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, last_stream_id=0)


async def hanging_up(talk: Talk) -> None:
    talk.writer.close()


async def hanging_up_later(talk: Talk) -> None:
    talk.head()
    talk.connection.send_data(talk.number, b"half")
    await talk.flush()
    talk.writer.close()


async def huge_headers(talk: Talk) -> None:
    talk.head(("x-one", "b" * RESPONSE_HEADER_BYTES_MAX))


async def many_headers(talk: Talk) -> None:
    talk.head(*((f"x-{place}", "b") for place in range(300)), is_last=True)


async def endless_body(talk: Talk) -> None:
    talk.head()
    await talk.send(bytes(10_000_000))


async def bomb(talk: Talk) -> None:
    talk.head(("content-encoding", "gzip"))
    await talk.send(gzip.compress(bytes(50_000_000)))


async def too_short(talk: Talk) -> None:
    talk.head(("content-encoding", "gzip"))
    await talk.send(gzip.compress(b"hello")[:-9])


async def wordless(_talk: Talk) -> None:
    await asyncio.Event().wait()


async def stalling(talk: Talk) -> None:
    talk.head()
    await talk.flush()
    await asyncio.Event().wait()


async def hinting(talk: Talk) -> None:
    for _ in range(20):
        talk.connection.send_headers(talk.number, [(":status", "103")])


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        pytest.param(wordless, "first_byte_timeout", id="silence"),
        pytest.param(stalling, "transfer_timeout", id="a head and no more"),
        pytest.param(resetting, "connection_lost", id="the stream is reset"),
        pytest.param(resetting_later, "truncated", id="the stream is reset within the body"),
        pytest.param(going_away, "connection_lost", id="the connection is given up"),
        pytest.param(hanging_up, "connection_lost", id="it hangs up"),
        pytest.param(hanging_up_later, "truncated", id="it hangs up within the body"),
        pytest.param(huge_headers, "headers_too_large", id="huge headers"),
        pytest.param(many_headers, "headers_too_large", id="many headers"),
        pytest.param(endless_body, "body_too_large", id="an endless body"),
        pytest.param(bomb, "body_too_large", id="a compression bomb"),
        pytest.param(too_short, "bad_encoding", id="half a gzip"),
        pytest.param(hinting, "protocol_error", id="endless hints"),
        pytest.param(raw(b"\x00" * 500), "protocol_error", id="empty frames of the wrong kind"),
        pytest.param(raw(frame(1, b"\xff" * 20, 4)), "protocol_error", id="headers that are none"),
        pytest.param(raw(frame(0, b"body", 1)), "protocol_error", id="a body before its head"),
        pytest.param(raw(frame(1, b"\x88", 4) + frame(0, b"", 0) * 20_000), "protocol_error", id="a flood of empty data"),
        pytest.param(raw(frame(1, b"\x88", 4) + frame(0, b"a", 0) * 20_000), "protocol_error", id="a flood of tiny data"),
        pytest.param(raw(frame(1, b"\x88\x5c\x0210", 4) + frame(0, b"hi", 1)), "truncated", id="less than content-length"),
        pytest.param(raw(frame(6, bytes(8), 0, 0) * 60_000), "protocol_error", id="a flood of pings"),
        pytest.param(raw(frame(4, b"", 0, 0) * 60_000), "protocol_error", id="a flood of settings"),
        pytest.param(raw(frame(1, b"\x88", 0) + frame(9, b"", 0) * 5_000), "protocol_error", id="headers that go on"),
        pytest.param(raw(frame(5, bytes(4) + b"\x82", 4)), "protocol_error", id="a push that was declined"),
        pytest.param(raw(b"\xff" * 600_000), "protocol_error", id="a frame too large"),
    ],
)  # fmt: skip
async def test_misbehaviour_has_its_kind(answers: Answers, kind: str) -> None:
    # Only what is to time out is given little time: a busy machine may be slow to serve the rest.
    within = "700ms" if kind.endswith("timeout") else "20s"
    async with http2_target(answers) as (server, _):
        run = await run_http(server.url(), within=within, version="HTTP/2", body_max=100_000)
    assert (run.outcome, run.kind) == ("down", kind), run.verdict.detail
    assert run.verdict.detail


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(answering(response(b"ok")), id="HTTP/1.1"),
        pytest.param(answering(b"SSH-2.0-OpenSSH_9.6\r\n" * 20), id="SSH"),
        pytest.param(
            endless(b"", b"\x00\x00\x00\xaa\x00\x00\x00\x00\x00" * 1000), id="frames of no kind"
        ),
    ],
)
async def test_another_protocol_is_told(script: object) -> None:
    async with target(script) as server:  # type: ignore[arg-type] # a Script each
        run = await run_http(server.url(), within="20s", version="HTTP/2")
    assert (run.outcome, run.kind) == ("down", "protocol_error"), run.verdict.detail
