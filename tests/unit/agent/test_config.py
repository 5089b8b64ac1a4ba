from ipaddress import ip_network
from pathlib import Path

import pytest

from agent.config import default_state, policy_text, site_policy
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
