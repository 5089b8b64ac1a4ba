"""HTTP probes through a proxy: forwarded, tunnelled, refused."""

import pytest
import trustme

from agent.core.policy import Policy
from tests.fakes.http_proxy import http_proxy
from tests.fakes.tcp_target import Script, answering, response, silent, stalling, target
from tests.unit.probers.http_probing import run_http
from tests.unit.probers.tls_serving import pem, served


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def test_a_plain_request_is_forwarded_with_the_whole_address() -> None:
    async with target(answering(response(b"ok"))) as server, http_proxy() as proxy:
        url = f"http://shop.example:{server.port}/x?y=1"
        run = await run_http(url, "body == 'ok'", proxy=proxy.url)
        assert proxy.heads[0].startswith(f"GET {url} HTTP/1.1\r\n".encode())
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {}) == ["resolve", "connect", "send", "first_byte", "transfer"]


async def test_tls_goes_through_a_tunnel(authority: trustme.CA) -> None:
    context = served(authority, "shop.example")
    async with target(answering(response(b"ok")), context) as server, http_proxy() as proxy:
        run = await run_http(
            f"https://shop.example:{server.port}/",
            "tls.verified && body == 'ok'",
            proxy=proxy.url,
            tls={"ca": pem(authority)},
        )
        assert proxy.heads[0].startswith(f"CONNECT shop.example:{server.port} ".encode())
        assert proxy.heads[0].count(b"\r\n") == 3
        assert server.heads[0].startswith(b"GET / HTTP/1.1\r\n")
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {})[1:3] == ["connect", "tls"]
    assert sum((run.seen.phases or {}).values()) == run.seen.took_us


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_proxy_alone_hears_its_password(authority: trustme.CA, scheme: str) -> None:
    context = served(authority, "shop.example") if scheme == "https" else None
    async with target(answering(response()), context) as server, http_proxy() as proxy:
        run = await run_http(
            f"{scheme}://shop.example:{server.port}/",
            proxy=proxy.url.replace("://", "://jo:canary@"),
            tls={"ca": pem(authority)},
        )
        assert b"Proxy-Authorization: Basic am86Y2FuYXJ5\r\n" in proxy.heads[0]
        if scheme == "https":
            assert b"roxy-" not in server.heads[0]
    assert run.outcome == "up", run.verdict.detail
    assert "canary" not in f"{run.seen.facts} {run.verdict.detail}"


@pytest.mark.parametrize(
    ("status", "outcome", "kind"),
    [
        pytest.param("407 Who?", "agent_error", "proxy_failed", id="who are you"),
        pytest.param("403 No", "agent_error", "proxy_failed", id="not there"),
        pytest.param("200\t", "agent_error", "proxy_failed", id="garbage"),
        pytest.param("502 Bad Gateway", "down", "unreachable", id="the target is not reached"),
        pytest.param("504 Timeout", "down", "unreachable", id="the target does not answer"),
    ],
)
async def test_a_tunnel_that_is_refused(status: str, outcome: str, kind: str) -> None:
    answer = b"nonsense\r\n\r\n" if "\t" in status else response(status=status)
    async with http_proxy(answer) as proxy:
        run = await run_http("https://shop.example/", proxy=proxy.url)
    assert (run.outcome, run.kind) == (outcome, kind), run.verdict.detail
    assert list(run.seen.phases or {}) == ["resolve", "connect"]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        pytest.param(silent, "connect_timeout", id="it opens no way in time"),
        pytest.param(stalling(b"HTTP/1.1 200"), "connect_timeout", id="it stops half way"),
        pytest.param(answering(), "proxy_failed", id="it hangs up"),
    ],
)
async def test_a_tunnel_that_does_not_come_about(script: Script, kind: str) -> None:
    async with target(script) as proxy:
        run = await run_http("https://shop.example/", within="200ms", proxy=proxy.url())
    assert run.kind == kind, run.verdict.detail


async def test_a_proxy_that_is_away_is_not_the_targets_fault() -> None:
    async with target(silent) as gone:
        url = gone.url("")
    run = await run_http("http://shop.example/", proxy=url)
    assert (run.outcome, run.kind) == ("agent_error", "proxy_failed")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        pytest.param("http://shop.example/", "10.0.0.0/8", id="the proxy's address"),
        pytest.param("http://10.0.0.1/", "127.0.0.0/8", id="a target written as an address"),
        pytest.param("http://0xa.1/", "127.0.0.0/8", id="a target written as a strange address"),
        pytest.param("https://[::ffff:10.0.0.1]/", "127.0.0.0/8", id="a mapped one"),
    ],
)
async def test_the_policy_judges(url: str, allowed: str) -> None:
    async with http_proxy() as proxy:
        run = await run_http(url, proxy=proxy.url, policy=Policy.of([allowed]))
        assert proxy.heads == []
    assert (run.outcome, run.kind) == ("agent_error", "policy_refused")


@pytest.mark.parametrize(
    ("script", "outcome", "kind"),
    [
        pytest.param(
            answering(response(status="407 Who?")), "agent_error", "proxy_failed", id="407"
        ),
        pytest.param(answering(), "agent_error", "proxy_failed", id="it hangs up"),
        pytest.param(answering(response(status="502 No")), "down", "bad_status", id="502"),
    ],
)
async def test_a_plain_request_that_the_proxy_does_not_pass_on(
    script: Script, outcome: str, kind: str
) -> None:
    async with target(script) as proxy:
        run = await run_http("http://shop.example/", proxy=proxy.url(""))
    assert (run.outcome, run.kind) == (outcome, kind), run.verdict.detail
