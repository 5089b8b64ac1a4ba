"""SOA serials over all name servers of a zone, on loopback addresses that share a port."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import dns.message
import dns.rcode
import dns.rrset

from agent.core.terms import PortRange, Terms
from tests.fakes.dns_target import Replies, name_server, wire
from tests.unit.probers.dns_probing import Query, run_dns
from tests.unit.probers.http_probing import LOOPBACK_ONLY

SOA = "ns1.example.com. root.example.com. {serial} 7200 3600 86400 60"


def serving(serial: int | None, addresses: dict[str, str]) -> Replies:
    """A server of example.com; `serial` None means that it does not serve the zone."""

    def replies(query: Query) -> list[bytes]:
        made = dns.message.make_response(query)
        question = query.question[0]
        kind, name = question.rdtype.name, question.name.to_text()
        records: list[tuple[str, str, str]] = []
        if kind == "SOA" and serial is not None:
            records = [("example.com.", "SOA", SOA.format(serial=serial))]
        elif kind == "NS":
            records = [("example.com.", "NS", host) for host in addresses]
        elif kind == "A" and name in addresses:
            records = [(name, "A", addresses[name])]
        elif kind == "A":
            records = [(name, "A", "192.0.2.1")]
        if kind == "SOA" and serial is None:
            made.set_rcode(dns.rcode.REFUSED)
        is_above = bool(records) and name != records[0][0]
        section = made.authority if is_above else made.answer
        section += [dns.rrset.from_text(n, 60, "IN", t, d) for n, t, d in records]
        return [wire(made)]

    return replies


@asynccontextmanager
async def servers(*serials: int | None) -> AsyncIterator[int]:
    """One server an address 127.0.0.1, .2, ...; the first one also says where the others are."""
    addresses = {f"ns{n}.example.com.": f"127.0.0.{n}" for n in range(1, len(serials) + 1)}
    async with AsyncExitStack() as stack:
        port = 0
        for address, serial in zip(addresses.values(), serials, strict=True):
            replies = serving(serial, addresses)
            server = name_server(replies, address=address, port=port)
            port = await stack.enter_async_context(server)
        yield port


async def test_equal_serials_are_up() -> None:
    async with servers(1000, 1000, 1000) as port:
        run = await run_dns(
            port,
            "serials_equal && serials['ns2.example.com'] == 1000 && size(serials) == 3",
            serials=True,
        )
    assert run.outcome == "up", run.verdict.detail
    assert "serials" in (run.seen.phases or {})
    assert run.seen.facts["zone"] == "example.com."


async def test_a_name_within_the_zone_leads_to_its_zone() -> None:
    async with servers(1000, 1000) as port:
        run = await run_dns(port, serials=True, name="www.example.com")
    assert run.outcome == "up", run.verdict.detail


async def test_serials_that_differ_are_down_by_default() -> None:
    async with servers(1000, 999) as port:
        run = await run_dns(port, serials=True)
        wanted = await run_dns(port, "rcode == 'NOERROR'", serials=True)
    assert (run.outcome, run.kind) == ("down", "serials_differ")
    assert run.seen.facts["serials"] == {"ns1.example.com": 1000, "ns2.example.com": 999}
    assert wanted.outcome == "up"


async def test_a_server_without_the_zone_has_no_serial() -> None:
    async with servers(1000, None) as port:
        run = await run_dns(
            port, "serials['ns2.example.com'] == null", "!serials_equal", serials=True
        )
    assert run.outcome == "up", run.verdict.detail
    assert "REFUSED" in run.seen.facts["serials_missing"]["ns2.example.com"]


async def test_a_zone_without_name_servers_or_soa_is_a_bad_reply() -> None:
    def bare(query: Query) -> list[bytes]:
        made = dns.message.make_response(query)
        if query.question[0].rdtype.name == "A":
            made.answer.append(dns.rrset.from_text("example.com.", 60, "IN", "A", "192.0.2.1"))
        return [wire(made)]

    async with name_server(bare) as port:
        run = await run_dns(port, serials=True)
    assert (run.outcome, run.kind) == ("down", "bad_reply")
    assert "zone of example.com. was not found" in (run.verdict.detail or "")


async def test_a_name_server_in_a_forbidden_network_is_not_asked() -> None:
    addresses = {"ns1.example.com.": "10.0.0.1"}
    async with name_server(serving(1000, addresses)) as port:
        run = await run_dns(port, serials=True)
    assert (run.outcome, run.kind) == ("agent_error", "policy_refused")


async def test_a_name_server_on_a_forbidden_port_is_not_asked() -> None:
    addresses = {"ns1.example.com.": "127.0.0.1"}
    terms = Terms(ports_denied=(PortRange(53, 53),))
    policy = replace(LOOPBACK_ONLY, terms=terms)
    async with name_server(serving(1000, addresses)) as port:
        servers_with_port = [f"127.0.0.1:{port}"]
        run = await run_dns(53, serials=True, servers=servers_with_port, policy=policy)
    assert (run.outcome, run.kind) == ("agent_error", "policy_port")
