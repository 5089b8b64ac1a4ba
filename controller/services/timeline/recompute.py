"""What is stored of checks beside what their stored lines say, computed again by the batch oracle.

Of lines that were pruned it is known what they counted as: that takes their place, so that no time is without them.

Memory is bounded: lines are read once to count them, then once more for every so many results.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Final

from controller.core.admission import Admitted, admitted_line, precedence
from controller.core.intervals import FOREVER_US
from controller.core.outages import outages, spans
from controller.core.policy import PolicyRevision
from controller.core.regional import WholeView, regional_outages, voting
from controller.core.samples import AnchorRound, Quarantined, Sample
from controller.core.timeline import EvidenceSet, evidence_until, judged_samples, timeline
from controller.ports.agents import AgentRecord
from controller.ports.outcomes import OutageScope
from controller.ports.storage import Transaction
from controller.services.fleet.policies import Policies
from controller.services.outages.outage_body import OutageBody, body_of, decode_body
from controller.services.results.export import exported
from controller.services.timeline.comparison import Told, filed_otherwise, told_otherwise
from controller.services.timeline.intervals import START_US
from controller.services.timeline.intervals import stored as stored_form
from controller.services.timeline.pruned_evidence import PrunedEvidence
from vedette.shared.result import Outcome

_RESULTS_AT_ONCE: Final = 500_000

Opens = Callable[[], AbstractContextManager[Transaction]]


@dataclass(slots=True)
class Recomputed:
    """How much was compared, and what differs: (check, what) for each difference.

    `pruned` of the results are of lines that are not kept any more: they were taken as they are kept.
    """

    checks: int = 0
    results: int = 0
    pruned: int = 0
    intervals: int = 0
    outages: int = 0
    differences: list[tuple[str, str]] = field(default_factory=list)


def recomputed(
    opens: Opens, only: Sequence[str] = (), results_at_once: int = _RESULTS_AT_ONCE
) -> Recomputed:
    """Compare every check, or `only` these. Nothing else may write meanwhile."""
    with opens() as tx:
        known, pruned = Policies().known(tx), PrunedEvidence(tx)
    wanted = set(only or known) & set(known)
    counts: Counter[str] = Counter()
    rounds: dict[str, list[AnchorRound]] = {}
    regions = {agent.id: agent.region for agent in _agents(opens)}
    for item in counted(opens):
        if isinstance(item, Sample):
            counts[item.check] += 1
        else:
            rounds.setdefault(regions.get(item.agent, ""), []).append(item)
    if pruned:
        _add_pruned(opens, pruned, wanted, counts, rounds)
    found = Recomputed()
    for group in _groups(sorted(wanted), counts, results_at_once):
        samples: dict[str, list[Sample]] = {check: [] for check in group}
        for item in counted(opens):
            if isinstance(item, Sample) and item.check in samples:
                samples[item.check].append(item)
        for check, own in samples.items():
            heard = [one for name in _regions(known[check]) for one in rounds.get(name, ())]
            with opens() as tx:
                gone = pruned.samples(tx, check, own)
                found.pruned += len(gone)
                evidence = evidence_until([*own, *gone], heard, FOREVER_US)
                _compare(tx, check, known[check], evidence, found)
    return found


def _add_pruned(
    opens: Opens,
    pruned: PrunedEvidence,
    wanted: Iterable[str],
    counts: Counter[str],
    rounds: dict[str, list[AnchorRound]],
) -> None:
    """Count the results of lines that were pruned, and add the anchor rounds among them."""
    with opens() as tx:
        for check in wanted:
            counts[check] += len(pruned.samples(tx, check, ()))
        for agent in tx.agents():
            own = rounds.setdefault(agent.region, [])
            own += pruned.rounds(tx, [agent.id], own)


def counted(opens: Opens) -> Iterator[Admitted]:
    """What stored lines count as, one item of each identity (S-2); those of one identity stand together."""
    held: Admitted | None = None
    for part in exported(opens):
        for line in part.splitlines():
            item = admitted_line(line)
            if isinstance(item, Quarantined):
                continue
            if held is not None and item[:4] == held[:4]:
                held = min(held, item, key=precedence)
                continue
            if held is not None:
                yield held
            held = item
    if held is not None:
        yield held


def _agents(opens: Opens) -> Sequence[AgentRecord]:
    with opens() as tx:
        return tx.agents()


def _groups(checks: Sequence[str], counts: Mapping[str, int], most: int) -> Iterator[list[str]]:
    """Checks whose results are read at once; one that has more than that stands alone."""
    group: list[str] = []
    size = 0
    for check in checks:
        if group and size + counts[check] > most:
            yield group
            group, size = [], 0
        group.append(check)
        size += counts[check]
    if group:
        yield group


def _regions(revisions: Sequence[PolicyRevision]) -> set[str]:
    return voting(revisions, -FOREVER_US, FOREVER_US)


def _compare(
    tx: Transaction,
    check: str,
    revisions: Sequence[PolicyRevision],
    evidence: EvidenceSet,
    found: Recomputed,
) -> None:
    """Add what a check comes to."""
    rows = [(one, decode_body(one.body)) for one in tx.outages(check, scope=OutageScope.ALL)]
    told = Told(
        tx.intervals(check, START_US, FOREVER_US),
        {body.id: body for _, body in rows},
        tx.settled_us(check) or START_US,
    )
    latest_us = max(
        [one.at_us for one in evidence.samples if one.outcome is not Outcome.AGENT_ERROR],
        default=START_US,
    )
    # What time alone changed is stored up to where it was told.
    end_us = max(latest_us + 1, told.intervals[-1].to_us if told.intervals else START_US)
    segments = timeline(evidence, revisions, START_US, end_us)
    bodies = _bodies(evidence, revisions, end_us)
    abandoned = [
        key
        for key, one in told.outages.items()
        if one.ended_us is not None and key in bodies and bodies[key].ended_us is None
    ]
    if abandoned:
        # Time alone ended them, and that is written without a change of the verdict.
        longest_us = max(r.policy.abandon_after_us for r in revisions if r.policy)
        later = _bodies(evidence, revisions, end_us + 2 * longest_us)
        bodies |= {key: later[key] for key in abandoned if key in later}
    found.checks += 1
    found.results += len(evidence.samples)
    found.intervals += len(told.intervals)
    found.outages += len(rows)
    differences = chain(
        filed_otherwise(rows), told_otherwise(told, stored_form(check, segments), bodies)
    )
    found.differences += [(check, text) for text in differences]


def _bodies(
    evidence: EvidenceSet, revisions: Sequence[PolicyRevision], end_us: int
) -> dict[str, OutageBody]:
    """Outages of the check as a whole and of single regions, as seen from an instant."""
    segments = timeline(evidence, revisions, -FOREVER_US, end_us)
    judged = partial(judged_samples, evidence)
    regional = regional_outages(
        WholeView(segments, judged),
        _regions(revisions),
        spans(segments),
        from_us=-FOREVER_US,
        to_us=end_us,
        reach_us=max((r.policy.freshness_us for r in revisions if r.policy), default=0),
    )
    return {one.id: body_of(one) for one in (*outages(segments, judged), *regional)}
