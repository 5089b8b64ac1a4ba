"""One policy's timeline, kept up to date: the segments up to the newest sample, and what changed."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from controller.core.intervals import FOREVER_US
from controller.core.labels import NO_VOTE, Hold, Label, Said, Vote, merged_vote, vote_of
from controller.core.policy import Policy
from controller.core.quorum import Verdict
from controller.core.source import Source
from controller.core.timeline import (
    ATTRIBUTED,
    HIGH,
    LOW,
    Judge,
    Segment,
    Votes,
    append_segment,
    segment_of,
    swept,
)
from controller.core.track import Track

_UNSURE: Final = vote_of(Label.DOWN, is_next_down=False)
_SURE: Final = vote_of(Label.DOWN, is_next_down=True)


class Touched(NamedTuple):
    """A stretch of time over which something may differ, and its first instant of another verdict."""

    from_us: int
    to_us: int
    differs_us: int | None


class Evaluation:
    """The timeline of one policy over the time for which it is in force.

    Segments are kept up to the frontier, the newest sample. What follows it (votes that run out one by one)
    is worked out when asked for, because every sample moves it.
    """

    __slots__ = (
        "_changes", "_judge", "closing_us", "from_us", "frontier_us", "next_expiry_us", "policy",
        "to_us", "touched", "tracks",
    )  # fmt: skip

    def __init__(self, policy: Policy, from_us: int, to_us: int) -> None:
        self.policy = policy
        self.from_us = from_us
        self.to_us = to_us
        runs = max(policy.fail_after, policy.recover_after)
        # A run that reaches back before the end spans less than its length times F (S-6), and a bound
        # looks one sample ahead (S-8): later samples cannot matter to this policy.
        self.closing_us = min(FOREVER_US, to_us + (runs + 1) * policy.freshness_us)
        self.frontier_us = -FOREVER_US
        self.next_expiry_us = -FOREVER_US
        self.tracks: list[Track] = []
        self.touched: list[Touched] = []
        self._judge = Judge(policy)
        self._changes: list[tuple[int, Votes]] = [(from_us, (NO_VOTE,) * len(policy.regions))]

    def advance(self, at_us: int) -> None:
        """Work the segments out up to `at_us`, though nothing was heard there."""
        at_us = min(at_us, self.to_us - 1)
        if at_us >= self.from_us and at_us > self.frontier_us:
            self._sweep(at_us, at_us, at_us, is_last=True)

    def track_of(self, source: Source) -> Track | None:
        """A new track for a source, or None if its region has no vote."""
        if source.region not in self.policy.regions:
            return None
        track = Track(self, source, self.policy.regions.index(source.region))
        for other in self.tracks:
            if other.rank == track.rank:
                track.is_alone = other.is_alone = False
        self.tracks.append(track)
        source.tracks.append(track)
        return track

    def holds_until(self, at_us: int) -> bool:
        """No vote runs out in (frontier_us, at_us], and the policy does not come into force there."""
        frontier_us = self.frontier_us
        self.next_expiry_us = min(
            (t.expires_us for t in self.tracks if t.expires_us > frontier_us), default=FOREVER_US
        )
        if frontier_us < self.from_us:
            self.next_expiry_us = min(self.next_expiry_us, self.from_us)
        return at_us < self.next_expiry_us

    def stayed_down(self, track: Track, at_us: int) -> bool:
        """Take a failure after a failure, if nothing but the least downtime changes.

        The hold before it is sure to be DOWN now, and this one is not yet (S-8); the votes as attributed
        stay. An outage of everything would otherwise cost a sweep for each sample.
        """
        if not track.is_alone:
            return False
        changes, rank = self._changes, track.rank
        previous_us = track.source.evidence[len(track.labels) - 1].at_us
        if at_us <= self.frontier_us or at_us >= self.to_us or previous_us < self.from_us:
            return False
        if at_us >= self.next_expiry_us and not self.holds_until(at_us):
            return False
        first = len(changes) - 1
        while changes[first][0] > previous_us:
            first -= 1
        before = changes[first - 1][1] if first else None
        value = self._judge.verdicts(changes[first][1])[ATTRIBUTED]
        new: list[tuple[int, Votes]] = []
        for start_us, votes in changes[first:]:
            is_same = self._judge.verdicts(votes)[ATTRIBUTED] is value
            if votes[rank] != _UNSURE or start_us < previous_us or not is_same:
                return False
            sure = (*votes[:rank], _SURE, *votes[rank + 1 :])
            if sure != before:
                new.append((start_us, sure))
                before = sure
        new.append((at_us, changes[-1][1]))
        changes[first:] = new
        self.frontier_us = at_us
        track.add_down(at_us)
        return True

    def took_last(self, track: Track, at_us: int) -> None:
        """Label the sample that was just added at the end of a track, at `at_us`."""
        if at_us >= self.closing_us:
            track.source.tracks.remove(track)
            self._sweep(at_us, at_us, at_us, is_last=True)
            return
        index = len(track.labels)
        first, _ = track.replace(index, 0, 1)
        evidence = track.source.evidence
        start_us = evidence[first].at_us
        # The vote before is another if this one bounds it; a vote that had run out is not touched.
        if first and start_us - evidence[first - 1].at_us < self.policy.freshness_us:
            start_us = evidence[first - 1].at_us
        track.refresh_expiry()
        self._sweep(start_us, track.expires_us, at_us, is_last=at_us > self.frontier_us)

    def replaced(
        self, track: Track, index: int, removed: int, inserted: int, span_us: tuple[int, int]
    ) -> None:
        """Label after evidence was replaced at `index`; `span_us` holds the times of what came and went."""
        labels = len(track.labels)
        evidence = track.source.evidence
        removed = max(0, min(removed, labels - index))
        grown = labels - removed
        if index <= grown:
            last = index
            while last < index + inserted and evidence[last].at_us < self.closing_us:
                last += 1
            first, end = track.replace(index, removed, last - index)
        else:
            first, end = grown, grown - 1
        track.refresh_expiry()
        start_us, end_us = span_us
        if first < len(track.labels):
            start_us = min(start_us, evidence[first].at_us)
        if 0 < first <= len(track.labels):
            start_us = min(start_us, evidence[first - 1].at_us)
        if 0 <= end < len(track.labels):
            end_us = max(end_us, evidence[end].at_us)
        newest_us = evidence[len(track.labels) - 1].at_us if track.labels else -FOREVER_US
        end_us = min(FOREVER_US, end_us + self.policy.freshness_us)
        self._sweep(start_us, end_us, newest_us, is_last=False)

    def _sweep(self, from_us: int, to_us: int, newest_us: int, *, is_last: bool) -> None:
        """Work the segments of [from_us, to_us) out again, and those up to a new frontier."""
        frontier_us = self.frontier_us
        if newest_us > frontier_us:
            from_us, to_us = min(from_us, frontier_us + 1), newest_us + 1
            self.frontier_us = newest_us
        else:
            to_us = min(to_us, frontier_us + 1)
        self.next_expiry_us = -FOREVER_US
        from_us, to_us = max(from_us, self.from_us), min(to_us, self.to_us)
        if from_us >= to_us:
            return
        resumes = to_us <= min(frontier_us, self.to_us - 1)
        found = swept(self._judge, self._holds(from_us, to_us), from_us, to_us)
        old = self._put(found, from_us, to_us, resumes=resumes)
        is_open = is_last and self.frontier_us < to_us < self.to_us
        goes_on = is_open and all(segment.verdict is Verdict.DOWN for segment in found)
        differs_us, matters = self._difference(old, found, goes_on=goes_on, is_last=is_open)
        if frontier_us < self.from_us:
            differs_us = self.from_us if differs_us is None else min(differs_us, self.from_us)
        if matters or not is_last or differs_us is not None:
            self.touched.append(Touched(from_us, to_us, differs_us))

    def _holds(self, from_us: int, to_us: int) -> Iterator[tuple[int, Iterator[Hold]]]:
        return ((track.rank, track.holds(from_us, to_us)) for track in self.tracks)

    def _put(
        self, found: Sequence[Segment], from_us: int, to_us: int, *, resumes: bool
    ) -> list[tuple[int, Votes]]:
        """Replace what is kept of [from_us, to_us); gives what was there, by the instants of change."""
        changes = self._changes
        left = bisect_right(changes, from_us, key=_at) - 1
        right = bisect_right(changes, to_us, key=_at) - 1
        old = [(max(at_us, from_us), votes) for at_us, votes in changes[left : right + 1]]
        new = [changes[left]] if changes[left][0] < from_us else []
        pieces = [(one.from_us, one.votes) for one in found]
        if resumes:
            pieces.append((to_us, changes[right][1]))
        before = new[-1][1] if new else changes[left - 1][1] if left else None
        for piece in pieces:
            if piece[1] != before:
                new.append(piece)
                before = piece[1]
        changes[left : right + 1] = new
        return [piece for piece in old if piece[0] < to_us]

    def _difference(
        self,
        old: Sequence[tuple[int, Votes]],
        found: Sequence[Segment],
        *,
        goes_on: bool,
        is_last: bool,
    ) -> tuple[int | None, bool]:
        """The first instant of another verdict, and whether an outage may be another.

        An outage that merely goes on is the same; only its least downtime grows.
        """
        matters = False
        place = 0
        for segment in found:
            while place + 1 < len(old) and old[place + 1][0] <= segment.from_us:
                place += 1
            index = place
            while index < len(old) and old[index][0] < segment.to_us:
                votes = old[index][1]
                if votes != segment.votes:
                    verdicts = self._judge.verdicts(votes)
                    if verdicts[ATTRIBUTED] is not segment.verdict:
                        return max(old[index][0], segment.from_us), True
                    matters = (
                        matters
                        or verdicts[HIGH] is not segment.verdicts[HIGH]
                        or (not goes_on and verdicts[LOW] is not segment.verdicts[LOW])
                        or _matters_to_regions(votes, segment.votes, found, goes_on=is_last)
                    )
                index += 1
        return None, matters

    def segments(self, from_us: int, to_us: int) -> list[Segment]:
        """The timeline over [from_us, to_us), as far as the policy is in force there."""
        start_us, end_us = max(from_us, self.from_us), min(to_us, self.to_us)
        known_us = min(end_us, self.frontier_us + 1)
        found: list[Segment] = []
        changes = self._changes
        index = max(0, bisect_right(changes, start_us, key=_at) - 1)
        while index < len(changes) and changes[index][0] < known_us:
            at_us, votes = changes[index]
            next_us = changes[index + 1][0] if index + 1 < len(changes) else known_us
            begin_us, stop_us = max(at_us, start_us), min(next_us, known_us)
            if begin_us < stop_us:
                append_segment(found, segment_of(self._judge, begin_us, stop_us, votes))
            index += 1
        tail_us = max(start_us, known_us)
        if tail_us < end_us:
            for segment in swept(self._judge, self._holds(tail_us, end_us), tail_us, end_us):
                append_segment(found, segment)
        return found

    def said(self, from_us: int, to_us: int) -> list[Said]:
        """The judged samples with from_us <= t < to_us, agent by agent."""
        return [one for track in self.tracks for one in track.said(from_us, to_us)]

    def rebuild(self) -> None:
        """Label all evidence again and sweep the whole time."""
        newest_us = -FOREVER_US
        for track in self.tracks:
            evidence = track.source.evidence
            count = sum(one.at_us < self.closing_us for one in evidence)
            track.replace(0, len(track.labels), count)
            track.refresh_expiry()
            if evidence:
                newest_us = max(newest_us, evidence[-1].at_us)
        if newest_us > -FOREVER_US:
            self.frontier_us = min(self.frontier_us, self.from_us - 1)
            self._sweep(self.from_us, FOREVER_US, newest_us, is_last=False)

    def take_bases(self, other: "Evaluation") -> None:
        """Start each track in the state in which another evaluation of the same policy starts it."""
        bases = {(t.source.region, t.source.agent): t for t in other.tracks}
        for track in self.tracks:
            known = bases.get((track.source.region, track.source.agent))
            if known is not None:
                track.base_state, track.base_us = known.base_state, known.base_us

    @property
    def is_calm(self) -> bool:
        """No vote changes, or may still, in all that is held; and none says DOWN."""
        votes = self._changes[0][1]
        return len(self._changes) == 1 and all(
            vote.label is vote.high and vote.label is not Label.DOWN for vote in votes
        )

    def resume(self) -> None:
        """Let what each track says stand for all the time that is held."""
        voices: list[list[Vote]] = [[] for _ in self.policy.regions]
        for track in self.tracks:
            label = track.labels[-1] if track.labels else Label.NONE
            voices[track.rank].append(vote_of(label, is_next_down=False))
        votes = tuple(merged_vote(own) if own else NO_VOTE for own in voices)
        self._changes = [(self.from_us, votes)]

    def forget_before(self, at_us: int) -> None:
        """Drop the segments before `at_us`, if there are any after it."""
        if self.from_us < at_us <= self.frontier_us:
            left = bisect_right(self._changes, at_us, key=_at) - 1
            self._changes[: left + 1] = [(at_us, self._changes[left][1])]
            self.from_us = at_us


def _matters_to_regions(old: Votes, new: Votes, found: Sequence[Segment], *, goes_on: bool) -> bool:
    """Whether an outage of a region may be another; not if it merely goes on, and its least downtime grows."""
    for rank, (before, after) in enumerate(zip(old, new, strict=True)):
        if before[0] is not after[0] or before[2] is not after[2]:
            return True
        if before[1] is not after[1] and not (
            goes_on and all(segment.votes[rank][0] is Label.DOWN for segment in found)
        ):
            return True
    return False


def _at(change: tuple[int, Votes]) -> int:
    return change[0]
