from ipaddress import ip_network
from pathlib import Path

import pytest

from agent.config import (
    claimed_labels,
    default_state,
    policy_stamp,
    policy_text,
    site_policy,
)
from agent.core.policy import Policy
from agent.errors import BadInput


def test_without_a_file_only_public_addresses_are_probed(tmp_path: Path) -> None:
    assert site_policy(tmp_path) == Policy()


def test_what_join_writes_is_what_the_agent_reads(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(policy_text(["10.1.2.3/8", "fd00::/8"]))
    assert site_policy(tmp_path) == Policy((ip_network("10.0.0.0/8"), ip_network("fd00::/8")))


def test_networks_may_be_denied(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("allow: [10.0.0.0/8]\ndeny:\n- 10.9.0.0/16\n")
    assert site_policy(tmp_path).denied == (ip_network("10.9.0.0/16"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "expected a document, found an empty file", id="empty"),
        pytest.param("- x\n", "expected a mapping, found a list of 1", id="a list"),
        pytest.param("alow: []\n", ":1: alow: expected no such key", id="a misspelt key"),
        pytest.param("allow: 10.0.0.0/8\n", ":1: allow: expected a list", id="no list"),
        pytest.param("allow: [1]\n", r":1: allow\[0\]: expected text, found 1", id="a number"),
        pytest.param(
            "deny: []\nallow:\n- 10.0.0.0/8\n- here\n",
            r":4: allow\[1\]: expected a network such as 10\.0\.0\.0/8, found 'here'",
            id="no network",
        ),
    ],
)
def test_a_wrong_policy_names_file_line_and_path(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=words) as caught:
        site_policy(tmp_path)
    assert str(caught.value).startswith(str(path))


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("allow: [a, b]\ndeny: [c]\n")
    with pytest.raises(BadInput) as caught:
        site_policy(tmp_path)
    assert len(str(caught.value).splitlines()) == 3


def test_a_network_on_the_command_line_that_is_none_is_named() -> None:
    with pytest.raises(BadInput, match=r"--allow: expected a network .* found 'x'"):
        policy_text(["x"])


def test_the_state_directory_can_be_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VEDETTE_AGENT_STATE", str(tmp_path))
    assert default_state() == tmp_path
    monkeypatch.delenv("VEDETTE_AGENT_STATE")
    monkeypatch.setenv("HOME", "/somewhere")
    assert default_state() == Path("/somewhere/.local/state/vedette-agent")


WHOLE = """\
allow: [10.0.0.0/8]
deny: [10.9.0.0/16]
ports: {allow: [80, 443, 8000-8100], deny: [25]}
methods: [GET, HEAD]
kinds: [http, icmp]
rates: {total: 50/s, target: 300/m, address: 10/s}
sizes: {response_body: 64K, request_body: 1M, icmp_payload: 512, icmp_count: 5}
checks: 20
paused: true
"""


def test_every_key_of_a_policy_means_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(WHOLE)
    policy = site_policy(tmp_path)
    terms = policy.terms
    assert [str(p) for p in terms.ports_allowed] == ["80", "443", "8000-8100"]
    assert [str(p) for p in terms.ports_denied] == ["25"]
    assert terms.methods == frozenset({"GET", "HEAD"})
    assert terms.kinds == frozenset({"http", "icmp"})
    rates = terms.rates
    assert [str(r) for r in (rates.total, rates.target, rates.address)] == ["50/s", "300/m", "10/s"]
    sizes = terms.sizes
    assert (sizes.response_body_bytes, sizes.icmp_payload_bytes, sizes.icmp_count) == (
        65536,
        512,
        5,
    )
    assert sizes.request_body_bytes == 65536, "more than an agent ever sends is that"
    assert (terms.checks_max, terms.is_paused) == (20, True)
    assert str(policy) == (
        "public addresses, 10.0.0.0/8; never 10.9.0.0/16; PAUSED; http, icmp only; "
        "ports 80, 443, 8000-8100; never ports 25; methods GET, HEAD; "
        "50/s in all, 300/m a target, 10/s an address; 20 checks"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ports: {allow: [http]}\n", r":1: ports\.allow\[0\]: expected a port or a range"),
        ("ports: {only: [80]}\n", r":1: ports\.only: expected no such key"),
        ("ports: [80]\n", r":1: ports: expected a mapping"),
        ("methods: [get]\n", r":1: methods\[0\]: expected a method in capital letters such as GET"),
        ("kinds: [ping]\n", r":1: kinds\[0\]: expected one of http, dns, icmp, tcp, found 'ping'"),
        ("rates: {total: lots}\n", r":1: rates\.total: expected a rate such as 20/s"),
        ("rates: {total: 5}\n", r":1: rates\.total: expected text, found 5"),
        ("sizes: {response_body: 1G}\n", r":1: sizes\.response_body: expected a number of bytes"),
        ("ports: {allow: [true]}\n", r":1: ports\.allow\[0\]: expected a whole number or text"),
        ("checks: -1\n", r":1: checks: expected"),
        ("paused: maybe\n", r":1: paused: expected true or false"),
    ],
)
def test_each_wrong_key_is_named_with_what_was_expected(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=words) as caught:
        site_policy(tmp_path)
    assert str(caught.value).startswith(str(path))


def test_labels_that_a_site_claims_are_read_as_far_as_they_can_be_labels(tmp_path: Path) -> None:
    assert claimed_labels(tmp_path) == {}
    (tmp_path / "labels.json").write_text('{"rack": "a7", "Bad": "x", "b": "with space"}')
    assert claimed_labels(tmp_path) == {"rack": "a7"}
    (tmp_path / "labels.json").write_text("[1]")
    with pytest.raises(BadInput, match=r"labels\.json: expected labels as JSON"):
        claimed_labels(tmp_path)


def test_a_policy_file_that_changes_has_another_stamp(tmp_path: Path) -> None:
    assert policy_stamp(tmp_path) is None
    (tmp_path / "policy.yaml").write_text("paused: false\n")
    first = policy_stamp(tmp_path)
    (tmp_path / "policy.yaml").write_text("paused: true\n")
    assert first != policy_stamp(tmp_path) != None  # noqa: E711 - there is one
