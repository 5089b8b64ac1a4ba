"""DNSSEC: chains of zones that the test signs itself, whole and broken in one place each."""

import dns.dnssec
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from tests.fakes.dns_target import Replies, name_server, wire
from tests.fakes.signed_zones import Resolver, SignedZone, name_of
from tests.unit.probers.dns_probing import Query, run_dns
from tests.unit.probers.http_probing import Run

LEAF = [
    "example.com. 3600 A 192.0.2.1",
    "ns1.example.com. 3600 A 127.0.0.1",
    "www.example.com. 300 CNAME example.com.",
    "*.wild.example.com. 60 A 192.0.2.9",
    "deep.below.example.com. 60 A 192.0.2.3",
    "elsewhere.example.com. 60 CNAME host.plain.com.",
]
PLAIN = SignedZone("plain.com.", ["host.plain.com. 60 A 192.0.2.8"], is_signed=False)


def world(leaf: SignedZone, *, with_ds: bool = True, opt_out: bool = False) -> list[SignedZone]:
    """The root, com. and `leaf` under it; plain.com. beside it is not signed."""
    com = ["plain.com. 3600 NS ns1.plain.com.", "example.com. 3600 NS ns1.example.com."]
    com += [leaf.ds()] if with_ds else []
    tld = SignedZone("com.", com, nsec3=opt_out, opt_out=opt_out)
    root = SignedZone(".", ["com. 3600 NS ns1.com.", tld.ds()])
    return [root, tld, leaf, PLAIN]


async def run_in(zones: list[SignedZone], *expect: str, **question: str) -> Run:
    return await run_by(Resolver(zones), zones[0].anchor(), *expect, **question)


async def run_by(replies: Replies, anchor: str | None, *expect: str, **question: str) -> Run:
    name, kind = question.get("name", "example.com"), question.get("type", "A")
    dnssec = {"anchors": [anchor]} if anchor is not None else {}
    async with name_server(replies) as port:
        return await run_dns(port, *expect, within="10s", name=name, type=kind, dnssec=dnssec)


def state_of(run: Run) -> tuple[object, object]:
    found = run.seen.variables.get("dnssec", {})
    return found.get("state"), found.get("reason")


@pytest.fixture(params=["nsec", "nsec3"])
def leaf(request: pytest.FixtureRequest) -> SignedZone:
    return SignedZone("example.com.", LEAF, nsec3=request.param == "nsec3")


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        pytest.param("example.com", "A", "NOERROR", id="an answer"),
        pytest.param("www.example.com", "A", "NOERROR", id="an alias"),
        pytest.param("x.y.wild.example.com", "A", "NOERROR", id="a wildcard"),
        pytest.param("deep.below.example.com", "A", "NOERROR", id="below an empty name"),
        pytest.param("example.com", "MX", "NOERROR", id="no such type"),
        pytest.param("below.example.com", "A", "NOERROR", id="an empty name"),
        pytest.param("x.wild.example.com", "MX", "NOERROR", id="a wildcard without the type"),
        pytest.param("nothing.example.com", "A", "NXDOMAIN", id="no such name"),
        pytest.param("a.b.c.nothing.example.com", "A", "NXDOMAIN", id="no such name, deep"),
        pytest.param("example.com", "DS", "NOERROR", id="a DS record"),
        pytest.param("example.com", "DNSKEY", "NOERROR", id="keys"),
    ],
)
async def test_a_whole_chain_is_secure(leaf: SignedZone, name: str, kind: str, rcode: str) -> None:
    run = await run_in(
        world(leaf),
        f"rcode == '{rcode}' && dnssec.state == 'secure'",
        "dnssec.days_left > 29.0 && dnssec.days_left < 31.0",
        name=name,
        type=kind,
    )
    assert run.outcome == "up", (run.verdict.detail, state_of(run))
    assert run.seen.variables["dnssec"]["zones"][:2] == [".", "com."]
    assert "dnssec" in (run.seen.phases or {})


async def test_an_anchor_may_be_of_the_zone_itself_and_a_ds_record() -> None:
    leaf = SignedZone("example.com.", LEAF)
    anchor = leaf.ds().replace(" 3600 ", " ")
    run = await run_by(Resolver([leaf]), anchor)
    assert run.outcome == "up", (run.verdict.detail, state_of(run))


async def test_the_days_are_those_of_the_signature_that_expires_first() -> None:
    run = await run_in(world(SignedZone("example.com.", LEAF, days=3)), "dnssec.days_left < 3.1")
    assert run.outcome == "up", run.verdict.detail


async def test_a_zone_without_ds_record_is_insecure() -> None:
    leaf = SignedZone("example.com.", LEAF)
    run = await run_in(world(leaf, with_ds=False), "dnssec.state == 'insecure'")
    assert run.outcome == "up", state_of(run)
    opted_out = await run_in(world(leaf, with_ds=False, opt_out=True), "dnssec.state == 'insecure'")
    assert opted_out.outcome == "up", state_of(opted_out)
    by_default = await run_in(world(leaf, with_ds=False))
    assert (by_default.outcome, by_default.kind) == ("down", "dnssec_invalid")


async def test_an_alias_into_an_unsigned_zone_is_insecure() -> None:
    run = await run_in(world(SignedZone("example.com.", LEAF)), name="elsewhere.example.com")
    assert state_of(run)[0] == "insecure"


async def test_another_key_than_the_anchor_names_is_bogus() -> None:
    zones = world(SignedZone("example.com.", LEAF))
    run = await run_by(Resolver(zones), SignedZone(".").anchor())
    assert state_of(run)[0] == "bogus"
    assert (run.outcome, run.kind) == ("down", "dnssec_invalid")


async def test_an_expired_signature_is_bogus_and_the_days_are_negative() -> None:
    run = await run_in(world(SignedZone("example.com.", LEAF, days=-2)))
    assert state_of(run)[0] == "bogus"
    assert "expired" in str(state_of(run)[1])
    assert run.seen.variables["dnssec"]["days_left"] < -1


async def test_a_ds_record_of_another_key_is_bogus() -> None:
    zones = world(SignedZone("example.com.", LEAF))
    zones[2] = SignedZone("example.com.", LEAF)
    assert state_of(await run_in(zones))[0] == "bogus"


@pytest.mark.parametrize(
    ("name", "kind", "drop"),
    [
        pytest.param("example.com", "A", dns.rdatatype.RRSIG, id="no signatures"),
        pytest.param("nothing.example.com", "A", dns.rdatatype.NSEC, id="no proof of absence"),
        pytest.param("example.com", "MX", dns.rdatatype.NSEC, id="no proof of no data"),
        pytest.param("x.wild.example.com", "A", dns.rdatatype.NSEC, id="a wildcard unproven"),
        pytest.param("example.com", "A", dns.rdatatype.DNSKEY, id="no keys"),
    ],
)
async def test_what_is_missing_is_bogus(
    name: str, kind: str, drop: dns.rdatatype.RdataType
) -> None:
    zones = world(SignedZone("example.com.", LEAF))
    resolver = Resolver(zones, drop={drop})
    run = await run_by(resolver, zones[0].anchor(), name=name, type=kind)
    assert state_of(run)[0] == "bogus", state_of(run)


async def test_a_forged_record_under_an_honest_signature_is_bogus() -> None:
    zones = world(SignedZone("example.com.", LEAF))
    honest = Resolver(zones)

    def forging(query: Query) -> list[bytes]:
        message = dns.message.from_wire(honest(query)[0])
        if query.question[0].rdtype == dns.rdatatype.A:
            (rrset,) = (r for r in message.answer if r.rdtype == dns.rdatatype.A)
            message.answer[message.answer.index(rrset)] = dns.rrset.from_text(
                rrset.name, rrset.ttl, "IN", "A", "203.0.113.66"
            )
        return [wire(message)]

    run = await run_by(forging, zones[0].anchor())
    assert state_of(run)[0] == "bogus"


async def test_a_denial_of_another_name_proves_nothing() -> None:
    zones = world(SignedZone("example.com.", LEAF))
    honest = Resolver(zones)

    def other(query: Query) -> list[bytes]:
        question = query.question[0]
        if question.name != name_of("example.com"):
            return honest(query)
        if question.rdtype != dns.rdatatype.A:
            return honest(query)
        swapped = dns.message.make_query("nothing.example.com", "A", want_dnssec=True)
        message = dns.message.from_wire(honest(swapped)[0])
        message.id, message.question = query.id, query.question
        return [wire(message)]

    run = await run_by(other, zones[0].anchor(), "dnssec.state == 'bogus'")
    assert run.outcome == "up", state_of(run)


async def test_what_a_validating_resolver_hides_is_seen() -> None:
    zones = world(SignedZone("example.com.", LEAF, days=-2))
    honest = Resolver(zones)

    def validating(query: Query) -> list[bytes]:
        if query.flags & dns.flags.CD:
            return honest(query)
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.SERVFAIL)
        return [wire(reply)]

    run = await run_by(validating, zones[0].anchor(), "rcode == 'SERVFAIL'")
    assert state_of(run)[0] == "bogus"
    assert "expired" in str(state_of(run)[1])


async def test_a_server_that_does_not_know_the_zones_above_is_indeterminate() -> None:
    zones = world(SignedZone("example.com.", LEAF))
    run = await run_by(Resolver([zones[2]]), zones[0].anchor())
    assert state_of(run)[0] == "indeterminate"
    elsewhere = await run_by(Resolver(zones), SignedZone("example.org.").anchor())
    assert state_of(elsewhere)[0] == "indeterminate"


async def test_nsec3_that_asks_for_endless_hashing_is_not_hashed() -> None:
    leaf = SignedZone("example.com.", LEAF, nsec3=True, iterations=500)
    run = await run_in(world(leaf), name="nothing.example.com")
    assert state_of(run)[0] == "insecure"


async def test_keys_with_one_tag_are_not_tried_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns.dnssec, "key_id", lambda _key: 4711)
    leaf = SignedZone("example.com.", LEAF)
    more = [SignedZone("example.com.") for _ in range(8)]
    keys = [*LEAF, *(f"example.com. 60 DNSKEY {z.dnskey.to_text()}" for z in more)]
    crowded = SignedZone("example.com.", keys, key=leaf.key)
    run = await run_by(Resolver([crowded]), crowded.anchor())
    assert state_of(run)[0] == "bogus"
    assert "arithmetic" in str(state_of(run)[1])


async def test_the_roots_anchors_are_the_default() -> None:
    run = await run_by(Resolver(world(SignedZone("example.com.", LEAF))), None)
    assert state_of(run)[0] == "bogus"
    assert "the anchor" in str(state_of(run)[1])
