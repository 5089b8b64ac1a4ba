"""Failure kinds: a closed set with a meaning each."""

import pytest

from vedette.shared.failure import Failure


@pytest.mark.parametrize("kind", list(Failure))
def test_every_kind_says_what_was_seen_and_what_to_look_at(kind: Failure) -> None:
    assert kind.meaning.endswith(".")
    assert kind.look_at
    assert kind.value == kind.name.lower()


def test_the_agents_faults_are_named() -> None:
    assert {kind.value for kind in Failure if kind.is_agent_fault} == {
        "policy_refused", "proxy_failed", "no_route", "no_permission", "exhausted", "late_launch", "distorted", "overran",
        "cancelled", "unrunnable", "agent_fault", "policy_kind", "policy_port", "policy_method", "policy_size",
        "policy_checks", "policy_rate", "policy_paused",
    }  # fmt: skip
