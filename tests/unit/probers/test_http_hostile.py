"""HTTP probes against servers that misbehave: each ends with its own kind, within its bounds."""

import asyncio
import gzip
import zlib

import pytest

from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Stopwatch
from agent.probers.transport.exchange import exchange
from agent.probers.transport.wants import Hop, Request, Wants
from tests.fakes.tcp_target import (
    LOOPBACK,
    Script,
    answering,
    endless,
    response,
    silent,
    stalling,
    target,
)
from tests.unit.probers.http_probing import LOOPBACK_ONLY, run_http
from vedette.shared.limits import FEED_SLICE_BYTES, RESPONSE_HEADER_BYTES_MAX

GZIP = ("Content-Encoding: gzip",)


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    return b"".join(packer.compress(zeros) for _ in range(size >> 20)) + packer.flush()


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        pytest.param(silent, "first_byte_timeout", id="a server that never answers"),
        pytest.param(
            stalling(b"HTTP/1.1 200 OK\r\nA: b\r\n"), "transfer_timeout", id="half a head"
        ),
        pytest.param(
            stalling(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
            "transfer_timeout",
            id="half a body",
        ),
        pytest.param(
            stalling(b"HTTP/1.1 100 Continue\r\n\r\n"), "transfer_timeout", id="100 and no more"
        ),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 200),
            "headers_too_large",
            id="endless headers",
        ),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\nA: ", b"b" * 1000),
            "headers_too_large",
            id="an endless header",
        ),
        pytest.param(
            endless(b"HTTP/1.1 200 ", b"b" * 1000), "headers_too_large", id="an endless reason"
        ),
        pytest.param(
            answering(response(headers=("A: " + "b" * RESPONSE_HEADER_BYTES_MAX,))),
            "headers_too_large",
            id="one huge header",
        ),
        pytest.param(
            answering(response(headers=("A: b",) * 300)), "headers_too_large", id="too many headers"
        ),
        pytest.param(
            endless(b"", b"HTTP/1.1 103 Early\r\n\r\n" * 20),
            "protocol_error",
            id="endless early hints",
        ),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\n\r\n", bytes(10_000)),
            "body_too_large",
            id="an endless body",
        ),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 500),
            "body_too_large",
            id="endless small chunks",
        ),
        pytest.param(
            endless(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n" * 200
            ),
            "headers_too_large",
            id="endless trailers",
        ),
        pytest.param(
            endless(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ", b"a" * 10_000
            ),
            "headers_too_large",
            id="an endless trailer",
        ),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 10_000),
            "headers_too_large",
            id="an endless extension of a chunk",
        ),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 500),
            "bad_encoding",
            id="endless empty gzip members",
        ),
        pytest.param(
            endless(
                b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n\x78\x9c",
                b"\0\0\0\xff\xff" * 2000,
            ),
            "body_too_large",
            id="endless empty blocks",
        ),
        pytest.param(answering(), "connection_lost", id="closes without a word"),
        pytest.param(answering(b"HTTP/1.1 200 OK\r\nA: b"), "truncated", id="closes in the head"),
        pytest.param(
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
            "truncated",
            id="closes in the body",
        ),
        pytest.param(
            answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
            "truncated",
            id="closes between chunks",
        ),
        pytest.param(
            answering(b"SSH-2.0-OpenSSH_9.6\r\n"), "protocol_error", id="another protocol"
        ),
        pytest.param(answering(b"<html>hello</html>"), "protocol_error", id="HTTP/0.9"),
        pytest.param(answering(b"HTTP/0.9 200 OK\r\n\r\nhi"), "protocol_error", id="0.9 by name"),
        pytest.param(answering(b"HTTP/2.0 200 OK\r\n\r\nhi"), "protocol_error", id="2.0 by name"),
        pytest.param(answering(b"HTTP/1.1 9999 X\r\n\r\n"), "protocol_error", id="no such status"),
        pytest.param(answering(bytes(range(256)) * 50), "protocol_error", id="garbage"),
        pytest.param(
            answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "protocol_error",
            id="a chunk of no size",
        ),
        pytest.param(
            answering(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
            ),
            "protocol_error",
            id="two lengths",
        ),
        pytest.param(
            answering(b"\x15\x03\x03\x00\x02\x02\x46"), "protocol_error", id="a TLS alert"
        ),
        pytest.param(
            answering(response(b"not gzip", headers=GZIP)), "bad_encoding", id="a false encoding"
        ),
        pytest.param(
            answering(response(gzip.compress(b"hello")[:-9], headers=GZIP)),
            "bad_encoding",
            id="half a gzip",
        ),
    ],
)
async def test_misbehaviour_has_its_kind(script: Script, kind: str) -> None:
    async with target(script) as server:
        run = await run_http(server.url(), within="500ms", body_max=50_000)
    assert (run.outcome, run.kind) == ("down", kind), run.verdict.detail
    assert run.verdict.detail
    assert sum((run.seen.phases or {}).values()) <= run.seen.took_us < 5_000_000


async def test_a_drip_does_not_outlast_the_deadline() -> None:
    async with target(stalling(*[b"H"])) as server:
        run = await run_http(server.url(), within="200ms")
    assert run.kind == "transfer_timeout"
    assert 190_000 <= run.seen.took_us < 2_000_000


async def test_a_compression_bomb_stops_at_the_cap() -> None:
    packed = bomb(256 << 20)
    assert len(packed) < 300_000
    async with target(answering(response(packed, headers=GZIP))) as server:
        run = await run_http(server.url(), body_max=100_000)
    assert (run.outcome, run.kind) == ("down", "body_too_large")
    assert run.seen.facts["size"] == 100_000
    assert run.seen.facts["received"] < 300_000


@pytest.mark.parametrize(("size", "outcome"), [(99, "up"), (100, "up"), (101, "down")])
async def test_the_body_may_be_as_large_as_its_bound(size: int, outcome: str) -> None:
    async with target(answering(response(bytes(size)))) as server:
        run = await run_http(server.url(), body_max=100)
    assert run.outcome == outcome
    assert run.seen.facts["size"] == min(size, 100)


@pytest.mark.parametrize("depth", [10, 99])
async def test_nested_json_is_read(depth: int) -> None:
    async with target(answering(response(b"[" * depth + b"]" * depth))) as server:
        assert (await run_http(server.url(), "size(json) >= 0")).outcome == "up"


@pytest.mark.parametrize("depth", [101, 400, 100_000])
async def test_bottomless_json_is_not(depth: int) -> None:
    async with target(answering(response(b"[" * depth + b"]" * depth))) as server:
        run = await run_http(server.url(), "size(json) >= 0")
    assert run.verdict.detail == "size(json) >= 0: json not reached"


async def test_a_closed_port_is_refused() -> None:
    async with target(silent) as server:
        port = server.port
    run = await run_http(f"http://{LOOPBACK}:{port}/")
    assert (run.outcome, run.kind) == ("down", "connect_refused")
    assert list(run.seen.phases or {}) == ["resolve", "connect"]
    assert "status" not in run.seen.variables


async def test_a_phase_may_have_a_deadline_of_its_own() -> None:
    async with target(silent) as server:
        run = await run_http(server.url(), within="30s", phase_timeouts={"first_byte": "100ms"})
    assert run.kind == "first_byte_timeout"
    assert run.seen.took_us < 10_000_000


async def test_a_request_that_is_not_taken_is_a_send_timeout() -> None:
    never = asyncio.Event()

    async def deaf(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await never.wait()

    async with target(deaf) as server:
        # More than a definition may hold, because the system takes some megabytes by itself.
        request = Request("POST", "http", LOOPBACK, server.port, "/", (), bytes(64 << 20))
        hop = Hop(server.url())
        with pytest.raises(Fault) as caught:
            await exchange(request, hop, Wants(), Admission(LOOPBACK_ONLY), Stopwatch(500_000))
    assert caught.value.kind == "send_timeout"
    assert list(hop.phases_us) == ["resolve", "connect", "send"]


@pytest.mark.parametrize("coding", ["identity", "gzip", "chunked, odd"])
async def test_a_coding_that_is_not_chunked_ends_with_the_connection(coding: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n".encode()
    async with target(answering(head + b"hello")) as server:
        run = await run_http(server.url(), "body_size == 5")
    assert run.outcome == "up", run.verdict.detail


async def test_zeros_behind_gzip_are_padding() -> None:
    packed = gzip.compress(b"hi") + bytes(4)
    async with target(answering(response(packed, headers=GZIP))) as server:
        run = await run_http(server.url(), "body == 'hi'")
    assert run.outcome == "up", run.verdict.detail


async def test_other_things_run_while_small_chunks_are_read() -> None:
    """Chunks of two bytes, as many as fit: between two turns of the loop, a slice and no more is parsed."""
    chunks = b"2\r\naa\r\n" * 100_000
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with target(answering(head + chunks + b"0\r\n\r\n")) as server:
        other = asyncio.create_task(turning())
        run = await run_http(server.url(), "body_size == 200000")
        other.cancel()
    assert run.outcome == "up", run.verdict.detail
    assert turns >= len(chunks) // FEED_SLICE_BYTES
