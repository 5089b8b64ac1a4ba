"""HTTP probes against answers that are dripped, framed wrongly, or said in a way that only some would take."""

import pytest

from tests.fakes.tcp_target import Script, answering, dripping, response, routed, target
from tests.unit.probers.http_probing import run_http

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(dripping(HEAD, b"A: b\r\n"), id="headers"),
        pytest.param(dripping(HEAD + b"A: ", b"b"), id="one header"),
        pytest.param(dripping(HEAD + b"\r\n", b"b"), id="a body without an end"),
        pytest.param(dripping(HEAD + b"Content-Length: 100000\r\n\r\n", b"b"), id="a sized body"),
        pytest.param(dripping(CHUNKED, b"1\r\nb\r\n"), id="chunks"),
        pytest.param(dripping(CHUNKED + b"1;", b"a"), id="a chunk's extension"),
        pytest.param(dripping(CHUNKED + b"0\r\n", b"A: b\r\n"), id="trailers"),
        pytest.param(dripping(b"", b"\r\n"), id="empty lines"),
    ],
)
async def test_a_drip_ends_at_the_deadline(script: Script) -> None:
    async with target(script) as server:
        run = await run_http(server.url(), within="400ms")
    assert (run.outcome, run.kind) == ("down", "transfer_timeout"), run.verdict.detail
    # Of the 400 ms, a machine that is busy takes some before the request begins.
    assert 250_000 <= run.seen.took_us < 3_000_000
    assert sum((run.seen.phases or {}).values()) == run.seen.took_us


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(CHUNKED + b"-1\r\n", id="a negative chunk"),
        pytest.param(CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n", id="a chunk's size with a prefix"),
        pytest.param(CHUNKED + b"ffffffffffffffffff\r\n", id="a chunk beyond measure"),
        pytest.param(CHUNKED + b"2\r\nokay\r\n0\r\n\r\n", id="a chunk longer than it says"),
        pytest.param(CHUNKED + b" 2\r\nok\r\n0\r\n\r\n", id="a chunk's size after a space"),
        pytest.param(HEAD + b"Content-Length: -2\r\n\r\nok", id="a negative length"),
        pytest.param(HEAD + b"Content-Length: 99999999999999999999\r\n\r\nok", id="a length beyond measure"),
        pytest.param(HEAD + b"Content-Length: two\r\n\r\nok", id="a length in words"),
        pytest.param(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", id="two lengths"),
        pytest.param(HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", id="a length and chunks"),
        pytest.param(HEAD + b"A b: c\r\n\r\n", id="a space in a header's name"),
        pytest.param(HEAD + b"A : c\r\n\r\n", id="a space before the colon"),
        pytest.param(HEAD + b"just a line\r\n\r\n", id="a header without a colon"),
        pytest.param(HEAD + b"A: b\x00c\r\n\r\n", id="a null in a header"),
        pytest.param(HEAD + b"A: b\rc\r\n\r\n", id="a bare return in a header"),
        pytest.param(b"HTTP/1.1 2OO OK\r\n\r\n", id="a status with letters"),
        pytest.param(b"HTTP/1.1 20 OK\r\n\r\n", id="a status of two digits"),
        pytest.param(b"HTTP/1.1  200 OK\r\n\r\n", id="two spaces"),
        pytest.param(b"HTTP/11 200 OK\r\n\r\n", id="a version without a dot"),
        pytest.param(b"http/1.1 200 OK\r\n\r\n", id="a small version"),
        pytest.param(b"ICY 200 OK\r\n\r\n", id="a radio station"),
    ],
)  # fmt: skip
async def test_wrong_framing_is_not_guessed_at(answer: bytes) -> None:
    async with target(answering(answer)) as server:
        run = await run_http(server.url(), within="1s")
    assert (run.outcome, run.kind) == ("down", "protocol_error"), run.verdict.detail


async def test_a_scheme_may_be_written_in_any_case_with_tls_too() -> None:
    async with target(answering(response())) as server:
        run = await run_http(f"HtTpS://127.0.0.1:{server.port}/", within="200ms")
    assert run.kind == "tls_timeout"
    assert "tls" in (run.seen.phases or {})


async def test_body_and_headers_are_matched_both_ways() -> None:
    headers = ("X-Build: 2026.11-rc1", "X-Empty:", "Set-Cookie: a=1; Secure", "Set-Cookie: b=2")
    async with target(answering(response(b"all is well\nversion 7", headers=headers))) as server:
        run = await run_http(
            server.url(),
            "body.matches('version [0-9]+') && !body.matches('(?i)error')",
            "headers['x-build'].matches('^2026') && !headers['x-build'].matches('-rc2$')",
            "!has(headers.missing) && !('missing' in headers) && headers['x-empty'] == ''",
            "headers_all['set-cookie'].exists(c, c.matches('Secure'))",
            "!headers_all['set-cookie'].all(c, c.matches('Secure'))",
            "size(headers_all['set-cookie']) == 2",
        )
        assert run.outcome == "up", run.verdict.detail
        wrong = await run_http(server.url(), "body.matches('error')")
        missing = await run_http(server.url(), "headers['missing'] == 'x'")
    assert wrong.kind == missing.kind == "expectation_failed"
    assert "'missing' was seen" in (missing.verdict.detail or "")


async def test_repeated_headers_and_bytes_are_sent() -> None:
    async with target(answering(response())) as server:
        await run_http(
            server.url(),
            method="POST",
            headers={"X-A": ["1", "2"], "Accept": "text/html", "Host": "shop.example"},
            body_base64="AAEC/w==",
        )
        head = server.heads[0]
    assert head.count(b"X-A: ") == 2
    assert head.count(b"Accept: ") == 1
    assert b"Host: shop.example\r\n" in head
    assert b"Content-Length: 4\r\n" in head


async def test_the_phases_of_each_hop_sum_to_its_time_and_the_hops_to_the_total() -> None:
    routes = {
        "/": response(status="302 Found", headers=("Location: /next",)),
        "/next": response(status="307 Again", headers=("Location: /end",)),
        "/end": response(b"here"),
    }
    async with target(routed(routes)) as server:
        run = await run_http(
            server.url(),
            "size(hops) == 3 && hops[1].status == 307 && hops[2].url.endsWith('/end')",
            "hops.all(h, h.phases.first_byte_ms >= 0.0 && h.addr == '127.0.0.1')",
        )
    assert run.outcome == "up", run.verdict.detail
    hops = run.seen.facts["hops"]
    assert sum(us for hop in hops for us in hop["phases"].values()) == run.seen.took_us
    assert hops[-1]["phases"] == run.seen.phases
    assert all(us >= 0 for hop in hops for us in hop["phases"].values())
    assert run.seen.variables["took_ms"] == run.seen.took_us / 1000
