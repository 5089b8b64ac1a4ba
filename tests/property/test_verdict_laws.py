"""Laws P8, P9 and P10: what is shown, what a region less does, and other days (S-24)."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.labels import Label
from controller.core.policy import Policy, always
from controller.core.quorum import Verdict, need, verdict
from controller.core.samples import AnchorRound, Sample
from controller.core.sla.figures.attainment import shown_percent
from controller.core.timeline import EvidenceSet, Segment, evidence_until, timeline
from tests.property.test_engine_laws import arrivals, policies
from vedette.shared.definitions import Rule

Items = list[Sample | AnchorRound]
END_US = 80
DAY_US = 86_400_000_000

rules = st.sampled_from(Rule)
labels = st.sampled_from(Label)


@settings(max_examples=500, deadline=None)
@given(
    st.decimals(0, 100, places=4).map(lambda one: f"{one.normalize():f}"),
    st.one_of(st.fractions(0, 1), st.integers(-3, 3)),
)
def test_p8_shown_attainment_reaches_the_shown_target_iff_it_is_met(
    target: str, near: Fraction | int
) -> None:
    """Anywhere, and a hair beside the target."""
    exact = Fraction(target) / 100
    share = exact + Fraction(near, 10**13) if isinstance(near, int) else near
    shown = shown_percent(share, target)
    assert shown is not None
    assert (Fraction(shown) >= Fraction(target)) == (share >= exact)


@settings(max_examples=500, deadline=None)
@given(rules, st.lists(labels, min_size=1, max_size=6), st.integers(0, 3), st.data())
def test_p9_a_region_less_makes_down_only_by_a_smaller_quorum(
    rule: Rule, votes: list[Label], min_evidence: int, data: st.DataObject
) -> None:
    """And that region had a vote: the votes of the time before and after tell of it."""
    regions = tuple(f"r{number}" for number in range(len(votes)))
    policy = Policy(
        "c", "r", regions, 9, rule, k=data.draw(st.integers(1, 4)),
        is_strict=data.draw(st.booleans()), fraction=data.draw(st.fractions(0, 1)),
        min_evidence=min_evidence,
    )  # fmt: skip
    gone = data.draw(st.integers(0, len(votes) - 1))
    fewer = replace(policy, regions=regions[:gone] + regions[gone + 1 :])
    left = votes[:gone] + votes[gone + 1 :]
    before, after = verdict(policy, votes), verdict(fewer, left)
    if before is Verdict.UP:
        assert after not in {Verdict.DOWN, Verdict.PARTIAL}
    if after is Verdict.DOWN and before not in {Verdict.DOWN, Verdict.UNKNOWN}:
        voters = sum(one is not Label.NONE for one in votes)
        needed, needed_before = need(fewer, voters - 1), need(policy, voters)
        assert votes[gone] is not Label.NONE
        assert needed is not None
        assert needed_before is not None
        assert needed < needed_before


@settings(max_examples=200, deadline=None)
@given(policies, arrivals(), st.integers(-400, 400))
def test_p10_whole_days_later_everything_is_whole_days_later(
    policy: Policy, items: Items, days: int
) -> None:
    shift_us = days * DAY_US
    moved = [one._replace(at_us=one.at_us + shift_us) for one in items]
    expected = [
        one._replace(from_us=one.from_us + shift_us, to_us=one.to_us + shift_us)
        for one in _timeline(items, policy, 0)
    ]
    assert _timeline(moved, policy, shift_us) == expected


def _timeline(items: Items, policy: Policy, from_us: int) -> list[Segment]:
    evidence: EvidenceSet = evidence_until(
        [one for one in items if isinstance(one, Sample)],
        [one for one in items if isinstance(one, AnchorRound)],
        from_us + END_US,
    )
    return timeline(evidence, always(policy), from_us, from_us + END_US)
