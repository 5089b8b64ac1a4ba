"""The fleet file: read whole, or refused with everything that is wrong with it."""

import pytest
from msgspec import UNSET

from controller.core.fleet import read_fleet
from vedette.shared.documents import BadDocument

GOOD = b"""
version: 1
regions: [{id: fra}, {id: nyc, provider: hetzner, asn: 24940}]
services: [{id: dns}, {id: shop, criticality: critical, depends_on: [dns]}]
checks:
  - {id: home, service: shop, http: {url: "http://shop.example/"}}
  - {id: name, service: dns, regions: [nyc], dns: {name: shop.example}}
"""


def problems_of(text: bytes) -> list[str]:
    with pytest.raises(BadDocument) as caught:
        read_fleet(text, "fleet.yaml")
    return [str(p) for p in caught.value.problems]


def test_a_check_without_regions_runs_in_all() -> None:
    fleet = read_fleet(GOOD, "fleet.yaml")
    assert fleet.checks["home"].regions == ["fra", "nyc"]
    assert fleet.checks["name"].regions == ["nyc"]
    assert fleet.checks["home"].dns is UNSET


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"version: 1", b"version: 2", "fleet.yaml:2: version: expected version: 1, found 2"),
        (b"id: fra", b"id: nyc", "regions[1].id: expected an id of its own, found 'nyc' again"),
        (b"service: shop", b"service: shopp", "checks[0].service: expected a service of this file"),
        (b"[nyc]", b"[sin]", "checks[1].regions[0]: expected a region of this file (fra, nyc)"),
        (b"[dns]", b"[dms]", "services[1].depends_on[0]: expected a service of this file"),
        (b"services:", b"extra: 1\nservices:", "fleet.yaml:4: extra: expected no such key"),
        (b"critical,", b"vital,", "expected one of critical, normal, found 'vital'"),
        (b'http: {url: "http://shop.example/"}', b"every: 60s", "expected exactly one of"),
    ],
)
def test_a_wrong_file_is_refused(old: bytes, new: bytes, problem: str) -> None:
    assert any(problem in p for p in problems_of(GOOD.replace(old, new, 1)))


def test_all_problems_come_at_once() -> None:
    text = GOOD.replace(b"version: 1", b"version: 9").replace(b"[nyc]", b"[sin]")
    assert len(problems_of(text.replace(b"service: shop", b"service: x"))) == 3


@pytest.mark.parametrize("text", [b"[]", b"hello", b"version: 1\nchecks: 5"])
def test_another_kind_of_document_is_refused(text: bytes) -> None:
    assert problems_of(text)


def test_what_hangs_on_a_refused_part_is_not_refused_as_well() -> None:
    text = b"""
version: 1
regions: [{id: fra}]
services: [{id: shop}]
checks:
  - {id: home, service: shopp, every: 60, timeout: 90s, http: {url: "http://shop.example/"}}
contracts:
  - id: k
    effective_from: 0
    scope: {checks: [home]}
    objectives: [{id: a, target: "99.9"}]
"""
    assert [p.split(": expected")[0] for p in problems_of(text)] == [
        "fleet.yaml:6: checks[0].every",
        "fleet.yaml:6: checks[0].service",
    ]


def test_the_default_timeout_fits_the_interval() -> None:
    text = GOOD.replace(b"{id: home, service: shop,", b"{id: home, service: shop, every: 3s,")
    check = read_fleet(text, "fleet.yaml").checks["home"]
    assert (check.timeout_us, check.freshness_us) == (2_400_000, 7_500_000)
    assert read_fleet(GOOD, "fleet.yaml").checks["home"].timeout_us == 10_000_000


ANCHORS = b"""anchors:
  - {tcp: {host: 192.0.2.1, port: 443}}
  - {icmp: {host: 192.0.2.2, count: 1}}
  - {dns: {name: example.com, servers: [192.0.2.3]}}
"""


def test_anchors_are_read_with_the_fleet() -> None:
    fleet = read_fleet(GOOD + ANCHORS, "fleet.yaml")
    assert [one.kind for one in fleet.anchors] == ["tcp", "icmp", "dns"]
    assert read_fleet(GOOD, "fleet.yaml").anchors == ()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"  - {icmp: {host: 192.0.2.2, count: 1}}\n", b"", "anchors: expected 3 to 16 anchors"),
        (b"192.0.2.2,", b"192.0.2.1,", "anchors[1]: expected a target of its own"),
        (b"tcp: {host", b"udp: {host", "anchors[0].udp: expected no such key"),
        (b"port: 443", b"port: 0", "anchors[0].tcp.port: expected"),
        (b"port: 443", b"port: 443, expect: [connected]", "anchors[0].tcp: expected host, port"),
    ],
)
def test_wrong_anchors_are_refused_with_their_place(old: bytes, new: bytes, problem: str) -> None:
    assert any(problem in one for one in problems_of(GOOD + ANCHORS.replace(old, new)))


def test_anchors_that_are_no_list_are_refused() -> None:
    found = problems_of(GOOD + b"anchors: {tcp: 1}\n")
    assert any("anchors: expected a list of anchors" in one for one in found)


def test_a_check_selects_agents_by_labels_that_can_be_labels() -> None:
    chosen = GOOD.replace(b"id: home,", b"id: home, agents: {rack: a7, owner: Ops/1},")
    assert read_fleet(chosen, "fleet.yaml").checks["home"].agents == {
        "rack": "a7",
        "owner": "Ops/1",
    }
    for wrong in (b"{Rack: a}", b"{rack: 'a b'}", b"{rack: 7}", b"[rack]"):
        found = problems_of(GOOD.replace(b"id: home,", b"id: home, agents: " + wrong + b","))
        assert any("checks[0].agents" in one for one in found), found
