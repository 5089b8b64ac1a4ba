"""DNS, ICMP and TCP definitions: what is taken, and every refusal with its words."""

import msgspec
import pytest

from vedette.shared.definitions import Check, canonical_bytes, decode_check, findings
from vedette.shared.probes import Endpoint
from vedette.shared.probes.endpoint import endpoint_problem


def problems(kind: str, probe: dict[str, object]) -> str:
    try:
        check = msgspec.convert({"id": "c", "service": "s", kind: probe}, Check)
    except msgspec.ValidationError as error:
        return str(error)
    return "; ".join(
        f"{'.'.join(str(p) for p in path)}: expected {expected}, found {found}"
        for path, expected, found in findings(check)
    )


ANCHOR = "example.com. DS 12345 13 2 " + "49FD46E6" * 8


@pytest.mark.parametrize(
    ("kind", "probe"),
    [
        ("dns", {"name": "x", "servers": ["192.0.2.1:5353", "[2001:db8::1]:53", "2001:db8::1", "ns.x"]}),
        ("dns", {"name": ".", "type": "NS", "class": "IN", "recursion": False}),
        ("dns", {"name": "x", "transport": "tls", "servers": ["192.0.2.1"], "tls": {"verify": False}}),
        ("dns", {"name": "x", "transport": "https", "servers": ["dns.x"], "path": "/q"}),
        ("dns", {"name": "x", "dnssec": {}}),
        ("dns", {"name": "x", "dnssec": {"anchors": [ANCHOR, ANCHOR.replace(". DS", ". 60 IN DS")]}}),
        ("dns", {"name": "x", "serials": True, "edns": False, "checking_disabled": True}),
        ("icmp", {"host": "x", "size": 8972, "dont_fragment": True, "ttl": 255, "wait": "1s"}),
        ("tcp", {"host": "::1", "port": 22}),
        ("tcp", {"host": "x", "port": 465, "tls": {}, "dialogue": [{"expect": "^220"}]}),
        ("tcp", {"host": "x", "port": 25, "starttls": "smtp", "dialogue": [{"line": "QUIT"}]}),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"expect": "(?P<a>.)"}, {"send": "${a} $$ ${1"}]}),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"expect_bytes": "x", "within": "1s"}, {"hex": "0A"}]}),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"line": ""}, {"starttls": True}], "tls": {}}),
    ],
)  # fmt: skip
def test_what_is_right_is_taken_and_travels(kind: str, probe: dict[str, object]) -> None:
    assert problems(kind, probe) == ""
    check = msgspec.convert({"id": "c", "service": "s", kind: probe}, Check)
    assert decode_check(canonical_bytes(check)) == check


@pytest.mark.parametrize(
    ("kind", "probe", "said"),
    [
        ("dns", {"name": "x", "servers": ["a b"]}, "dns.servers.0: expected a name or an address, with or without"),
        ("dns", {"name": "x", "servers": ["192.0.2.1:0"]}, "expected a port from 1 to 65535"),
        ("dns", {"name": "x", "servers": ["[192.0.2.1]:53"]}, "dns.servers.0"),
        ("dns", {"name": "x", "transport": "tls"}, "dns.servers: expected the servers to ask, with transport: tls"),
        ("dns", {"name": "x", "transport": "doh"}, "transport"),
        ("dns", {"name": "x", "tls": {"verify": False}}, "expected transport tls or https together with tls, found udp"),
        ("dns", {"name": "x", "path": "/q"}, "expected transport https together with path, found udp"),
        ("dns", {"name": "x", "transport": "https", "servers": ["x"], "path": "no slash"}, "path"),
        ("dns", {"name": "x", "dnssec": {}, "edns": False}, "dns.edns: expected edns: true together with dnssec"),
        ("dns", {"name": "x", "dnssec_ok": True, "edns": False}, "together with dnssec_ok"),
        ("dns", {"name": "x", "dnssec": {}, "class": "CH"}, "expected class IN with dnssec, found CH"),
        ("dns", {"name": "x", "dnssec": {}, "type": "ANY"}, "a record type of its own"),
        ("dns", {"name": "x", "dnssec": {"anchors": ["x"]}}, "dns.dnssec.anchors.0: expected a DS or DNSKEY record"),
        ("dns", {"name": "x", "serials": True, "class": "CH"}, "expected class IN with serials"),
        ("dns", {"name": ".".join(["a" * 60] * 5)}, "Expected `str` of length <= 255"),
        ("dns", {"name": ".".join(["a" * 63] * 4)}, "a name of at most 253 characters"),
        ("dns", {"name": "x", "payload": 100}, "payload"),
        ("icmp", {"host": "x", "size": 9000}, "size"),
        ("icmp", {"host": "x", "ttl": 0}, "ttl"),
        ("icmp", {"host": "x", "wait": "20s"}, "icmp.wait: expected a time up to what the requests leave"),
        ("icmp", {"host": "a b"}, "icmp.host"),
        ("tcp", {"host": "x"}, "port"),
        ("tcp", {"host": "a/b", "port": 1}, "tcp.host: expected a name"),
        ("tcp", {"host": "x", "port": 1, "starttls": "pop3"}, "starttls"),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{}]}, "tcp.dialogue.0: expected exactly one of expect, expect_bytes, send, line, hex, starttls, found none"),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"send": "a", "line": "b"}]}, "found send and line"),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"expect": "("}]}, "tcp.dialogue.0.expect: expected a regular expression (missing )"),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"expect": "(a{0,50}){0,15}(a|b|ab)*c"}]}, "a regular expression (of at most 400 steps; this one has 1555: repeat fewer times)"),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"line": "${who}"}]}, "expected a capture of an earlier step (nothing), found ${who}"),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"send": "${1}"}, {"expect": "(.)"}]}, "tcp.dialogue.0.send"),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"hex": "0"}]}, "pairs of hexadecimal digits"),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"line": "a", "within": "1s"}]}, "within only where something is expected"),
        ("tcp", {"host": "x", "port": 1, "dialogue": [{"expect": "a", "within": "20s"}]}, "a time up to the timeout (10s)"),
        ("tcp", {"host": "x", "port": 1, "starttls": "smtp", "dialogue": [{"starttls": True}]}, "one beginning of TLS"),
        ("tcp", {"host": "x", "port": 1, "tls": {"ca": "no"}}, "tcp.tls.ca: expected certificates in PEM"),
        ("tcp", {"host": "x", "port": 1, "dialog": []}, "dialog"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_words(kind: str, probe: dict[str, object], said: str) -> None:
    assert said in problems(kind, probe)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", None),
        ("192.0.2.1:53", "192.0.2.1", 53),
        ("2001:db8::1", "2001:db8::1", None),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("[2001:db8::1]:853", "2001:db8::1", 853),
        ("ns1.example.:5353", "ns1.example.", 5353),
    ],
)
def test_an_endpoint_is_a_host_with_or_without_a_port(
    text: str, host: str, port: int | None
) -> None:
    assert Endpoint.parse(text) == Endpoint(host, port)


@pytest.mark.parametrize("text", ["", ":53", "x:", "x:99999", "[::1", "a b:1", "http://x", "[x]:1"])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    assert endpoint_problem(text)
