"""Definitions: durations, canonical bytes, and the rules that span fields."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.shared.definitions import (
    Check,
    canonical_bytes,
    decode_check,
    digest_of,
    findings,
    micros,
)
from vedette.shared.durations import Duration
from vedette.shared.identity import agent_of_uri, agent_uri, is_id


def check_of(**changes: object) -> Check:
    plain = {
        "id": "shop",
        "service": "s",
        "regions": ["a", "b", "c"],
        "http": {"url": "http://shop.example/"},
    }
    return msgspec.convert({**plain, **changes}, Check)


@pytest.mark.parametrize(
    ("text", "us"),
    [("250ms", 250_000), ("60s", 60_000_000), ("5m", 300_000_000), ("24h", 86_400_000_000)],
)
def test_durations_are_microseconds(text: str, us: int) -> None:
    assert micros(text) == us


@given(st.integers(0, 10**15))
def test_a_duration_reads_back_what_it_writes(us: int) -> None:
    assert Duration.parse(str(Duration(us))) == us


@pytest.mark.parametrize("text", ["", "60", "1.5s", "-1s", "1 s", "1w", 60, None])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        Duration.parse(text)


def test_canonical_bytes_read_back_and_leave_defaults_out() -> None:
    check = check_of()
    assert decode_check(canonical_bytes(check)) == check
    assert b"timeout" not in canonical_bytes(check)
    assert len(digest_of(canonical_bytes(check))) == 64


def test_a_default_written_out_makes_no_revision() -> None:
    plain, loud = check_of(), check_of(every="60s", quorum={"fail_after": 2}, outage={})
    assert canonical_bytes(plain) == canonical_bytes(loud)


@pytest.mark.parametrize(
    ("every", "seconds"), [("60s", 15), ("300s", 75), ("20s", 5), ("12s", 5), ("5s", 5), ("1s", 1)]
)
def test_in_an_outage_a_check_runs_four_times_as_often(every: str, seconds: int) -> None:
    check = check_of(every=every, timeout="500ms")
    assert check.outage_interval_us == seconds * 1_000_000
    assert findings(check) == []


def test_how_often_a_check_runs_in_an_outage_can_be_said() -> None:
    check = check_of(outage={"every": "10s"})
    assert check.outage_interval_us == 10_000_000
    assert findings(check) == []
    assert digest_of(canonical_bytes(check)) != digest_of(canonical_bytes(check_of()))


def test_the_order_of_keys_in_a_file_does_not_make_a_revision() -> None:
    one = msgspec.convert({"id": "a", "service": "b", "dns": {"name": "x", "type": "MX"}}, Check)
    two = msgspec.convert({"dns": {"type": "MX", "name": "x"}, "service": "b", "id": "a"}, Check)
    assert canonical_bytes(one) == canonical_bytes(two)


@pytest.mark.parametrize(
    ("changes", "path", "expected"),
    [
        pytest.param({"icmp": {"host": "x"}}, (), "exactly one of", id="two probes"),
        pytest.param(
            {"every": "100ms", "timeout": "50ms"}, ("every",), "an interval from", id="too often"
        ),
        pytest.param(
            {"timeout": "61s"}, ("timeout",), "below the interval (60s)", id="timeout > every"
        ),
        pytest.param(
            {"outage": {"every": "61s"}},
            ("outage", "every"),
            "a time from 5s to the check's own interval (60s)",
            id="slower in an outage",
        ),
        pytest.param(
            {"outage": {"every": "4s"}},
            ("outage", "every"),
            "a time from 5s to the check's own interval (60s)",
            id="too fast in an outage",
        ),
        pytest.param(
            {"every": "3s", "timeout": "1s", "outage": {"every": "2s"}},
            ("outage", "every"),
            "a time from 3s to the check's own interval (3s)",
            id="faster in an outage than a fast check",
        ),
        pytest.param(
            {"quorum": {"freshness": "69s"}},
            ("quorum", "freshness"),
            "at least interval + timeout",
            id="F too short",
        ),
        pytest.param({"quorum": {"rule": "k_of"}}, ("quorum", "k"), "k together", id="no k"),
        pytest.param({"quorum": {"k": 2}}, ("quorum", "k"), "k together", id="k for nothing"),
        pytest.param(
            {"quorum": {"rule": "healthy_fraction"}},
            ("quorum", "fraction"),
            "a fraction",
            id="no fraction",
        ),
        pytest.param(
            {"quorum": {"rule": "healthy_fraction", "fraction": "3/2"}},
            ("quorum", "fraction"),
            "at most 1",
            id="fraction above 1",
        ),
        pytest.param(
            {"quorum": {"partial_weight": "weights"}}, ("quorum", "weights"), "weights", id="no w"
        ),
        pytest.param(
            {"quorum": {"partial_weight": "weights", "weights": {"z": "0.5"}}},
            ("quorum", "weights"),
            "own regions",
            id="a stranger's weight",
        ),
        pytest.param(
            {"quorum": {"min_evidence": 4}}, ("quorum", "min_evidence"), "at most", id="4 of 3"
        ),
        pytest.param({"regions": []}, ("regions",), "at least one region", id="nowhere"),
        pytest.param({"regions": ["a", "a"]}, ("regions",), "each once", id="twice"),
    ],
)
def test_rules_that_span_fields(
    changes: dict[str, object], path: tuple[str, ...], expected: str
) -> None:
    found = findings(check_of(**changes))
    assert [(p, expected in e) for p, e, _ in found] == [(path, True)]


def test_a_plain_check_has_no_findings() -> None:
    assert findings(check_of()) == []


@pytest.mark.parametrize(
    ("text", "good"),
    [("shop-home", True), ("a", True), ("1.a_b", True), ("", False), ("A", False), ("-a", False),
     ("a b", False), ("a" * 63, True), ("a" * 64, False), ("@anchors", False)],
)  # fmt: skip
def test_ids(text: str, good: bool) -> None:
    assert is_id(text) is good


def test_an_agent_is_named_in_its_own_organisation_only() -> None:
    uri = agent_uri("vedette", "fra-1")
    assert agent_of_uri(uri, "vedette") == "fra-1"
    assert agent_of_uri(uri, "other") is None
    assert agent_of_uri("spiffe://vedette/agent/../x", "vedette") is None
