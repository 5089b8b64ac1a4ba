"""How much history an engine has to read: all of it, or from a quiet time on.

At a quiet time every agent of a check has said UP often enough that nothing before it can matter: the
automaton of S-6 is in the same state whatever it was in before, no outage lies across, and no agent was
in trouble. An engine that begins there gives the same timeline from there on as one that read everything.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from controller.core.engine import CheckEngine
from controller.core.intervals import FOREVER_US, clip
from controller.core.labels import bad_intervals
from controller.core.outages import Outage
from controller.core.policy import Policy, PolicyRevision
from controller.core.quorum import Verdict
from controller.core.samples import AnchorRound, Sample
from controller.ports import Transaction
from vedette.shared.result import Outcome

# Each attempt looks twice as far back as the one before it: about 200 days for a check every minute.
_ATTEMPTS_MAX: Final = 14


class Built(NamedTuple):
    """An engine made from storage, drained, and the outages that it knows."""

    engine: CheckEngine
    outages: tuple[Outage, ...]


def built_engine(
    tx: Transaction, check: str, policies: Sequence[PolicyRevision], before_us: int
) -> Built:
    """The engine of a check, right from some instant before `before_us` on, at which it is settled.

    What lies before that instant is stored, and complete. Without a quiet time to begin at, the engine
    reads everything and is not settled.
    """
    known = [one.policy for one in policies if one.policy is not None]
    settled_us = tx.settled_us(check)
    if known and settled_us is not None:
        window_us = _window_us(known)
        end_us = min(settled_us, before_us)
        for attempt in range(_ATTEMPTS_MAX):
            newest_us = tx.newest_sample_us(check, end_us)
            if newest_us is None:
                break
            built = _from_quiet(tx, check, policies, known, min(end_us, newest_us + 1))
            if built is not None:
                return built
            end_us = newest_us - window_us * 2**attempt
    everything = _rounds(tx, policies, -FOREVER_US)
    engine = _filled(tx, check, policies, -FOREVER_US, everything)
    return Built(engine, engine.drain().outages)


def _from_quiet(
    tx: Transaction,
    check: str,
    policies: Sequence[PolicyRevision],
    known: Sequence[Policy],
    end_us: int,
) -> Built | None:
    """An engine that begins at `end_us`, or None if the time before that is not quiet."""
    from_us = end_us - _window_us(known)
    rounds = _rounds(tx, policies, from_us)
    runs = max(policy.recover_after for policy in known)
    samples = tx.samples(check, from_us, end_us)
    if not (_all_up(samples, runs) and _untroubled(rounds, from_us, end_us)):
        return None
    engine = _filled(tx, check, policies, from_us, rounds)
    sure_us = from_us + max(policy.freshness_us for policy in known)
    calm_us = sum(
        one.to_us - one.from_us
        for one in engine.intervals(sure_us, end_us, FOREVER_US)
        if one.verdict is not Verdict.UNKNOWN
    )
    if calm_us <= max(policy.merge_gap_us for policy in known):
        return None
    outages = engine.drain().outages
    return Built(engine, outages) if engine.settle(end_us) >= sure_us else None


def _all_up(samples: Sequence[Sample], runs: int) -> bool:
    """Every agent that speaks says UP, more than `runs` times."""
    evidence = [sample for sample in samples if sample.outcome is not Outcome.AGENT_ERROR]
    counts = Counter((sample.region, sample.agent) for sample in evidence)
    is_up = all(sample.outcome is not Outcome.DOWN for sample in evidence)
    return is_up and bool(counts) and min(counts.values()) > runs


def _untroubled(rounds: Sequence[AnchorRound], from_us: int, to_us: int) -> bool:
    """No agent's own network was in trouble in the time (S-10)."""
    by_agent: dict[str, list[AnchorRound]] = {}
    for one in rounds:
        by_agent.setdefault(one.agent, []).append(one)
    return not any(clip(bad_intervals(own), from_us, to_us) for own in by_agent.values())


def _window_us(policies: Sequence[Policy]) -> int:
    return max(
        policy.freshness_us * (max(policy.fail_after, policy.recover_after) + 4)
        + 2 * policy.merge_gap_us
        for policy in policies
    )


def _rounds(tx: Transaction, policies: Sequence[PolicyRevision], from_us: int) -> list[AnchorRound]:
    """The anchor rounds on which trouble after `from_us` hangs: from the last good one before it on."""
    regions = {region for one in policies if one.policy for region in one.policy.regions}
    agents = [agent.id for agent in tx.agents() if agent.region in regions]
    if from_us == -FOREVER_US:
        return list(tx.anchors(agents, -FOREVER_US, FOREVER_US))
    found: list[AnchorRound] = []
    for agent in agents:
        good_us = tx.last_good_anchor_us(agent, from_us)
        start_us = -FOREVER_US if good_us is None else good_us
        found += tx.anchors([agent], start_us, FOREVER_US)
    return found


def _filled(
    tx: Transaction,
    check: str,
    policies: Sequence[PolicyRevision],
    from_us: int,
    rounds: Sequence[AnchorRound],
) -> CheckEngine:
    """An engine with the samples from an instant on, and these rounds."""
    engine = CheckEngine(policies)
    for sample in tx.samples(check, from_us, FOREVER_US):
        engine.insert(sample)
    for one in rounds:
        engine.insert_anchor(one)
    return engine
