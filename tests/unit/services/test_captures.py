"""What agents captured, in words; what is of another shape is shown, and never a reason to fail."""

from typing import Any

import msgspec
import pytest

from controller.services.results.captures import capture_in, target_in

ROUTE = {
    "hops": [{"addr": "192.0.2.1", "us": 1500}, None, {"addr": "192.0.2.9", "us": 20_000}],
    "reached": False,
}
DAY = "1970-01-01T00:00:00Z to 1970-01-02T00:00:00Z"
CHAIN = [
    {
        "subject": "CN=shop.example", "issuer": "CN=CA", "sha256": "ab" * 32,
        "not_before": 0, "not_after": 86_400_000_000,
    },
    {"unreadable": 700},
]  # fmt: skip


def words(capture: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    found = capture_in(msgspec.json.encode({"capture": capture}))
    assert found is not None
    assert msgspec.json.decode(found.document) == capture
    return {part.title: part.lines for part in found.parts}


@pytest.mark.parametrize(
    ("capture", "expected"),
    [
        (
            {"route": ROUTE},
            {"route": ("1. 192.0.2.1 1.5ms", "2. no answer", "3. 192.0.2.9 20ms", "the target did not answer")},
        ),
        ({"route": {"fault": "no way"}}, {"route": ("not captured: no way",)}),
        (
            {"resolver": {"server": "10.0.0.1", "addresses": ["192.0.2.7"]}},
            {"another resolver": ("server: 10.0.0.1", "addresses: 192.0.2.7")},
        ),
        (
            {"family": {"tried": "ipv6", "took": 2500, "kind": "no_route"}},
            {"the other address family": ("tried: ipv6", "took: 2.5ms", "kind: no_route")},
        ),
        (
            {"answer": {"chain": CHAIN, "head": {"status": "HTTP/1.1 502"}, "fault": "cut off"}},
            {
                "certificates": (
                    f"CN=shop.example, issued by CN=CA, valid {DAY}, SHA-256 {'ab' * 32}",
                    "a certificate that cannot be read: unreadable 700",
                ),
                "answer": ("not captured: cut off",),
            },
        ),
        ({"cut": ["route"]}, {"cut": ("left out, because the line would have been too long: route",)}),
        ({"fault": "too many at once"}, {"fault": ("too many at once",)}),
        ({"route": 7, "answer": "x", "new": [1, {"a": None}]},
         {"route": ("7",), "answer": ("x",), "new": ("1, a None",)}),
        ({"answer": {"chain": [{"subject": "s", "not_before": 2**70, "not_after": "x"}]}},
         {"certificates": (f"s, issued by None, valid {2**70} us after 1970 to x, SHA-256 None",)}),
    ],
)  # fmt: skip
def test_a_capture_in_words(capture: dict[str, Any], expected: dict[str, tuple[str, ...]]) -> None:
    assert words(capture) == expected


@pytest.mark.parametrize(
    "line",
    [b"{}", b'{"capture": null}', b'{"capture": {}}', b'{"capture": 5}', b"no line", b"\xff"],
)
def test_a_line_without_one(line: bytes) -> None:
    assert capture_in(line) is None


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ({"seq": 5}, 5),
        ({"seq": 2**64}, None),
        ({"seq": "5"}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_failure_that_it_is_of(of: object, expected: int | None) -> None:
    found = capture_in(msgspec.json.encode({"capture": {"of": of, "cut": True}}))
    assert found is not None
    assert found.of_seq == expected


def test_where_a_probe_went() -> None:
    assert target_in(b'{"addr": "192.0.2.7", "attempts": 3}') == ("192.0.2.7", 3)
    assert target_in(b"{}") == ("", 1)
    assert target_in(b'{"addr": 5}') == ("", 1)
