"""How much of the evidence has to be read: all of it, or from an instant on at which nothing earlier matters.

Such an instant is proven by what was heard just before it: every agent's labels are then known whatever
came earlier, and no outage lies across. An engine that begins there gives the same timeline from there on
as one that read everything.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from controller.core.engine import CheckEngine
from controller.core.intervals import FOREVER_US, difference
from controller.core.labels import bad_intervals
from controller.core.outages import Outage
from controller.core.policy import PolicyRevision
from controller.core.regional import are_parted
from controller.core.resync import is_parted, sure_us
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import EvidenceSet, evidence_until
from controller.ports.agents import AgentRecord
from controller.ports.storage import Transaction
from controller.services.timeline.carrying import decode_carried

# Each attempt looks twice as far back as the one before it: about 200 days for a check every minute.
_ATTEMPTS_MAX: Final = 14
# How far ahead the next anchor round is looked for at first; then eight times as far, and so on.
_NEXT_ROUND_US: Final = 3600 * 1_000_000
# How many of the instants at which it was noted what of regional outages lies across are tried.
_CARRIED_MAX: Final = 4


class Evidence(Protocol):
    """Where evidence is read from: all that is stored, or what of it was known at an instant."""

    def samples(self, check: str, from_us: int, to_us: int) -> Sequence[Sample]:
        """Samples of a check with from_us <= at_us < to_us, by time."""
        ...

    def anchors(self, agents: Sequence[str], from_us: int, to_us: int) -> Sequence[AnchorRound]:
        """Anchor rounds of the agents in that time, by time."""
        ...

    def newest_sample_us(self, check: str, before_us: int) -> int | None:
        """Event time of the newest sample of a check before that instant."""
        ...

    def last_good_anchor_us(self, agent: str, before_us: int) -> int | None:
        """Event time of the newest good anchor round of an agent before that instant."""
        ...

    def agents(self) -> Sequence[AgentRecord]:
        """All agents, by id."""
        ...

    def settled_us(self, check: str) -> int | None:
        """An instant from before which nothing has to be told."""
        ...

    def carried(self, check: str, until_us: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """What lay across the last instants at or before `until_us` of which that is kept, newest first."""
        ...


class Built(NamedTuple):
    """An engine made from storage, drained, and the outages that it knows, of single regions too."""

    engine: CheckEngine
    outages: tuple[Outage, ...]


class _Start(NamedTuple):
    """A time before which nothing has to be read: from `sure_us` on, what follows from it is known."""

    from_us: int
    sure_us: int
    end_us: int
    rounds: list[AnchorRound]


class History:
    """The stored evidence of one check, as seen from a horizon."""

    def __init__(
        self,
        tx: Evidence,
        check: str,
        revisions: Sequence[PolicyRevision],
        horizon_us: int = FOREVER_US,
    ) -> None:
        self._tx = tx
        self._check = check
        self._revisions = revisions
        self._horizon_us = horizon_us
        self._policies = [one.policy for one in revisions if one.policy is not None]

    def engine(self, before_us: int, now_us: int = -FOREVER_US) -> Built:
        """An engine that is right from some instant before `before_us` on, at which it is settled.

        It tells of the time until `now_us`, or until the newest evidence. What lies before the instant is
        stored, and complete. Without an instant to begin at, the engine reads everything and is not
        settled.
        """
        settled_us = self._tx.settled_us(self._check)
        if settled_us is not None:
            limit_us = min(settled_us, before_us)
            for start in self._starts(limit_us):
                built = self._from(start, limit_us, now_us)
                if built is not None:
                    return built
        engine = self._filled(-FOREVER_US, self.rounds_since(-FOREVER_US))
        changes = engine.drain(now_us)
        return Built(engine, (*changes.outages, *changes.regional))

    def evidence(self, from_us: int, to_us: int) -> EvidenceSet:
        """Enough of the evidence to judge [from_us, to_us) as if all of it was there."""
        after_us = to_us + max((policy.margin_us for policy in self._policies), default=0)
        start = next(self._starts(from_us, after_us), None)
        rounds = self.rounds_since(-FOREVER_US, after_us) if start is None else start.rounds
        samples = self._samples(start.from_us if start else -FOREVER_US, after_us)
        return evidence_until(samples, rounds, self._horizon_us)

    def certain_us(self) -> int:
        """The instant before which nothing depends on what is later than the horizon.

        A later sample reaches back by a run at most, a later anchor round to the last good one before it.
        """
        margin_us = max((policy.margin_us for policy in self._policies), default=0)
        earliest_us = self._horizon_us
        for agent in self._agents():
            good_us = self._tx.last_good_anchor_us(agent, self._horizon_us + 1)
            if good_us is None:
                continue
            # Where that good round is recent it costs little to reckon with a bad one after it.
            is_recent = good_us >= self._horizon_us - margin_us
            if is_recent or self._is_voided_later(agent, good_us):
                earliest_us = min(earliest_us, good_us)
        return earliest_us - margin_us

    def _is_voided_later(self, agent: str, good_us: int) -> bool:
        """After `good_us`, its last good round that is seen, the next round of an agent is a bad one."""
        if self._tx.anchors([agent], good_us + 1, self._horizon_us + 1):
            return False  # it was in trouble already
        rounds = self._next_rounds(agent, self._horizon_us + 1, FOREVER_US)
        # Of several at one instant any may come first.
        return any(one.is_bad for one in rounds if one.at_us == rounds[0].at_us)

    def _from(self, start: _Start, limit_us: int, now_us: int) -> Built | None:
        """An engine that begins at `start`, or None if an outage may lie across its end.

        If only outages of single regions may, one that begins where it was noted what of them lies across.
        """
        engine = self._filled(start.from_us, start.rounds)
        changes = engine.drain(now_us)
        settled_us = engine.settle(start.end_us)
        if settled_us < start.sure_us:
            return None
        calm = engine.timeline_part(start.sure_us, settled_us)
        if not is_parted(calm, self._revisions):
            return None
        if not are_parted(calm, self._revisions):
            return self._carried_on(limit_us, now_us)
        outages = (*changes.outages, *changes.regional)
        return Built(engine, tuple(o for o in outages if o.span.started_us >= settled_us))

    def _carried_on(self, limit_us: int, now_us: int) -> Built | None:
        """An engine that begins at the last instant at which it was noted what lies across, if there is one."""
        for at_us, body in self._tx.carried(self._check, limit_us, _CARRIED_MAX):
            start = next(self._starts(at_us), None)
            if start is None or start.sure_us > at_us:
                continue
            engine = self._filled(start.from_us, start.rounds)
            outages = engine.drain(now_us).outages
            if engine.settle(at_us) == at_us:
                regional = engine.carry_on(decode_carried(body))
                wholes = tuple(o for o in outages if o.span.started_us >= at_us)
                return Built(engine, (*wholes, *regional))
        return None

    def _starts(self, end_us: int, rounds_until_us: int = FOREVER_US) -> Iterator[_Start]:
        """Times to begin at, all before `end_us`, the latest first; with rounds for the time until then."""
        if not self._policies:
            return
        window_us = max(policy.around_us for policy in self._policies)
        for attempt in range(_ATTEMPTS_MAX):
            newest_us = self._tx.newest_sample_us(self._check, end_us)
            if newest_us is None:
                return
            end_us = min(end_us, newest_us + 1)
            from_us = end_us - window_us
            rounds = self.rounds_since(from_us, rounds_until_us)
            evidence = evidence_until(self._samples(from_us, end_us), rounds, self._horizon_us)
            found_us = sure_us(evidence, self._policies, from_us, end_us)
            if found_us is not None:
                yield _Start(from_us, found_us, end_us, rounds)
            end_us = newest_us - window_us * 2**attempt

    def _samples(self, from_us: int, to_us: int) -> Sequence[Sample]:
        return self._tx.samples(self._check, from_us, min(to_us, self._horizon_us + 1))

    def _agents(self) -> list[str]:
        """The agents of every region that ever had a vote."""
        regions = {region for policy in self._policies for region in policy.regions}
        return [agent.id for agent in self._tx.agents() if agent.region in regions]

    def rounds_since(self, from_us: int, until_us: int = FOREVER_US) -> list[AnchorRound]:
        """The anchor rounds on which trouble after `from_us` hangs: from the last good one before it on.

        Trouble after `until_us` may be left out, but not what the next round of each agent says of before.
        """
        agents = self._agents()
        end_us = min(self._horizon_us, until_us) + 1
        found: list[AnchorRound] = []
        for agent in agents:
            good_us = None
            if from_us > -FOREVER_US:
                good_us = self._tx.last_good_anchor_us(agent, from_us)
            start_us = -FOREVER_US if good_us is None else good_us
            found += self._tx.anchors([agent], start_us, end_us)
            if end_us <= self._horizon_us:
                found += self._next_rounds(agent, end_us, self._horizon_us + 1)
        return found

    def _next_rounds(self, agent: str, from_us: int, to_us: int) -> Sequence[AnchorRound]:
        """The first rounds of an agent in [from_us, to_us), and more perhaps; none if there is none."""
        span_us = _NEXT_ROUND_US
        while from_us < to_us:
            rounds = self._tx.anchors([agent], from_us, min(from_us + span_us, to_us))
            if rounds:
                return rounds
            from_us += span_us
            span_us *= 8
        return ()

    def _filled(self, from_us: int, rounds: Sequence[AnchorRound]) -> CheckEngine:
        """An engine with the samples from an instant on, and these rounds."""
        engine = CheckEngine(self._revisions)
        for sample in self._samples(from_us, FOREVER_US):
            engine.insert(sample)
        for one in rounds:
            engine.insert_anchor(one)
        return engine


def changed_trouble_us(tx: Transaction, agent: str, new: Sequence[AnchorRound]) -> int | None:
    """The first instant that stored rounds of an agent, `new` ones, void or restore; None if none does."""
    first_us = min(one.at_us for one in new)
    good_us = tx.last_good_anchor_us(agent, first_us)
    rounds = tx.anchors([agent], -FOREVER_US if good_us is None else good_us, FOREVER_US)
    added = {one[:4] for one in new}
    before = bad_intervals(one for one in rounds if one[:4] not in added)
    after = bad_intervals(rounds)
    touched = [*difference(after, before), *difference(before, after)]
    return min((one.from_us for one in touched), default=None)
