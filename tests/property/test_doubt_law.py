"""Law P6 of single outages: what the evidence leaves open of one makes its bounds (S-8, S-24)."""

from hypothesis import given

from controller.core.doubt import doubts, least_and_most
from controller.core.labels import Said
from controller.core.outages import outages
from controller.core.policy import Policy, always
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import evidence_until, judged_samples, timeline
from tests.property.test_engine_laws import arrivals, policies


@given(arrivals(), policies)
def test_p6_doubts_make_the_bounds_of_every_outage(
    items: list[Sample | AnchorRound], rules: Policy
) -> None:
    """Downtime less what may have been up, and more what may have been down, is what outages say."""
    evidence = evidence_until(
        [i for i in items if isinstance(i, Sample)],
        [i for i in items if isinstance(i, AnchorRound)],
        1000,
    )
    segments = timeline(evidence, always(rules), -1000, 1000)

    def judged(policy: Policy, from_us: int, to_us: int) -> list[Said]:
        return judged_samples(evidence, policy, from_us, to_us)

    for outage in outages(segments, judged):
        span = outage.span
        found = doubts(segments, span.started_us, span.until_us, rules.freshness_us)
        bounds = outage.downtime_us_min, outage.downtime_us_max
        assert least_and_most(span.downtime_us, found) == bounds
        assert all(one.regions for one in found)
