"""DNS probes against real name servers on loopback, well-behaved and not."""

import asyncio
from collections.abc import Callable
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from agent.core.policy import Policy
from tests.fakes.dns_target import LOOPBACK, Replies, name_server, reply_to, wire
from tests.unit.probers.dns_probing import Query, honest, run_dns


def with_rcode(rcode: dns.rcode.Rcode) -> Replies:
    return lambda query: [wire(reply_to(query, [], rcode))]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_every_variable_can_be_expected(transport: str) -> None:
    async with name_server(honest) as port:
        run = await run_dns(
            port,
            "rcode == 'NOERROR'",
            "'127.0.0.1' in answers && size(authority) == 0 && size(additional) == 0",
            "'rd' in flags && 'ra' in flags && !('aa' in flags)",
            "records == [{'name': 'example.com.', 'type': 'A', 'ttl': 3600, 'data': '127.0.0.1'}]",
            f"ttl_min == 3600 && server == '{LOOPBACK}' && transport == '{transport}'",
            "took_ms > 0.0",
            transport=transport,
        )
    assert run.outcome == "up", run.verdict.detail
    assert run.seen.facts["answers"] == ["127.0.0.1"]
    reached = ["resolve", "query"] if transport == "udp" else ["resolve", "connect", "query"]
    assert list(run.seen.phases or {}) == reached


@pytest.mark.parametrize(
    ("rcode", "expect", "outcome", "kind"),
    [
        pytest.param(dns.rcode.NXDOMAIN, [], "down", "bad_rcode", id="NXDOMAIN"),
        pytest.param(dns.rcode.SERVFAIL, [], "down", "bad_rcode", id="SERVFAIL"),
        pytest.param(dns.rcode.NOERROR, [], "down", "no_answer", id="no answer"),
        pytest.param(
            dns.rcode.SERVFAIL,
            ["rcode in ['SERVFAIL']"],
            "up",
            None,
            id="a SERVFAIL that is wanted",
        ),
        pytest.param(
            dns.rcode.NXDOMAIN, ["rcode == 'NXDOMAIN'"], "up", None, id="a name that must not exist"
        ),
        pytest.param(
            dns.rcode.NOERROR,
            ["'x' in answers"],
            "down",
            "expectation_failed",
            id="a missing record",
        ),
        pytest.param(
            dns.rcode.NOERROR,
            ["ttl_min > 0"],
            "down",
            "expectation_failed",
            id="no TTL without answer",
        ),
    ],
)
async def test_replies_are_judged(
    rcode: dns.rcode.Rcode, expect: list[str], outcome: str, kind: str | None
) -> None:
    async with name_server(with_rcode(rcode)) as port:
        run = await run_dns(port, *expect)
    assert (run.outcome, run.kind) == (outcome, kind)


@pytest.mark.parametrize("kind", ["SOA", "NS", "TYPE65280"])
async def test_other_types_can_be_asked(kind: str) -> None:
    async with name_server(honest) as port:
        run = await run_dns(port, "rcode == 'NOERROR'", type=kind)
    assert run.outcome == "up"


async def test_another_class_can_be_asked() -> None:
    chaos: dict[str, Any] = {"name": "version.bind", "type": "TXT", "class": "CH"}
    async with name_server(honest) as port:
        run = await run_dns(port, "answers == ['\"one\"']", **chaos)
    assert run.outcome == "up", run.verdict.detail


async def test_recursion_may_be_left_out() -> None:
    def recursive_only(query: Query) -> list[bytes]:
        wants = bool(query.flags & dns.flags.RD)
        return [wire(reply_to(query, rcode=dns.rcode.NOERROR if wants else dns.rcode.REFUSED))]

    async with name_server(recursive_only) as port:
        assert (await run_dns(port)).outcome == "up"
        assert (await run_dns(port, "rcode == 'REFUSED'", recursion=False)).outcome == "up"


async def test_a_truncated_reply_is_asked_for_again_by_tcp() -> None:
    def truncated(query: Query) -> list[bytes]:
        return [wire(reply_to(query, [], flags=dns.flags.TC))]

    async with name_server(truncated, honest) as port:
        run = await run_dns(port, "transport == 'tcp' && '127.0.0.1' in answers")
    assert run.outcome == "up", run.verdict.detail
    assert run.seen.facts["truncated"] is True


def forged(query: Query) -> bytes:
    reply = reply_to(query, ["example.com. 60 IN A 192.0.2.66"])
    reply.id ^= 1
    return wire(reply)


def of_another_question(query: Query) -> bytes:
    other = dns.message.make_query("other.example", "A")
    other.id = query.id
    return wire(reply_to(other, ["other.example. 60 IN A 192.0.2.66"]))


def looping(query: Query) -> bytes:
    """A name that points at itself."""
    return wire(reply_to(query, []))[:12] + b"\xc0\x0c\x00\x01\x00\x01"


def of_another_type(query: Query) -> bytes:
    other = dns.message.make_query("example.com", "AAAA")
    other.id = query.id
    return wire(reply_to(other, []))


def looping_answer(query: Query) -> bytes:
    """An answer whose name points at itself."""
    whole = bytearray(wire(reply_to(query)))
    place = 12 + len("example.com") + 2 + 4
    whole[place : place + 2] = (0xC000 | place).to_bytes(2)
    return bytes(whole)


@pytest.mark.parametrize(
    ("junk", "kind"),
    [
        pytest.param(forged, "query_timeout", id="another id"),
        pytest.param(of_another_question, "query_timeout", id="another question"),
        pytest.param(of_another_type, "query_timeout", id="the same name and another type"),
        pytest.param(lambda q: wire(q), "query_timeout", id="our own query"),
        pytest.param(lambda q: b"", "query_timeout", id="nothing"),
        pytest.param(lambda q: b"\x00" * 11, "query_timeout", id="too short"),
        pytest.param(looping, "query_timeout", id="a compression loop in the question"),
        pytest.param(looping_answer, "bad_reply", id="a compression loop in the answer"),
        pytest.param(lambda q: wire(reply_to(q))[:-3], "bad_reply", id="a cut message"),
        pytest.param(lambda q: wire(reply_to(q)) + b"more", "bad_reply", id="too long"),
    ],
)
async def test_what_is_not_the_reply_is_passed_over(
    junk: Callable[[Query], bytes], kind: str
) -> None:
    async with name_server(lambda q: [junk(q), *honest(q)]) as port:
        run = await run_dns(port, "answers == ['127.0.0.1']")
    assert run.outcome == "up", run.verdict.detail
    async with name_server(lambda q: [junk(q)]) as port:
        run = await run_dns(port, within="100ms")
    assert (run.outcome, run.kind) == ("down", kind)


async def test_what_is_not_the_reply_by_tcp_is_a_bad_reply() -> None:
    async with name_server(honest, lambda q: [looping(q)]) as port:
        run = await run_dns(port, transport="tcp")
    assert (run.outcome, run.kind) == ("down", "bad_reply")


async def test_silence_is_a_timeout() -> None:
    async with name_server(lambda q: []) as port:
        run = await run_dns(port, within="100ms")
    assert (run.outcome, run.kind) == ("down", "query_timeout")
    assert "rcode" not in run.seen.variables


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_closed_port_is_refused(transport: str) -> None:
    async with name_server(honest) as port:
        pass
    run = await run_dns(port, transport=transport)
    assert (run.outcome, run.kind) == ("down", "query_refused")


async def test_closing_without_a_reply_is_a_lost_connection() -> None:
    async with name_server(lambda q: []) as port:
        run = await run_dns(port, transport="tcp")
    assert (run.outcome, run.kind) == ("down", "connection_lost")


async def test_the_next_server_is_asked_when_one_fails() -> None:
    async with name_server(honest) as port:
        run = await run_dns(port, "server == '127.0.0.1'", servers=["127.0.0.2", LOOPBACK])
    assert run.outcome == "up", run.verdict.detail


async def test_chosen_servers_are_held_to_the_policy() -> None:
    run = await run_dns(53, policy=Policy())
    assert (run.outcome, run.kind) == ("agent_error", "policy_refused")


async def test_a_name_that_cannot_be_asked_is_the_checks_fault() -> None:
    run = await run_dns(53, name="xn--é.example")
    assert (run.outcome, run.kind) == ("agent_error", "unrunnable")


async def test_many_records_are_cut_in_the_line() -> None:
    records = [f"example.com. 60 IN A 192.0.2.{n}" for n in range(1, 61)]
    async with name_server(lambda q: [wire(reply_to(q, records))]) as port:
        run = await run_dns(port, "size(answers) == 60")
    assert run.outcome == "up"
    assert len(run.seen.facts["answers"]) == 20
    assert run.seen.facts["count"] == 60


def delegating(query: Query) -> list[bytes]:
    """SOA with its name servers beside it, and their addresses behind."""
    made = reply_to(query)
    for n in (1, 2):
        made.authority.append(
            dns.rrset.from_text("example.com.", 7200, "IN", "NS", f"ns{n}.example.com.")
        )
        made.additional.append(
            dns.rrset.from_text(f"ns{n}.example.com.", 60, "IN", "A", f"192.0.2.{n}")
        )
    return [wire(made)]


@pytest.mark.parametrize(
    ("expect", "outcome"),
    [
        pytest.param("answers.exists(a, a.matches('ns1.* 1000 '))", "up", id="answer must"),
        pytest.param("answers.exists(a, a.matches(' 2000 '))", "down", id="answer must, and does not"),
        pytest.param("!answers.exists(a, a.matches(' 2000 '))", "up", id="answer must not"),
        pytest.param("!answers.exists(a, a.matches(' 1000 '))", "down", id="answer must not, and does"),
        pytest.param("authority.all(a, a.matches('^ns[12]\\\\.example'))", "up", id="authority must"),
        pytest.param("size(authority) == 1", "down", id="authority is another"),
        pytest.param("'192.0.2.2' in additional", "up", id="additional must"),
        pytest.param("!('192.0.2.2' in additional)", "down", id="additional must not, and does"),
        pytest.param("rcode in ['NOERROR', 'NXDOMAIN'] && ttl_min == 3600", "up", id="a list of codes"),
        pytest.param("rcode in ['SERVFAIL', 'NXDOMAIN']", "down", id="a list without the code"),
    ],
)  # fmt: skip
async def test_every_section_can_be_expected_both_ways(expect: str, outcome: str) -> None:
    async with name_server(delegating) as port:
        run = await run_dns(port, expect, type="SOA")
    assert run.outcome == outcome, run.verdict.detail
    assert run.seen.facts["authority"][0] == "example.com. 7200 NS ns1.example.com."
    assert run.seen.facts["additional"][1] == "ns2.example.com. 60 A 192.0.2.2"


@pytest.mark.parametrize(
    ("flag", "probe"),
    [
        ("do", {"dnssec_ok": True}),
        ("cd", {"checking_disabled": True}),
        ("no edns", {"edns": False}),
        ("payload", {"payload": 4096}),
    ],
)
async def test_flags_are_sent_as_the_check_says(flag: str, probe: dict[str, Any]) -> None:
    heard: list[Query] = []

    def listening(query: Query) -> list[bytes]:
        heard.append(query)
        return honest(query)

    async with name_server(listening) as port:
        assert (await run_dns(port, **probe)).outcome == "up"
    (query,) = heard
    assert bool(query.ednsflags & dns.flags.DO) is (flag == "do")
    assert bool(query.flags & dns.flags.CD) is (flag == "cd")
    assert query.edns == (-1 if flag == "no edns" else 0)
    assert query.payload == {"no edns": 0, "payload": 4096}.get(flag, 1232)


async def test_a_flood_of_forgeries_ends_in_silence() -> None:
    async with name_server(lambda q: [forged(q)] * 200) as port:
        run = await run_dns(port, within="100ms")
    assert (run.outcome, run.kind) == ("down", "query_timeout")
    assert "what came instead: another id (64)" in (run.verdict.detail or "")


class Spoofing(asyncio.DatagramProtocol):
    """Hears the question at one address, and has another one reply."""

    def __init__(self, elsewhere: asyncio.DatagramTransport) -> None:
        self.elsewhere = elsewhere
        self.heard = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        assert isinstance(query, dns.message.QueryMessage)
        self.heard += 1
        self.elsewhere.sendto(wire(reply_to(query)), addr)


async def test_a_reply_from_elsewhere_is_not_seen() -> None:
    """The socket is connected: the system drops what another address sends to it."""
    loop = asyncio.get_running_loop()
    elsewhere, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.2", 0)
    )
    server = Spoofing(elsewhere)
    own, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=(LOOPBACK, 0))
    port = own.get_extra_info("sockname")[1]
    run = await run_dns(port, within="100ms")
    own.close()
    elsewhere.close()
    assert server.heard == 1
    assert (run.outcome, run.kind) == ("down", "query_timeout")
    assert "instead" not in (run.verdict.detail or "")
