"""What PARTIAL time weighs (S-14), for timelines of which storage keeps the verdicts and not the votes."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Final

from controller.core.intervals import Interval, union
from controller.core.policy import Policy, PolicyRevision, in_force
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.timeline import Segment, segment_weights, timeline
from controller.ports.outcomes import StoredInterval
from controller.ports.storage import Transaction
from controller.services.timeline.history import History
from controller.services.timeline.intervals import cut

# PARTIAL times that are no further apart are judged again from one reading of the evidence.
_NEAR_US: Final = 3600 * 1_000_000
_BY_VOTES: Final = frozenset({"regions", "weights"})


def stretches_of(segments: Iterable[Segment]) -> list[Stretch]:
    """Segments without their votes; neighbours differ in a verdict, or in what PARTIAL time weighs."""
    return _merged(
        Stretch(one.from_us, one.to_us, *one.verdicts, segment_weights(one)) for one in segments
    )


def weighed(
    tx: Transaction,
    check: str,
    revisions: Sequence[PolicyRevision],
    intervals: Sequence[StoredInterval],
    horizon_us: int,
) -> list[Stretch]:
    """Stored intervals of a check with what their PARTIAL time weighs, by the policy in force at each instant.

    Where that hangs on who voted how, it is judged again from the evidence around these times.
    """
    if not intervals:
        return []
    found: list[Stretch] = []
    for from_us, to_us, policy in in_force(revisions, intervals[0].from_us, intervals[-1].to_us):
        own = [
            cut(one, max(one.from_us, from_us), min(one.to_us, to_us))
            for one in intervals
            if one.from_us < to_us and one.to_us > from_us
        ]
        if policy is not None and policy.partial_weight in _BY_VOTES:
            history = History(tx, check, revisions, horizon_us)
            found += _judged_again(history, revisions, own)
        else:
            found += [_stretch(one, policy) for one in own]
    return _merged(found)


def _stretch(one: StoredInterval, policy: Policy | None) -> Stretch:
    """An interval under a policy that weighs PARTIAL time not at all, or in full."""
    said = Verdict(one.verdict), Verdict(one.low), Verdict(one.high)
    counts = policy is not None and policy.partial_weight == "1"
    figure, low, high = (Fraction(int(counts and each is Verdict.PARTIAL)) for each in said)
    return Stretch(one.from_us, one.to_us, *said, (figure, low, high))


def _is_partial(one: StoredInterval) -> bool:
    return Verdict.PARTIAL.value in {str(one.verdict), str(one.low), str(one.high)}


def _judged_again(
    history: History, revisions: Sequence[PolicyRevision], intervals: Sequence[StoredInterval]
) -> Iterator[Stretch]:
    """The intervals; those that are PARTIAL in one of their timelines from evidence."""
    partial = [Interval(one.from_us, one.to_us) for one in intervals if _is_partial(one)]
    yield from (_stretch(one, None) for one in intervals if not _is_partial(one))
    for near in _grouped(partial):
        first_us, last_us = near[0].from_us, near[-1].to_us
        evidence = history.evidence(first_us, last_us)
        for span in near:
            yield from stretches_of(timeline(evidence, revisions, *span))


def _grouped(spans: Sequence[Interval]) -> Iterator[list[Interval]]:
    """The spans, those together that are near one another."""
    groups = union((one.from_us, one.to_us + _NEAR_US) for one in spans)
    for from_us, to_us in groups:
        yield [one for one in spans if from_us <= one.from_us < to_us]


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """In order of time, neighbours that say the same made one."""
    found: list[Stretch] = []
    for one in sorted(stretches, key=lambda each: each.from_us):
        if found and found[-1].to_us == one.from_us and found[-1][2:] == one[2:]:
            found[-1] = found[-1]._replace(to_us=one.to_us)
        else:
            found.append(one)
    return found
