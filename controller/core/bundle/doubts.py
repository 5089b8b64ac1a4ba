"""Where two timelines of a check differ, and where they may: times on which something hangs that is not here."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.rules import Rules
from controller.core.intervals import FOREVER_US, Interval, clip, union
from controller.core.policy import reach_us
from controller.core.replay import ReplayedCheck, ReplayedInterval

# An agent's own trouble is told by rounds of anchors before and after it.
_ROUNDS_US: Final = 300 * 1_000_000
# Every line is sealed an hour after it was made, if ever.
_SETTLED_US: Final = 3600 * 1_000_000


class Doubt(NamedTuple):
    """A time whose verdicts cannot be told from what is here, and why.

    `is_recent`: the claim was made while it went on, when not every line was sealed.
    """

    span: Interval
    why: str
    is_recent: bool = False


def doubts_of(claim: ClaimNote, rules: Rules) -> Iterator[Doubt]:
    """The doubts about a check that the claim itself says."""
    if rules.since_us is not None:
        yield Doubt(
            Interval(-FOREVER_US, rules.since_us),
            "the log has no rules from before that time",
        )
    around_us = _ROUNDS_US + reach_us(rules.revisions)
    for one in claim.unsealed:
        yield Doubt(
            Interval(one.from_us - around_us, one.to_us + around_us),
            f"{one.last - one.first + 1} lines that counted are under no seal here ({one})",
            claim.as_of_us < min(claim.to_us, one.from_us) + _SETTLED_US,
        )


def differing(
    said: ReplayedCheck, found: ReplayedCheck, from_us: int, to_us: int
) -> list[Interval]:
    """When two accounts of [from_us, to_us) differ: in a verdict, in one of the bounds, in outages or in samples."""
    spans: list[tuple[int, int]] = []
    for mine, other in (
        (said.intervals, found.intervals),
        (said.intervals_min, found.intervals_min),
        (said.intervals_max, found.intervals_max),
    ):
        spans += [] if mine is None else _otherwise(mine, other or [], from_us, to_us)
    outages = [{(one.started_at, one.ended_at) for one in each.outages} for each in (said, found)]
    for start, end in outages[0] ^ outages[1]:
        # What touches the ends of the time is cut there by one account and not by the other.
        if from_us < start and end is not None and end < to_us:
            spans.append((start, end))
    if said.samples is not None:
        samples = [
            Counter((one.at, one.outcome == "down", one.took) for one in each.samples or ())
            for each in (said, found)
        ]
        # As often as it stands there: each counts.
        more = (samples[0] - samples[1]) + (samples[1] - samples[0])
        spans += [(at_us, at_us + 1) for at_us, _, _ in more]
    return clip(union(spans), from_us, to_us)


def _otherwise(
    mine: Sequence[ReplayedInterval], other: Sequence[ReplayedInterval], from_us: int, to_us: int
) -> list[Interval]:
    """When two timelines say different things; where one is silent the other one must be, too."""
    cuts = sorted({from_us, to_us, *(at for one in (*mine, *other) for at in (one.start, one.end))})
    found: list[Interval] = []
    places = [0, 0]
    for start, end in itertools.pairwise(cuts):
        verdicts = []
        for which, listed in enumerate((mine, other)):
            while places[which] < len(listed) and listed[places[which]].end <= start:
                places[which] += 1
            at = places[which]
            is_told = at < len(listed) and listed[at].start <= start
            verdicts.append(listed[at].verdict if is_told else None)
        if verdicts[0] is not verdicts[1]:
            found.append(Interval(start, end))
    return found
