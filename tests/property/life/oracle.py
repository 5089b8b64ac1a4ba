"""What a controller tells beside what the batch oracle tells of all that it accepted."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from controller.core.admission import Admitted, admitted_line, deduplicated
from controller.core.doubt import least_and_most
from controller.core.labels import Label
from controller.core.outages import Outage, outages
from controller.core.samples import AnchorRound, Quarantined, Sample
from controller.core.timeline import EvidenceSet, Segment, evidence_until, judged_samples, timeline
from controller.ports.outcomes import OutageScope, StoredInterval
from controller.services.timeline.intervals import cut, merged, stored
from tests.property.life.ledger import told_by_restart, wrong_in_ledger
from tests.property.life.life import CHECKS, EVERY, SECOND, START, Life


class Oracle:
    """Judges a life."""

    def __init__(self, life: Life) -> None:
        self.life = life

    def differences(self) -> list[str]:
        """What the server tells otherwise than the oracle, now and as of any instant before."""
        self.life.now_us += SECOND
        self.life.evaluator.advance(self.life.now_us)
        items = deduplicated(_read(line) for line in sorted(self.life.accepted))
        found: list[str] = []
        for check in CHECKS:
            found += self._differs_now(check, items)
            found += self._differs_then(
                check, items, self.life.random.randrange(START, self.life.now_us)
            )
            found += self._differs_then(
                check, items, self.life.now_us - self.life.random.randrange(12 * EVERY)
            )
        found += wrong_in_ledger(self.life.storage)
        found += told_by_restart(self.life.storage, self.life.now_us)
        return found

    def _oracle(
        self, check: str, items: Sequence[Admitted], horizon_us: int
    ) -> tuple[EvidenceSet, list[Segment]]:
        with self.life.storage.transaction() as tx:
            revisions = self.life.evaluator.checks(tx)[check]
        samples = [one for one in items if isinstance(one, Sample) and one.check == check]
        rounds = [one for one in items if isinstance(one, AnchorRound)]
        evidence = evidence_until(samples, rounds, horizon_us)
        return evidence, timeline(evidence, revisions, 0, horizon_us)

    def _differs_now(self, check: str, items: Sequence[Admitted]) -> list[str]:
        horizon_us = self.life.now_us
        evidence, segments = self._oracle(check, items, horizon_us)
        expected = outages(segments, partial(judged_samples, evidence))
        told = self.life.outages.list(check=check)[::-1]
        found = self._differs_at(check, segments, horizon_us)
        kept, meant = [_essence(one.body) for one in told], [_essence_of(one) for one in expected]
        if kept != meant:
            wrong = [one for one in kept if one not in meant]
            missing = [one for one in meant if one not in kept]
            found.append(f"{check}: outages {wrong[:2]}, not {missing[:2]}")
        found += self._differs_explained(check, segments)
        return found

    def _differs_explained(self, check: str, segments: Sequence[Segment]) -> list[str]:
        """What one of the outages is explained by, beside the timeline: its votes, and its bounds."""
        told = self.life.outages.list(check=check, scope=OutageScope.ALL)
        if not told:
            return []
        chosen = self.life.random.choice(told)
        explained = self.life.outages.explain(chosen.handle)
        body, found = explained.outage.body, []
        ballots = {(one.from_us, one.to_us): one.verdict for one in explained.ballots}
        for (from_us, to_us), verdict in ballots.items():
            inside = [s for s in segments if s.from_us < to_us and s.to_us > from_us]
            if {_verdict_of(one, body.region) for one in inside} != {verdict}:
                found.append(f"{check}: {chosen.handle} explained as {verdict} at {from_us}")
        bounds = least_and_most(body.downtime_us, explained.doubts)
        if explained.skipped is None and bounds != (body.downtime_us_min, body.downtime_us_max):
            found.append(f"{check}: {chosen.handle} explained with the bounds {bounds}")
        return found

    def _differs_then(self, check: str, items: Sequence[Admitted], horizon_us: int) -> list[str]:
        _, segments = self._oracle(check, items, horizon_us)
        return self._differs_at(check, segments, horizon_us)

    def _differs_at(self, check: str, segments: Sequence[Segment], horizon_us: int) -> list[str]:
        found: list[str] = []
        with self.life.evaluator.transaction() as tx:
            where = (tx, check, START - EVERY, horizon_us, horizon_us)
            told = self.life.evaluator.intervals(*where)
            starts = [start_us for start_us, _ in self.life.evaluator.spans(*where)]
        known = [s for s in segments if s.to_us > START - EVERY]
        if list(told) != _clipped(stored(check, known)):
            found.append(f"{check}: intervals as of {horizon_us}")
        expected = [one.span.started_us for one in outages(segments, lambda *_: [])]
        if starts != expected:
            found.append(f"{check}: starts of outages as of {horizon_us}")
        return found


def _verdict_of(segment: Segment, region: str) -> str:
    """The verdict of the check, or what one region says if it is asked of that one."""
    if not region:
        return segment.verdict.value
    if segment.policy is None or region not in segment.policy.regions:
        return "UNKNOWN"
    label = segment.votes[segment.policy.regions.index(region)].label
    return "UNKNOWN" if label is Label.NONE else label.name


def _clipped(intervals: Sequence[StoredInterval]) -> list[StoredInterval]:
    return merged(cut(one, max(one.from_us, START - EVERY), one.to_us) for one in intervals)


def _read(line: bytes) -> Admitted:
    item = admitted_line(line)
    assert not isinstance(item, Quarantined)
    return item


def _essence(body: Any) -> tuple[object, ...]:
    votes = [(one.region, one.label, one.confirmed_us) for one in body.votes]
    times = (body.started_us, body.until_us, body.ended_us, body.confirmed_us)
    sums = (body.downtime_us, body.unknown_us, body.downtime_us_min, body.downtime_us_max)
    return body.id, times, sums, list(body.regions), body.transients, votes


def _essence_of(one: Outage) -> tuple[object, ...]:
    span = one.span
    votes = [(vote.region, vote.label.name, vote.confirmed_us) for vote in one.votes]
    times = (span.started_us, span.until_us, span.ended_us, one.confirmed_us)
    sums = (span.downtime_us, span.unknown_us, one.downtime_us_min, one.downtime_us_max)
    return one.id, times, sums, list(one.regions), one.transients, votes


async def lived(seed: int, steps: int, every: int) -> list[str]:
    """What differed in the life of that seed, and after how many steps; empty if nothing did."""
    life = Life(seed)
    oracle = Oracle(life)
    try:
        for number in range(1, steps + 1):
            await life.step()
            if number % every == 0 and (found := oracle.differences()):
                return [f"after {number} steps", *found]
        return []
    finally:
        life.end()
        life.storage.close()
