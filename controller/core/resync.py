"""From when on labels are certain though what came before is not known (S-6, S-23).

The automaton of S-6 forgets: enough results of one kind in a row, or a gap, bring it to the same state
from whatever state it was in. So a timeline can be computed from a part of the evidence.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from controller.core.labels import OWN_LABEL, Label, admissible, bad_intervals
from controller.core.outages import NOT_SEPARATED, separation
from controller.core.policy import Policy, PolicyRevision
from controller.core.quorum import Verdict
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import EvidenceSet, Segment

_State = tuple[Label, int]
"""The confirmed side, and how many results in a row contradict it."""

_AT_FIRST: Final[_State] = (Label.NONE, 0)


def agreed_us(evidence: Sequence[Sample], policy: Policy, from_us: int) -> int | None:
    """Event time of the first sample after which the state is known; None if that never happens.

    `evidence` is what counts of one agent from `from_us` on, in the order of S-6; what came before it is
    not known.
    """
    states: set[_State] = {
        (side, run)
        for side, limit in (
            (Label.NONE, policy.fail_after),
            (Label.UP, policy.fail_after),
            (Label.DOWN, policy.recover_after),
        )
        for run in range(limit)
    }
    # The one before the first may have been the instant before.
    previous_us = from_us
    for sample in evidence:
        if sample.at_us - previous_us >= policy.freshness_us:
            states = {_AT_FIRST}
        previous_us = sample.at_us
        side = Label.DOWN if OWN_LABEL[sample.outcome] is Label.DOWN else Label.UP
        states = {_after(state, side, policy) for state in states}
        if len(states) == 1:
            return sample.at_us
    return None


def _after(state: _State, side: Label, policy: Policy) -> _State:
    confirmed, run = state
    if side is confirmed or (side is Label.UP and confirmed is Label.NONE):
        return side, 0
    needed = policy.fail_after if side is Label.DOWN else policy.recover_after
    return (side, 0) if run + 1 >= needed else (confirmed, run + 1)


def sure_us(
    evidence: EvidenceSet, policies: Iterable[Policy], from_us: int, end_us: int
) -> int | None:
    """The instant from which every vote is known by what was heard in [from_us, end_us) alone.

    None if some agent's votes after `end_us` can still depend on what came before. `evidence` must hold
    the anchor rounds from the last good one before `from_us` on.
    """
    rounds: dict[str, list[AnchorRound]] = {}
    for one in evidence.rounds:
        rounds.setdefault(one.agent, []).append(one)
    heard: dict[tuple[str, str], list[Sample]] = {}
    for sample in evidence.samples:
        if from_us <= sample.at_us < end_us:
            heard.setdefault((sample.region, sample.agent), []).append(sample)
    found_us = from_us
    by_rules = {(policy.label_rules, policy.regions): policy for policy in policies}
    bad = {agent: bad_intervals(own) for agent, own in rounds.items()}
    for (region, agent), own in heard.items():
        counted = admissible(own, bad.get(agent, ()))
        for policy in by_rules.values():
            if not counted or region not in policy.regions:
                continue
            known_us = agreed_us(counted, policy, from_us)
            if known_us is None:
                # Its next sample finds it reset, if it has been silent for long enough.
                known_us = counted[-1].at_us + policy.freshness_us
                if known_us > end_us:
                    return None
            found_us = max(found_us, known_us)
    longest_us = max((policy.freshness_us for policy in by_rules.values()), default=0)
    return max(found_us, from_us + longest_us)


def is_parted(segments: Sequence[Segment], policies: Iterable[PolicyRevision]) -> bool:
    """No outage from before a timeline can reach beyond its end.

    Since the last DOWN time in it, or since its beginning, enough time has passed under any of the
    policies (S-15).
    """
    last = max((i for i, s in enumerate(segments) if s.verdict is Verdict.DOWN), default=-1)
    after = segments[last + 1 :]
    known = [one.policy for one in policies if one.policy is not None]
    return bool(known) and all(
        separation(policy, after).at_us < NOT_SEPARATED.at_us for policy in known
    )
