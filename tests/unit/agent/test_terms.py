"""A site's terms: each refusal of a check as it is defined, with its kind and its words."""

from typing import Any

import msgspec
import pytest

from agent.core.terms import (
    PortRange,
    Rate,
    Sizes,
    Terms,
    methods_of,
    ports_of,
    refusal_of,
    targets_of,
)
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure

WEB = {"http": {"url": "https://shop.example:8443/health"}}


def check(probe: dict[str, Any]) -> Check:
    return msgspec.convert({"id": "c", "service": "s", **probe}, Check)


def terms(**what: Any) -> Terms:
    return Terms(**what)


def ports(*texts: str) -> tuple[PortRange, ...]:
    return tuple(PortRange.of(text) for text in texts)


@pytest.mark.parametrize(
    "probe",
    [WEB, {"dns": {"name": "a.example"}}, {"icmp": {"host": "a.example", "count": 100}},
     {"tcp": {"host": "a.example", "port": 25}}, {"http": {"url": "http://a/", "method": "DELETE"}}],
)  # fmt: skip
def test_a_site_that_says_nothing_agrees_to_every_check(probe: dict[str, Any]) -> None:
    assert refusal_of(check(probe), Terms()) is None


@pytest.mark.parametrize(
    ("probe", "agreed", "kind", "words"),
    [
        pytest.param(WEB, terms(is_paused=True), Failure.POLICY_PAUSED, "paused all", id="switch"),
        pytest.param(
            {"icmp": {"host": "a"}}, terms(kinds=frozenset({"http", "dns"})),
            Failure.POLICY_KIND, "runs no icmp probes (dns, http only)", id="kind",
        ),
        pytest.param(
            WEB, terms(ports_allowed=ports("80", "443", "8000-8100")), Failure.POLICY_PORT,
            "port 8443 is none of those that this site allows (80, 443, 8000-8100)", id="port",
        ),
        pytest.param(
            WEB, terms(ports_denied=ports("8400-8500")), Failure.POLICY_PORT,
            "port 8443 is one that this site denies", id="denied port",
        ),
        pytest.param(
            {"http": {"url": "https://a/", "resolver": ["192.0.2.1:5353"]}},
            terms(ports_denied=ports("5353")), Failure.POLICY_PORT, "port 5353", id="resolver's",
        ),
        pytest.param(
            {"http": {"url": "https://a/", "proxy": "http://proxy.example:3128"}},
            terms(ports_denied=ports("3128")), Failure.POLICY_PORT, "port 3128", id="proxy's",
        ),
        pytest.param(
            {"dns": {"name": "a", "servers": ["192.0.2.1", "[2001:db8::1]:5300"]}},
            terms(ports_allowed=ports("53")), Failure.POLICY_PORT, "port 5300", id="server's",
        ),
        pytest.param(
            {"http": {"url": "https://a/", "method": "DELETE"}},
            terms(methods=frozenset({"GET", "HEAD"})), Failure.POLICY_METHOD,
            "sends no DELETE requests (GET, HEAD only)", id="method",
        ),
        pytest.param(
            {"http": {"url": "https://a/", "method": "POST"}}, terms(methods=frozenset({"POST"})),
            Failure.POLICY_METHOD, "sends no GET requests", id="a redirect of a POST is a GET",
        ),
        pytest.param(
            {"http": {"url": "https://a/", "auth": {"oauth2": {
                "token_url": "https://t/", "client_id": "i", "client_secret": "s"}}}},
            terms(methods=frozenset({"GET"})), Failure.POLICY_METHOD, "sends no POST", id="token's",
        ),
        pytest.param(
            WEB, terms(sizes=Sizes(response_body_bytes=65536)), Failure.POLICY_SIZE,
            "reads at most 65536 bytes of a body, and the check asks for 1048576", id="answer",
        ),
        pytest.param(
            {"http": {"url": "https://a/", "method": "POST", "body": "x" * 11}},
            terms(sizes=Sizes(request_body_bytes=10)), Failure.POLICY_SIZE,
            "sends at most 10 bytes of a body, and the check asks for 11", id="request",
        ),
        pytest.param(
            {"http": {"url": "https://a/", "method": "POST", "body_base64": "eHh4eHh4eHh4eHh4"}},
            terms(sizes=Sizes(request_body_bytes=10)), Failure.POLICY_SIZE, "asks for 12",
            id="request of bytes",
        ),
        pytest.param(
            {"icmp": {"host": "a", "size": 1400}}, terms(sizes=Sizes(icmp_payload_bytes=100)),
            Failure.POLICY_SIZE, "at most 100 bytes in a packet, and the check asks for 1400",
            id="packet",
        ),
        pytest.param(
            {"icmp": {"host": "a", "count": 20}}, terms(sizes=Sizes(icmp_count=10)),
            Failure.POLICY_SIZE, "at most 10 echo requests in a run", id="packets",
        ),
    ],
)  # fmt: skip
def test_what_a_site_does_not_agree_to_is_refused_by_its_kind(
    probe: dict[str, Any], agreed: Terms, kind: Failure, words: str
) -> None:
    refusal = refusal_of(check(probe), agreed)
    assert refusal is not None
    assert refusal.kind is kind
    assert refusal.kind.is_agent_fault
    assert words in refusal.detail


def test_ports_methods_and_targets_are_those_that_a_check_means() -> None:
    plain = check({"http": {"url": "HTTP://Shop.Example./x", "proxy": "https://proxy.example"}})
    assert sorted(ports_of(plain)) == [80, 443]
    assert list(methods_of(plain)) == ["GET"]
    assert targets_of(plain) == ("shop.example",)
    assert targets_of(check({"tcp": {"host": "Db.Example", "port": 5432}})) == ("db.example",)
    two = check({"dns": {"name": "a", "servers": ["192.0.2.1", "192.0.2.1:54", "ns.example"]}})
    assert targets_of(two) == ("192.0.2.1", "ns.example")
    assert targets_of(check({"dns": {"name": "a"}})) == ("the site's name servers",)
    assert list(ports_of(check({"dns": {"name": "a", "servers": ["192.0.2.1"],
                                        "transport": "tls"}}))) == [853]  # fmt: skip


@pytest.mark.parametrize("text", ["", "20", "0/s", "-1/s", "20/d", "1.5/s", "s/20", "20/s/s"])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a rate such as 20/s"):
        Rate.of(text)


@pytest.mark.parametrize("text", ["", "0", "65536", "10-9", "a", "1-", "-1", "1-2-3"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a port or a range"):
        PortRange.of(text)


def test_terms_say_in_words_what_they_are() -> None:
    said = str(terms(kinds=frozenset({"http"}), ports_allowed=ports("80", "8000-8100"),
                     ports_denied=ports("25"), methods=frozenset({"GET"}), is_paused=True,
                     checks_max=7))  # fmt: skip
    assert said == (
        "PAUSED; http only; ports 80, 8000-8100; never ports 25; methods GET; "
        "1000/s in all, 20/s a target, 100/s an address; 7 checks"
    )
