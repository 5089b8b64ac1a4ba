"""What an agent's samples say of its region: confirmed labels, how long they hold, what is voided.

S-6 (confirmation, back-dated), S-7 (hold and freshness), S-8 (bounds), S-9 (agents of one region),
S-10 (the agent's own trouble).
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from controller.core.admission import sample_order
from controller.core.intervals import FOREVER_US, Interval
from controller.core.policy import Policy
from controller.core.samples import AnchorRound, Sample
from vedette.shared.result import Outcome


class Label(IntEnum):
    """What a region says at an instant."""

    NONE = 0
    UP = 1
    DEGRADED = 2
    DOWN = 3

    # Votes are looked up by the million, and an enumeration's own hash is computed in Python.
    __hash__ = int.__hash__


class Vote(NamedTuple):
    """A label as attributed, and the least and the most downtime that the evidence allows (S-8)."""

    label: Label
    low: Label
    high: Label


class Hold(NamedTuple):
    """A vote and the time over which it stands."""

    from_us: int
    to_us: int
    vote: Vote


class Said(NamedTuple):
    """A sample that is evidence, with its label and when that label became certain.

    `confirmed_us` is the event time of the sample that completed the run (S-6), of the sample itself where
    none was needed.
    """

    sample: Sample
    label: Label
    confirmed_us: int

    @property
    def is_blip(self) -> bool:
        """A failure that no other confirmed (S-6)."""
        return self.sample.outcome is Outcome.DOWN and self.label is not Label.DOWN


NO_VOTE: Final = Vote(Label.NONE, Label.NONE, Label.NONE)
_NONE, _UP, _DEGRADED, _DOWN = Label.NONE, Label.UP, Label.DEGRADED, Label.DOWN
_VOTES: Final = {
    (_NONE, False): NO_VOTE,
    (_NONE, True): NO_VOTE,
    (_UP, False): Vote(_UP, _UP, _UP),
    (_UP, True): Vote(_UP, _UP, _DOWN),
    (_DEGRADED, False): Vote(_DEGRADED, _DEGRADED, _DEGRADED),
    (_DEGRADED, True): Vote(_DEGRADED, _DEGRADED, _DOWN),
    (_DOWN, False): Vote(_DOWN, _UP, _DOWN),
    (_DOWN, True): Vote(_DOWN, _DOWN, _DOWN),
}
OWN_LABEL: Final = {Outcome.UP: _UP, Outcome.DEGRADED: _DEGRADED, Outcome.DOWN: _DOWN}
"""The label that a confirmed sample gets; agent_error has none, because it is never evidence (S-4)."""


def vote_of(label: Label, *, is_next_down: bool) -> Vote:
    """The three labels of a hold (S-8); `is_next_down`: the next sample, less than F away, says DOWN."""
    return _VOTES[label, is_next_down]


def bad_intervals(rounds: Iterable[AnchorRound]) -> list[Interval]:
    """When an agent's own network was in trouble, by its anchor rounds (S-10).

    From the last good round before the first bad one, or from the bad one itself, to the next good one,
    or for ever if there is none yet.
    """
    found: list[Interval] = []
    good_us: int | None = None
    bad_us: int | None = None
    for one in sorted(rounds, key=sample_order):
        if one.is_bad:
            if bad_us is None:
                bad_us = one.at_us if good_us is None else good_us
        else:
            if bad_us is not None and bad_us < one.at_us:
                found.append(Interval(bad_us, one.at_us))
            good_us, bad_us = one.at_us, None
    if bad_us is not None:
        found.append(Interval(bad_us, FOREVER_US))
    return found


def admissible(samples: Iterable[Sample], bad: Sequence[Interval]) -> list[Sample]:
    """The samples that are evidence, in the order of S-6: neither agent errors nor voided."""
    return sorted(
        (
            sample
            for sample in samples
            if sample.outcome is not Outcome.AGENT_ERROR
            and not any(start <= sample.at_us < end for start, end in bad)
        ),
        key=sample_order,
    )


def confirmed(evidence: Sequence[Sample], policy: Policy) -> list[Said]:
    """The label of each sample of one agent (S-6). NONE: not confirmed while nothing was known."""
    said: list[Said] = []
    state, run, previous_us = Label.NONE, 0, None
    for index, sample in enumerate(evidence):
        if previous_us is not None and sample.at_us - previous_us >= policy.freshness_us:
            state, run = Label.NONE, 0
        previous_us = sample.at_us
        own = OWN_LABEL[sample.outcome]
        side = Label.DOWN if own is Label.DOWN else Label.UP
        if side is state or (side is Label.UP and state is Label.NONE):
            state, run = side, 0
            said.append(Said(sample, own, sample.at_us))
            continue
        run += 1
        said.append(Said(sample, state, sample.at_us))
        if run >= (policy.fail_after if side is Label.DOWN else policy.recover_after):
            for place in range(index - run + 1, index + 1):
                one = evidence[place]
                said[place] = Said(one, OWN_LABEL[one.outcome], sample.at_us)
            state, run = side, 0
    return said


def holds(said: Sequence[Said], policy: Policy, bad: Sequence[Interval]) -> list[Hold]:
    """Over which time each label stands (S-7), with its bounds (S-8). Times without one are left out."""
    found: list[Hold] = []
    for index, (sample, label, _) in enumerate(said):
        end_us = stale_us = sample.at_us + policy.freshness_us
        is_next_down = False
        if index + 1 < len(said):
            next_us = said[index + 1].sample.at_us
            end_us = min(stale_us, next_us)
            is_next_down = next_us < stale_us and said[index + 1].label is Label.DOWN
        end_us = cut_at_trouble(sample.at_us, end_us, bad)
        if label is not Label.NONE and sample.at_us < end_us:
            found.append(Hold(sample.at_us, end_us, vote_of(label, is_next_down=is_next_down)))
    return found


def cut_at_trouble(from_us: int, to_us: int, bad: Sequence[Interval]) -> int:
    """The end of a hold that must not cross the start of a bad interval (S-10)."""
    return min((start for start, _ in bad if from_us < start < to_us), default=to_us)


def merged_label(labels: Iterable[Label]) -> Label:
    """What the agents of one region say together (S-9)."""
    said = [label for label in labels if label is not Label.NONE]
    if not said:
        return Label.NONE
    others = [label for label in said if label is not Label.DOWN]
    if not others:
        return Label.DOWN
    return Label.DEGRADED if all(label is Label.DEGRADED for label in others) else Label.UP


def merged_vote(votes: Sequence[Vote]) -> Vote:
    """What the agents of one region say together, in each of the three timelines."""
    if len(votes) == 1:
        return votes[0]
    return Vote(
        merged_label(vote.label for vote in votes),
        merged_label(vote.low for vote in votes),
        merged_label(vote.high for vote in votes),
    )
