"""The page of `vedette-agent probe`: what each kind of probe shows a person."""

from typing import Any

import pytest
from rich.console import Console

from agent.cli.page import page
from agent.runtime.line import Finding
from tests.unit.probers.http_probing import check_of
from vedette.shared.result import Outcome


def shown(
    of: str, probe: dict[str, object], facts: dict[str, Any], width: int = 120, **finding: Any
) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        found = Finding(
            at_us=0, took_us=1500, lag_us=0, facts=facts, phases={"resolve": 10, "connect": 1490},
            **{"outcome": Outcome.UP, **finding},
        )  # fmt: skip
        console.print(page(check_of(of, probe), found))
    return capture.get()


CAPTURE = {
    "of": {"seq": 1, "at": 0},
    "route": {"to": "192.0.2.7", "reached": False, "hops": [{"addr": "192.0.2.1", "us": 900}, None]},
    "resolver": {"server": "192.0.2.53", "addresses": ["192.0.2.7", "192.0.2.8"]},
    "family": {"tried": "ipv6", "took": 1200, "kind": "connect_refused", "detail": "no\x1b[31m"},
    "answer": {
        "chain": [
            {"subject": "CN=a", "issuer": "CN=b", "sha256": "00", "not_before": 0, "not_after": 86_400_000_000},
            {"unreadable": 12},
        ],
        "head": {"bytes": 5, "http": False, "headers": ["date", "server"]},
        "fault": "closed",
    },
    "cut": ["other"],
}  # fmt: skip


def test_what_was_captured_is_shown_part_by_part() -> None:
    console = Console(width=100, force_terminal=False)
    found = Finding(at_us=0, took_us=1, lag_us=0, outcome=Outcome.DOWN)
    with console.capture() as capture:
        console.print(page(check_of("http", {"url": URL}), found, CAPTURE))
    text = capture.get()
    for line in (
        "route to 192.0.2.7", "  1  192.0.2.1  0.90 ms", "  2  no answer", "  the target did not answer",
        "  addresses  192.0.2.7, 192.0.2.8", "other address family", "  took    1.20 ms", "  detail  no?[31m",
        "  1  CN=a, issued by CN=b, 1970-01-01 to 1970-01-02", "  2  12 bytes that are no certificate",
        "  http     no", "  headers  date, server", "  closed", "left out", "  other",
    ):  # fmt: skip
        assert line in text, text


def test_a_route_that_was_not_seen_says_why() -> None:
    console = Console(width=100, force_terminal=False)
    found = Finding(at_us=0, took_us=1, lag_us=0, outcome=Outcome.DOWN)
    with console.capture() as capture:
        parts = {"route": {"fault": "traces need Linux"}, "fault": "not seen within 4 s"}
        console.print(page(check_of("http", {"url": URL}), found, parts))
    assert "route to the target\n  traces need Linux" in capture.get()
    assert "not seen within 4 s" in capture.get()


DNS = {"name": "example.com", "type": "A", "transport": "udp", "server": "192.0.2.53"}


def test_dns_shows_records_by_section_and_the_proof() -> None:
    text = shown("dns", {"name": "example.com"}, {
        **DNS, "rcode": "NOERROR", "flags": ["qr", "aa"], "answers": ["192.0.2.1"], "count": 3,
        "authority": ["example.com. 60 NS ns1.example.com."],
        "dnssec": {"state": "bogus", "reason": "expired", "days_left": -2.0, "zones": [".", "com."]},
        "zone": "example.com.", "serials": {"ns1.example.com": 7, "ns2.example.com": None},
        "serials_missing": {"ns2.example.com": "REFUSED"},
    })  # fmt: skip
    for line in (
        "answer", "  192.0.2.1", "  ... and 2 more", "authority", "  example.com. 60 NS ns1.example.com.",
        "dnssec", "  state    bogus", "  because  expired", "-2.0 days until the first signature expires",
        "  proven   . > com.", "serials of example.com.", "  ns1.example.com  7", "  ns2.example.com  REFUSED",
    ):  # fmt: skip
        assert line in text, text
    assert "additional" not in text


def test_dns_without_records_and_without_a_reply() -> None:
    empty = shown("dns", {"name": "x"}, {**DNS, "rcode": "NXDOMAIN", "answers": [], "count": 0})
    assert "no records" in empty
    assert "answer" not in shown("dns", {"name": "x"}, DNS)


def test_icmp_shows_every_packet_and_the_statistics() -> None:
    text = shown("icmp", {"host": "192.0.2.7"}, {
        "host": "192.0.2.7", "size": 56, "rtts": [1000, None, 3000], "duplicates": 1,
        "errors": {"1": {"says": "ttl_exceeded", "from": "192.0.2.254"}},
    })  # fmt: skip
    for line in (
        "packets", "1.00 ms", "lost", "ttl exceeded, says 192.0.2.254", "received    2 of 3, 33.3 % lost",
        "p95         3.00 ms", "jitter      2.00 ms", "duplicates  1",
    ):  # fmt: skip
        assert line in text, text


def test_icmp_without_a_reply_shows_no_times() -> None:
    text = shown("icmp", {"host": "x"}, {"host": "x", "size": 56, "rtts": [None] * 15})
    assert "0 of 15, 100.0 % lost" in text
    assert "avg" not in text


def test_tcp_shows_the_dialogue_and_the_certificate() -> None:
    text = shown("tcp", {"host": "x", "port": 25}, {
        "host": "x", "port": 25, "banner": "220 x ESMTP\x1b[31m", "received": 30,
        "dialogue": [{"do": "expect", "took": 900}, {"do": "line", "took": 20, "bytes": 9}],
        "tls": {"version": "TLSv1.3", "cipher": "C", "subject": "CN=x"},
    })  # fmt: skip
    for line in ("dialogue", "  1  expect  0.90 ms", "  2  line    0.02 ms  9 bytes", "CN=x"):
        assert line in text, text
    assert "220 x ESMTP?[31m" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("kind", "probe"),
    [("dns", {"name": "x"}), ("icmp", {"host": "x"}), ("tcp", {"host": "x", "port": 1})],
)
def test_a_probe_that_saw_nothing_has_a_page(kind: str, probe: dict[str, object]) -> None:
    assert " UP " in shown(kind, probe, {})


def test_redirects_say_whose_phases_are_shown() -> None:
    hops = [{"url": "http://a.example/", "status": 301, "phases": {"resolve": 5}}] * 2
    assert "phases of the last hop" in shown("http", {"url": "http://a.example/"}, {"hops": hops})


@pytest.mark.parametrize(("stood_us", "is_told"), [(4_000, False), (6_000, True)])
def test_the_agents_own_standing_still_is_told(stood_us: int, is_told: bool) -> None:
    text = shown("http", {"url": "http://a.example/"}, {}, loop_lag_us=stood_us)
    assert ("this agent itself stood still for 6.00 ms" in text) is is_told


URL = "https://a.example/login?token=s3cr3t"


def test_the_values_of_a_query_are_not_shown() -> None:
    text = shown("http", {"url": URL}, {"status": 200})
    assert "s3cr3t" not in text
    assert "https://a.example/login?token=*" in text


def test_what_to_look_at_is_on_the_page() -> None:
    text = shown(
        "http", {"url": URL}, {}, outcome=Outcome.DOWN, kind="expectation_failed", detail="it is 5"
    )
    assert "look at: the expression and the values in the line above" in text


def test_a_narrow_page_wraps_and_cuts_nothing() -> None:
    path = "/a" * 40
    text = shown("http", {"url": URL}, {
        "hops": [{"url": f"https://a.example{path}", "status": 200, "phases": {}}],
        "tls": {"version": "TLSv1.3", "sha256": "0123456789abcdef" * 4},
    }, width=60)  # fmt: skip
    whole = "".join(text.split())
    assert "0123456789abcdef" * 4 in whole
    assert path in whole
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 60


@pytest.mark.parametrize("unseen", ["\x1b[31m", "\x9b2J", "\u202e", "\u2066"])
def test_what_a_terminal_would_obey_is_not_printed(unseen: str) -> None:
    said = f"a{unseen}b"
    pages = [
        shown("http", {"url": URL}, {"reason": said, "tls": {"subject": said}}),
        shown("tcp", {"host": "x", "port": 1}, {"banner": said}),
        shown("dns", {"name": "x"}, {**DNS, "rcode": "NOERROR", "answers": [said], "count": 1}),
        shown("tcp", {"host": "x", "port": 1}, {}, outcome=Outcome.DOWN, detail=said),
    ]
    for text in pages:
        assert unseen not in text
        assert "a?" in text
