"""HTTP probes and names: a resolver that the check chooses, every address, and answers that change."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from agent.core.policy import Policy
from agent.core.verdict import verdict
from agent.probers.http import HttpProber
from agent.probers.network.admission import Admission
from tests.fakes.dns_target import Replies, name_server, reply_to, wire
from tests.fakes.tcp_target import LOOPBACK, Script, TcpTarget, answering, response, silent, target
from tests.unit.probers.http_probing import LOOPBACK_ONLY, check_of, run_http

SHOP = "shop.example."


def zone(*addresses: str, asked: list[str] | None = None) -> Replies:
    """A name server that knows one name, by these addresses."""

    def replies(query: dns.message.QueryMessage) -> list[bytes]:
        question = query.question[0]
        if asked is not None:
            asked.append(question.rdtype.name)
        mine = [
            f"{SHOP} 60 IN {question.rdtype.name} {a}"
            for a in addresses
            if (":" in a) == (question.rdtype == dns.rdatatype.AAAA)
        ]
        return [wire(reply_to(query, mine))]

    return replies


def turning(*answers: str) -> Replies:
    """A name server that gives another address every time it is asked: rebinding."""
    left = list(answers)

    def replies(query: dns.message.QueryMessage) -> list[bytes]:
        if query.question[0].rdtype != dns.rdatatype.A:
            return [wire(reply_to(query, []))]
        return [wire(reply_to(query, [f"{SHOP} 0 IN A {left.pop(0)}"]))]

    return replies


def failing(rcode: dns.rcode.Rcode) -> Replies:
    return lambda query: [wire(reply_to(query, [], rcode))]


def truncated(query: dns.message.QueryMessage) -> list[bytes]:
    return [wire(reply_to(query, [], flags=dns.flags.TC))]


def here(port: int) -> list[str]:
    return [f"{LOOPBACK}:{port}"]


@pytest.mark.parametrize(
    ("family", "asked"),
    [("any", ["A", "AAAA"]), ("ipv4", ["A"])],
)
async def test_the_chosen_resolver_is_asked(family: str, asked: list[str]) -> None:
    seen: list[str] = []
    async with (
        target(answering(response(b"ok"))) as server,
        name_server(zone(LOOPBACK, asked=seen)) as port,
    ):
        run = await run_http(
            server.url(host="shop.example"),
            "addr == '127.0.0.1'",
            family=family,
            resolver=here(port),
        )
        assert b"Host: shop.example:" in server.heads[0]
    assert run.outcome == "up", run.verdict.detail
    assert sorted(seen) == asked
    assert (run.seen.phases or {})["resolve"] > 0


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        pytest.param(failing(dns.rcode.NXDOMAIN), "resolve_not_found", id="no such name"),
        pytest.param(failing(dns.rcode.SERVFAIL), "resolve_failed", id="a failure"),
        pytest.param(failing(dns.rcode.REFUSED), "resolve_failed", id="a refusal"),
        pytest.param(zone(), "resolve_not_found", id="no address"),
        pytest.param(lambda _query: [], "resolve_timeout", id="no reply"),
    ],
)
async def test_a_name_that_is_not_resolved_has_its_kind(replies: Replies, kind: str) -> None:
    async with name_server(replies) as port:
        run = await run_http("http://shop.example/", within="300ms", resolver=here(port))
    assert (run.outcome, run.kind) == ("down", kind), run.verdict.detail
    assert list(run.seen.phases or {}) == ["resolve"]


def odd(change: Callable[[bytearray], object]) -> Replies:
    """A name server whose replies were changed on their way."""

    def replies(query: dns.message.QueryMessage) -> list[bytes]:
        data = bytearray(wire(reply_to(query, [f"{SHOP} 60 IN A 127.0.0.1"])))
        change(data)
        return [bytes(data)]

    return replies


def _pointing_to_itself(data: bytearray) -> None:
    end = data.rindex(b"\xc0\x0c")
    data[end : end + 2] = bytes((0xC0, end))


@pytest.mark.parametrize(
    ("replies", "kind", "said"),
    [
        pytest.param(lambda _query: [b"nonsense"], "resolve_timeout", "what came instead: less than the head", id="no message"),
        pytest.param(odd(lambda data: data.__setitem__(0, data[0] ^ 1)), "resolve_timeout", "what came instead: another id (1)", id="a stranger's"),
        pytest.param(odd(lambda data: data.__setitem__(2, data[2] & 0x7F)), "resolve_timeout", "what came instead: a question (1)", id="an echo"),
        pytest.param(odd(lambda data: data.__setitem__(13, ord("x"))), "resolve_timeout", "what came instead: another question (1)", id="to another question"),
        pytest.param(odd(lambda data: data.__delitem__(slice(30, None))), "resolve_failed", "speaks badly: its reply cannot be read", id="cut in the middle"),
        pytest.param(odd(lambda data: data.extend(b"more")), "resolve_failed", "speaks badly: its reply cannot be read", id="more than a message"),
        pytest.param(odd(_pointing_to_itself), "resolve_failed", "speaks badly: its reply cannot be read", id="a compression loop"),
        pytest.param(odd(lambda data: data.extend(bytes(9000))), "resolve_timeout", "more than 8192 bytes (1)", id="an oversized one"),
        pytest.param(lambda _query: [b"nonsense"] * 100, "resolve_failed", "sent 64 messages that are no reply: less than the head of a message (64)", id="a flood"),
    ],
)  # fmt: skip
async def test_a_resolver_that_speaks_badly_is_told_as_such(
    replies: Replies, kind: str, said: str
) -> None:
    async with name_server(replies) as port:
        run = await run_http(
            "http://shop.example/", within="1s", family="ipv4", resolver=here(port)
        )
    assert (run.outcome, run.kind) == ("down", kind), run.verdict.detail
    assert said in (run.verdict.detail or "")


async def test_a_reply_that_is_cut_short_is_asked_for_again_by_tcp() -> None:
    async with (
        target(answering(response())) as server,
        name_server(truncated, zone(LOOPBACK)) as port,
    ):
        run = await run_http(server.url(host="shop.example"), family="ipv4", resolver=here(port))
    assert run.outcome == "up", run.verdict.detail


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        pytest.param(lambda _query: [bytes(9000)], "has 9000 bytes, and at most 8192 are read", id="too long"),
        pytest.param(lambda _query: [b"nonsense"], "speaks badly: by TCP came less than the head", id="no message"),
        pytest.param(odd(lambda data: data.extend(b"more")), "speaks badly: its reply cannot be read", id="unreadable"),
        pytest.param(lambda _query: [], "closed the connection before it replied", id="nothing"),
    ],
)  # fmt: skip
async def test_a_resolver_that_speaks_badly_by_tcp_is_told_as_such(
    replies: Replies, said: str
) -> None:
    async with name_server(truncated, replies) as port:
        run = await run_http(
            "http://shop.example/", within="1s", family="ipv4", resolver=here(port)
        )
    assert (run.outcome, run.kind) == ("down", "resolve_failed"), run.verdict.detail
    assert said in (run.verdict.detail or "")


async def test_the_next_resolver_is_asked_when_one_is_away() -> None:
    async with (
        target(answering(response())) as server,
        target(silent) as gone,
        name_server(failing(dns.rcode.SERVFAIL)) as broken,
        name_server(zone(LOOPBACK)) as port,
    ):
        resolvers = [*here(gone.port), *here(broken), *here(port)]
        run = await run_http(server.url(host="shop.example"), resolver=resolvers)
    assert run.outcome == "up", run.verdict.detail


async def test_a_resolver_is_held_to_the_policy() -> None:
    run = await run_http("http://shop.example/", resolver=["10.0.0.1"])
    assert (run.outcome, run.kind) == ("agent_error", "policy_refused")
    assert "the name server 10.0.0.1" in (run.verdict.detail or "")


async def test_a_name_that_changes_its_address_reaches_what_was_judged() -> None:
    """Rebinding: one resolution for a hop, and the connection goes where that said."""
    async with (
        target(answering(response(b"ok"))) as server,
        name_server(turning(LOOPBACK, "10.0.0.1")) as port,
    ):
        url = server.url(host="shop.example")
        run = await run_http(url, "addr == '127.0.0.1'", family="ipv4", resolver=here(port))
        assert run.outcome == "up", run.verdict.detail
        again = await run_http(url, family="ipv4", resolver=here(port))
        assert len(server.heads) == 1
    assert (again.outcome, again.kind) == ("agent_error", "policy_refused")


async def test_a_name_that_changes_between_hops_is_judged_anew() -> None:
    away = response(status="302 Found", headers=("Location: /secret",))
    async with (
        target(answering(away)) as server,
        name_server(turning(LOOPBACK, "169.254.169.254")) as port,
    ):
        run = await run_http(server.url(host="shop.example"), family="ipv4", resolver=here(port))
        assert len(server.heads) == 1
    assert (run.outcome, run.kind) == ("agent_error", "policy_refused")
    assert "metadata" in (run.verdict.detail or "")


async def test_a_refused_address_among_others_is_not_connected_to() -> None:
    async with (
        target(answering(response(b"ok"))) as server,
        name_server(zone("10.0.0.1", LOOPBACK)) as port,
    ):
        run = await run_http(
            server.url(host="shop.example"), "addr == '127.0.0.1'", resolver=here(port)
        )
    assert run.outcome == "up", run.verdict.detail


@asynccontextmanager
async def both(one: Script, two: Script) -> AsyncIterator[tuple[TcpTarget, TcpTarget]]:
    """Two servers on one port, at two addresses of the loopback."""
    async with target(one) as first, target(two, host="127.0.0.2", port=first.port) as second:
        yield first, second


ALL = ("127.0.0.1", "127.0.0.2")
FINE = answering(response(b"ok"))


async def test_every_address_is_asked_and_told() -> None:
    async with both(FINE, FINE) as (server, _), name_server(zone(*ALL)) as port:
        run = await run_http(
            server.url(host="shop.example"),
            "body == 'ok'",
            addresses="all",
            resolver=here(port),
        )
    assert run.outcome == "up", run.verdict.detail
    told = run.seen.facts["addresses"]
    assert [(one["addr"], one["status"]) for one in told] == [(addr, 200) for addr in ALL]
    assert run.seen.took_us == max(one["took"] for one in told)


@pytest.mark.parametrize(
    ("other", "kind", "said"),
    [
        pytest.param(answering(), "connection_lost", "at 127.0.0.2: ", id="one hangs up"),
        pytest.param(
            answering(response(status="503 No")), "bad_status", "status is 503", id="one is ill"
        ),
        pytest.param(silent, "first_byte_timeout", "at 127.0.0.2: ", id="one is silent"),
    ],
)
async def test_one_address_that_fails_is_a_failure(other: Script, kind: str, said: str) -> None:
    async with both(FINE, other) as (server, _), name_server(zone(*ALL)) as port:
        run = await run_http(
            server.url(host="shop.example"), within="400ms", addresses="all", resolver=here(port)
        )
    assert (run.outcome, run.kind) == ("down", kind)
    assert said in (run.verdict.detail or "")
    assert run.seen.addr == "127.0.0.2"
    told = run.seen.facts["addresses"]
    assert [one.get("kind") for one in told] == [None, kind]


async def test_any_address_is_enough_by_default() -> None:
    async with target(FINE) as server, name_server(zone("127.0.0.2", LOOPBACK)) as port:
        run = await run_http(server.url(host="shop.example"), resolver=here(port))
    assert run.outcome == "up", run.verdict.detail


async def test_an_address_that_cannot_be_asked_is_not_passed_over() -> None:
    async with target(FINE) as server, name_server(zone(LOOPBACK, "10.0.0.1")) as port:
        url = server.url(host="shop.example")
        run = await run_http(url, addresses="all", resolver=here(port))
    assert (run.outcome, run.kind) == ("agent_error", "policy_refused")
    assert [one.get("kind") for one in run.seen.facts["addresses"]] == [None, "policy_refused"]


async def test_what_is_down_weighs_more_than_what_cannot_be_asked() -> None:
    async with (
        target(answering()) as server,
        name_server(zone("10.0.0.1", LOOPBACK)) as port,
    ):
        url = server.url(host="shop.example")
        run = await run_http(url, addresses="all", resolver=here(port))
    assert (run.outcome, run.kind) == ("down", "connection_lost")


async def test_addresses_are_asked_at_the_same_time() -> None:
    meeting = asyncio.Barrier(2)

    async def waiting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await meeting.wait()
        writer.write(response())

    async with both(waiting, waiting) as (server, _), name_server(zone(*ALL)) as port:
        url = server.url(host="shop.example")
        check = check_of("http", {"url": url, "addresses": "all", "resolver": here(port)})
        seen = await HttpProber(Admission(LOOPBACK_ONLY)).probe(check)
    assert verdict(check, seen).outcome == "up"


async def test_a_numeric_host_has_one_address() -> None:
    async with target(FINE) as server:
        run = await run_http(server.url(), addresses="all")
        refused = await run_http(server.url(), addresses="all", policy=Policy())
    assert run.outcome == "up"
    assert [one["addr"] for one in run.seen.facts["addresses"]] == [LOOPBACK]
    assert refused.kind == "policy_refused"
