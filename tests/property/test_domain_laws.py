"""Laws P2, P6 and P9 where regions share failure domains."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.labels import Label
from controller.core.policy import Policy, PolicyRevision
from controller.core.quorum import Verdict, verdict
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import HIGH, LOW, downtime
from tests.property.test_engine_laws import Caller, arrivals, assert_equal, policies, revisions
from vedette.shared.definitions import Distinct

labels = st.sampled_from(list(Label))


def _shared(rules: list[PolicyRevision], domains: tuple[int, ...]) -> list[PolicyRevision]:
    """The same revisions with regions that share domains."""
    return [
        one
        if one.policy is None or len(one.policy.regions) < 2
        else replace(
            one,
            policy=replace(
                one.policy,
                distinct=Distinct.PROVIDER,
                domains=domains[: len(one.policy.regions)],
                min_evidence=1,
            ),
        )
        for one in rules
    ]


@settings(max_examples=150, deadline=None)
@given(revisions(), arrivals(), st.sampled_from([(0, 0, 1), (0, 1, 0), (0, 0, 0)]))
def test_p2_and_p6_hold_with_domains(
    rules: list[PolicyRevision], items: list[Sample | AnchorRound], domains: tuple[int, ...]
) -> None:
    caller = Caller(_shared(rules, domains))
    for item in items:
        caller.take(item)
        assert_equal(caller, caller.latest_us + 1)
    segments, _ = caller.oracle(caller.latest_us + 1)
    assert downtime(segments, LOW) <= downtime(segments) <= downtime(segments, HIGH)


@settings(max_examples=300, deadline=None)
@given(policies, st.lists(labels, min_size=3, max_size=3), labels)
def test_another_region_of_a_domain_is_no_other_vote(
    base: Policy, said: list[Label], label: Label
) -> None:
    """A second region that says the same as the first of its provider changes nothing."""
    policy = replace(base, regions=("a", "b", "c"), domains=())
    twice = replace(policy, regions=("a", "a2", "b", "c"), domains=(0, 0, 1, 2))
    assert verdict(twice, [said[0], *said]) is verdict(policy, said)
    # And one that says otherwise makes no outage that was none.
    other = verdict(twice, [said[0], label, said[1], said[2]])
    was = verdict(policy, said)
    if label is not Label.DOWN and said[0] is not Label.NONE:
        assert other is not Verdict.DOWN or was is Verdict.DOWN
