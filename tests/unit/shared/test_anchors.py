"""Anchors as they stand in the fleet file and on the wire."""

from typing import Any

import msgspec
import pytest

from vedette.shared.anchors import (
    Anchor,
    anchor_interval_us,
    anchor_problems,
    anchors_problems,
    decode_anchor,
    encode_anchor,
)

SECOND = 1_000_000


def anchor(**probe: Any) -> Anchor:
    return msgspec.convert(probe, Anchor)


TCP = {"tcp": {"host": "192.0.2.1", "port": 443}}
ICMP = {"icmp": {"host": "2001:db8::1", "count": 1, "family": "ipv6"}}
DNS = {"dns": {"name": "example.com", "servers": ["192.0.2.3"]}}


@pytest.mark.parametrize("probe", [TCP, ICMP, DNS])
def test_an_anchor_survives_the_wire(probe: dict[str, Any]) -> None:
    one = anchor(**probe)
    assert anchor_problems(one) == []
    assert decode_anchor(encode_anchor(one)) == one


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        ({}, "exactly one of tcp, icmp, dns"),
        ({**TCP, **ICMP}, "exactly one of tcp, icmp, dns"),
        ({"tcp": {"host": "192.0.2.1", "port": 25, "starttls": "smtp"}}, "has to answer"),
        ({"icmp": {"host": "192.0.2.1", "count": 1, "expect": ["loss < 1.0"]}}, "no expectations"),
        ({"icmp": {"host": "192.0.2.1", "count": 100}}, "fit into the timeout (3s)"),
        ({"tcp": {"host": "not a host", "port": 1}}, "a name with labels"),
    ],
)
def test_what_cannot_be_an_anchor_is_refused(probe: dict[str, Any], expected: str) -> None:
    one = anchor(**probe)
    assert any(expected in problem[1] for problem in anchor_problems(one))
    with pytest.raises(ValueError, match="expected"):
        decode_anchor(encode_anchor(one))


def test_s10_there_are_at_least_three_and_each_is_another_host() -> None:
    three = [anchor(**TCP), anchor(**ICMP), anchor(**DNS)]
    assert anchors_problems([]) == anchors_problems(three) == []
    assert "3 to 16 anchors" in anchors_problems(three[:2])[0][1]
    assert "3 to 16 anchors" in anchors_problems(three * 6)[0][1]
    again = anchors_problems([*three, anchor(icmp={"host": "192.0.2.1", "count": 1})])
    assert [(path, found) for path, _, found in again] == [((3,), "192.0.2.1 again")]


@pytest.mark.parametrize(
    ("intervals", "expected"), [([], 20), ([1], 5), ([60, 12], 12), ([60], 20), ([5], 5)]
)
def test_rounds_follow_the_quickest_check_within_bounds(
    intervals: list[int], expected: int
) -> None:
    assert anchor_interval_us([i * SECOND for i in intervals]) == expected * SECOND
