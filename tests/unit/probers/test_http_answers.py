"""HTTP probes against servers that behave: statuses, redirects, cookies, bodies, variables."""

import gzip
import json
import zlib

import pytest

from agent.core.policy import Policy
from tests.fakes.tcp_target import answering, response, routed, target
from tests.unit.probers.http_probing import run_http


@pytest.mark.parametrize(
    ("status", "expect", "outcome"),
    [
        pytest.param(200, [], "up", id="200 is fine by default"),
        pytest.param(201, [], "up", id="201 too"),
        pytest.param(299, [], "up", id="299 too"),
        pytest.param(300, [], "down", id="300 leads nowhere"),
        pytest.param(399, [], "down", id="nor does 399"),
        pytest.param(404, [], "down", id="404 is not"),
        pytest.param(500, [], "down", id="500 is not"),
        pytest.param(404, ["status in [200, 404]"], "up", id="a listed 404 is fine"),
        pytest.param(201, ["status in [200, 404]"], "down", id="an unlisted 201 is not"),
        pytest.param(200, ["status == 404"], "down", id="200 is not when 404 is wanted"),
    ],
)
async def test_status_is_judged(status: int, expect: list[str], outcome: str) -> None:
    async with target(answering(response(status=f"{status} Any"))) as server:
        run = await run_http(server.url(), *expect)
    assert run.outcome == outcome
    assert run.kind == (
        None if outcome == "up" else "expectation_failed" if expect else "bad_status"
    )


@pytest.mark.parametrize(("status", "outcome"), [(302, "up"), (300, "up"), (400, "down")])
async def test_a_redirect_that_is_not_followed_is_the_answer(status: int, outcome: str) -> None:
    async with target(answering(response(status=f"{status} Any"))) as server:
        run = await run_http(server.url(), redirects={"follow": False})
    assert run.outcome == outcome


@pytest.mark.parametrize("scheme", ["http://", "HtTp://", ""])
async def test_scheme_may_be_in_any_case_or_missing(scheme: str) -> None:
    async with target(answering(response(b"ok"))) as server:
        run = await run_http(f"{scheme}127.0.0.1:{server.port}/")
    assert run.outcome == "up"


async def test_phases_are_all_there_and_sum_to_the_total() -> None:
    async with target(answering(response(b"ok"))) as server:
        run = await run_http(server.url())
    phases = run.seen.phases
    assert phases is not None
    assert list(phases) == ["resolve", "connect", "send", "first_byte", "transfer"]
    assert all(us >= 0 for us in phases.values())
    assert sum(phases.values()) <= run.seen.took_us
    assert run.seen.variables["phases"]["connect_ms"] == phases["connect"] / 1000


async def test_every_variable_can_be_expected() -> None:
    body = json.dumps({"ok": True, "items": [1, 2]}).encode()
    headers = ("Set-Cookie: a=1", "Set-Cookie: b=2", "X-Empty:")
    async with target(answering(response(body, headers=headers))) as server:
        run = await run_http(
            server.url("/x?q=1"),
            "status == 200 && reason == 'OK' && version == 'HTTP/1.1'",
            "headers['set-cookie'] == 'a=1' && headers_all['set-cookie'] == ['a=1', 'b=2']",
            "headers['x-empty'] == ''",
            "!has(headers.server)",
            "body.matches('\"ok\": *true') && !body.contains('error')",
            f"body_size == {len(body)} && size(body_sha256) == 64",
            "json.ok == true && json.items[1] == 2",
            "size(hops) == 1 && hops[0].status == 200 && hops.all(h, h.addr == addr)",
            f"url.endsWith(':{server.port}/x?q=1') && addr == '127.0.0.1'",
            "phases.first_byte_ms < 5000.0 && took_ms > phases.transfer_ms",
        )
    assert [a.text for a in run.verdict.expectations if not a.holds] == []
    assert run.outcome == "up"


async def test_redirect_is_followed_with_its_cookie_and_each_hop_timed() -> None:
    routes = {
        "/": response(status="302 Found", headers=("Location: /next", "Set-Cookie: s=1; Path=/")),
        "/next": response(b"here"),
    }
    async with target(routed(routes)) as server:
        run = await run_http(server.url(), "size(hops) == 2", "body == 'here'")
        assert b"cookie: s=1" in server.heads[1].lower()
    assert run.outcome == "up"
    assert [hop["status"] for hop in run.seen.facts["hops"]] == [302, 200]


async def test_cookies_do_not_outlive_their_probe() -> None:
    cookie = response(b"", headers=("Set-Cookie: s=1; Path=/",))
    async with target(answering(cookie)) as server:
        await run_http(server.url())
        await run_http(server.url())
        assert b"cookie" not in server.heads[1].lower()


async def test_credentials_do_not_follow_to_another_host() -> None:
    async with target(answering(response(b"ok"))) as other:
        away = response(status="302 Found", headers=(f"Location: http://localhost:{other.port}/",))
        async with target(answering(away)) as server:
            await run_http(server.url(), headers={"Authorization": "Bearer canary"})
            assert b"canary" in server.heads[0]
        assert b"canary" not in other.heads[0]


@pytest.mark.parametrize("most", [0, 3, 10])
async def test_endless_redirects_end_at_the_limit(most: int) -> None:
    loop = response(status="302 Found", headers=("Location: /",))
    async with target(answering(loop)) as server:
        run = await run_http(server.url(), redirects={"max": most})
        assert len(server.heads) == most + 1
    assert (run.outcome, run.kind) == ("down", "too_many_redirects")
    assert len(run.seen.facts.get("hops", [0])) == most + 1
    assert run.seen.variables["status"] == 302


async def test_redirect_is_judged_itself_when_none_is_followed() -> None:
    moved = response(status="301 Moved", headers=("Location: https://[bad/",))
    async with target(answering(moved)) as server:
        run = await run_http(server.url(), "status == 301", redirects={"follow": False})
    assert run.outcome == "up"


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        pytest.param("https://[bad/", "bad_redirect", id="an address that is none"),
        pytest.param("http://127.0.0.1:99999/", "bad_redirect", id="a port out of range"),
        pytest.param("http://127.0.0.1:0/", "bad_redirect", id="port 0"),
        pytest.param("http://127.0.0.1:-1/", "bad_redirect", id="a negative port"),
        pytest.param(f"http://127.0.0.1:{'9' * 5000}/", "bad_redirect", id="an endless port"),
        pytest.param("ftp://127.0.0.1/", "bad_redirect", id="another protocol"),
        pytest.param("http://10.0.0.1/", "policy_refused", id="a private network"),
        pytest.param("http://169.254.169.254/", "policy_refused", id="a metadata address"),
        pytest.param("http://[::ffff:10.0.0.1]/", "policy_refused", id="a mapped private address"),
        pytest.param("http://2130706434/", "policy_refused", id="a number for a loopback address"),
    ],
)
async def test_redirect_is_held_to_the_policy(location: str, kind: str) -> None:
    away = response(status="302 Found", headers=(f"Location: {location}",))
    async with target(answering(away)) as server:
        run = await run_http(server.url(), policy=Policy.of(["127.0.0.1/32"]))
    assert run.kind == kind
    assert run.outcome == ("agent_error" if kind == "policy_refused" else "down")


async def test_nothing_is_sent_to_an_address_that_the_policy_refuses() -> None:
    async with target(answering(response(b"ok"))) as server:
        run = await run_http(server.url(host="localhost"), policy=Policy())
        assert server.heads == []
    assert (run.outcome, run.kind) == ("agent_error", "policy_refused")


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        pytest.param("gzip", gzip.compress(b"hello"), id="gzip"),
        pytest.param(
            "gzip", gzip.compress(b"hel") + gzip.compress(b"lo"), id="gzip of two members"
        ),
        pytest.param("deflate", zlib.compress(b"hello"), id="deflate with header"),
        pytest.param("deflate", zlib.compress(b"hello")[2:-4], id="deflate without header"),
        pytest.param("identity", b"hello", id="identity"),
    ],
)
async def test_compressed_bodies_are_undone(encoding: str, packed: bytes) -> None:
    answer = response(packed, headers=(f"Content-Encoding: {encoding}",))
    async with target(answering(answer)) as server:
        run = await run_http(server.url(), "body == 'hello'", "body_size == 5")
    assert run.outcome == "up"


async def test_encoding_that_was_not_asked_for_is_not_read() -> None:
    answer = response(b"whatever zstd is", headers=("Content-Encoding: zstd",))
    async with target(answering(answer)) as server:
        assert (await run_http(server.url())).outcome == "up"
        run = await run_http(server.url(), "body == 'hello'")
    assert run.verdict.detail == "body == 'hello': body not reached"


async def test_charset_is_respected() -> None:
    answer = response(
        "größe".encode("latin-1"), headers=("Content-Type: text/plain; charset=latin-1",)
    )
    async with target(answering(answer)) as server:
        assert (await run_http(server.url(), "body == 'größe'")).outcome == "up"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + response(b"ok"), id="100 first"),
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + response(b"ok"),
            id="early hints first",
        ),
        pytest.param(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", id="no reason phrase"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nok", id="ended by closing"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nX: y\r\n\r\n",
            id="chunks and a trailer",
        ),
        pytest.param(
            response(b"ok") + b"HTTP/1.1 500 No\r\n\r\nlater", id="more than was announced"
        ),
    ],
)
async def test_unusual_but_correct_answers_are_read(answer: bytes) -> None:
    async with target(answering(answer)) as server:
        run = await run_http(server.url(), "status == 200 && body == 'ok'", "!has(headers.x)")
    assert run.outcome == "up", run.verdict.detail


async def test_head_has_no_body_whatever_its_length_says() -> None:
    async with target(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")) as server:
        run = await run_http(server.url(), "body_size == 0", method="HEAD")
    assert run.outcome == "up"


async def test_method_headers_and_body_are_sent() -> None:
    async with target(answering(response())) as server:
        await run_http(server.url(), method="POST", headers={"X-One": "1"}, body="größe")
        head = server.heads[0]
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert b"X-One: 1\r\n" in head
    assert b"Content-Length: 7\r\n" in head
    assert head.lower().count(b"connection:") == 1


async def test_facts_hold_no_secret() -> None:
    headers = ("Set-Cookie: session=canary", "X-Token: canary")
    async with target(answering(response(b"canary", headers=headers))) as server:
        url = f"http://user:canary@127.0.0.1:{server.port}/p?token=canary&q"
        run = await run_http(
            url, "body == 'x'", "headers['x-token'] == 'x'", headers={"X-Key": "canary"}
        )
    assert "canary" not in f"{run.seen.facts} {run.verdict.detail}"
    assert "session" not in f"{run.seen.facts}"
    assert run.seen.facts["url"].endswith("/p?token=*&*")
    assert run.seen.facts["headers"] == ["set-cookie", "x-token", "content-length"]


async def test_json_of_a_large_body_is_not_parsed() -> None:
    large = b"[" + b"[]," * 100_000 + b"[]]"
    async with target(answering(response(large))) as server:
        run = await run_http(server.url(), "json[0] == []")
    assert run.kind == "expectation_failed"
    assert "json" not in run.seen.variables


async def test_the_checks_own_headers_stay_with_its_own_host() -> None:
    async with target(answering(response())) as other:
        away = response(status="302 Found", headers=(f"Location: http://localhost:{other.port}/",))
        async with target(answering(away)) as server:
            run = await run_http(server.url(), headers={"X-Api-Key": "canary", "Accept": "a/b"})
    assert run.outcome == "up", run.verdict.detail
    assert b"canary" in server.heads[0]
    assert b"canary" not in other.heads[0]
    assert b"a/b" in other.heads[0]
