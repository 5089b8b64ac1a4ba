"""Verdicts from votes (S-11 to S-14)."""

from fractions import Fraction
from typing import Any

import pytest

from controller.core.labels import Label
from controller.core.policy import policy_of
from controller.core.quorum import Verdict, partial_weight, verdict
from tests.unit.core.scenes import policy
from vedette.shared.definitions import Check, Quorum, Rule
from vedette.shared.probes import HttpProbe

NAMES = {"?": Label.NONE, "U": Label.UP, "G": Label.DEGRADED, "D": Label.DOWN}


def _verdict(votes: str, **rules: Any) -> Verdict:
    return verdict(policy("abcdef"[: len(votes)], **rules), [NAMES[v] for v in votes])


@pytest.mark.parametrize(
    ("votes", "rules", "expected"),
    [
        pytest.param("UUD", {}, Verdict.PARTIAL, id="one dissenting region is no outage"),
        pytest.param("DDU", {}, Verdict.DOWN, id="a majority is"),
        pytest.param("DDUU", {}, Verdict.PARTIAL, id="a tie is not"),
        pytest.param("DD??", {}, Verdict.DOWN, id="silence is no vote"),
        pytest.param("??U", {}, Verdict.UNKNOWN, id="silence is not success"),
        pytest.param("???", {"min_evidence": 1}, Verdict.UNKNOWN, id="nobody"),
        pytest.param("D??", {"min_evidence": 1}, Verdict.DOWN, id="one may be enough"),
        pytest.param("GGU", {}, Verdict.DEGRADED, id="most are slow"),
        pytest.param("GUU", {}, Verdict.UP, id="few are slow"),
        pytest.param("GGD", {}, Verdict.PARTIAL, id="a failure outweighs slowness"),
        pytest.param("DDUU", {"rule": Rule.AT_LEAST_HALF}, Verdict.DOWN, id="half"),
        pytest.param("DDDU", {"rule": Rule.ALL}, Verdict.PARTIAL, id="not all"),
        pytest.param("DDD?", {"rule": Rule.ALL}, Verdict.DOWN, id="all who speak"),
        pytest.param("DUUU", {"rule": Rule.ANY}, Verdict.DOWN, id="any"),
        pytest.param("DDUU", {"rule": Rule.K_OF, "k": 3}, Verdict.PARTIAL, id="two of three"),
        pytest.param("DDDU", {"rule": Rule.K_OF, "k": 3}, Verdict.DOWN, id="three"),
        pytest.param("DD??", {"rule": Rule.K_OF, "k": 3}, Verdict.DOWN, id="min(k, n)"),
        pytest.param(
            "DD??", {"rule": Rule.K_OF, "k": 3, "is_strict": True}, Verdict.UNKNOWN, id="strict"
        ),
    ],
)
def test_s12_verdict_follows_the_quorum(
    votes: str, rules: dict[str, Any], expected: Verdict
) -> None:
    assert _verdict(votes, **rules) is expected


@pytest.mark.parametrize("numerator", range(19))
def test_s12_a_healthy_fraction_is_what_it_says(numerator: int) -> None:
    share = Fraction(numerator, 18)
    for voters in range(1, 7):
        for down in range(1, voters + 1):
            votes = "D" * down + "U" * (voters - down)
            is_down = (voters - down) * share.denominator <= share.numerator * voters
            rules = {"rule": Rule.HEALTHY_FRACTION, "fraction": share, "min_evidence": 1}
            assert (_verdict(votes, **rules) is Verdict.DOWN) is is_down


def test_s14_weights_of_regions_add_up_to_no_more_than_all() -> None:
    weights = {"a": Fraction(3, 4), "b": Fraction(3, 4)}
    rules = policy("abc", partial_weight="weights", weights=weights)
    assert partial_weight(rules, [Label.DOWN, Label.UP, Label.UP]) == Fraction(3, 4)
    assert partial_weight(rules, [Label.DOWN, Label.DOWN, Label.UP]) == 1
    assert partial_weight(rules, [Label.UP, Label.UP, Label.DOWN]) == 0


@pytest.mark.parametrize(
    ("regions", "expected"), [(["a"], 1), (["a", "b"], 2), (["a", "b", "c"], 2)]
)
def test_s11_the_default_of_min_evidence(regions: list[str], expected: int) -> None:
    check = Check(id="c", service="s", regions=regions, http=HttpProbe(url="http://x.test/"))
    rules = policy_of(check)
    assert rules.min_evidence == expected
    assert rules.freshness_us == 150_000_000
    assert (rules.merge_gap_us, rules.abandon_after_us) == (120_000_000, 86_400_000_000)


def test_a_definition_sets_every_rule() -> None:
    quorum = Quorum(
        rule=Rule.K_OF,
        k=2,
        strict=True,
        min_evidence=1,
        fail_after=3,
        recover_after=4,
        freshness="5m",
        partial_weight="weights",
        weights={"a": "0.25"},
    )
    check = Check(
        id="c", service="s", regions=["a"], http=HttpProbe(url="http://x.test/"), quorum=quorum
    )
    rules = policy_of(check)
    assert (rules.k, rules.is_strict, rules.min_evidence) == (2, True, 1)
    assert (rules.fail_after, rules.recover_after, rules.freshness_us) == (3, 4, 300_000_000)
    assert rules.weights == {"a": Fraction(1, 4)}
