"""What one agent sent: how far its numbers go, its own trouble, and its evidence from one region."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from controller.core.admission import sample_order
from controller.core.intervals import FOREVER_US, Interval
from controller.core.labels import bad_intervals
from controller.core.samples import AnchorRound, Sample

if TYPE_CHECKING:
    from controller.core.track import Track


class Speaker:
    """An agent: how far its numbers go, and when its own network was in trouble."""

    __slots__ = (
        "bad",
        "epoch",
        "has_forgotten",
        "last_seq",
        "round_seqs",
        "rounds",
        "seqs",
        "stream",
        "trouble_until_us",
    )

    def __init__(self) -> None:
        self.epoch = ""
        self.stream = ""
        self.last_seq = -FOREVER_US
        self.seqs: dict[tuple[str, str], int] = {}
        self.rounds: list[AnchorRound] = []
        self.round_seqs: dict[tuple[str, str], int] = {}
        self.bad: list[Interval] = []
        self.trouble_until_us = -FOREVER_US
        self.has_forgotten = False  # rounds before the first that is held

    def hear(self, sample: Sample) -> None:
        """Remember the highest number of the sample's stream."""
        key = (sample.epoch, sample.stream)
        if key != (self.epoch, self.stream):
            self.seqs[self.epoch, self.stream] = self.last_seq
            self.epoch, self.stream = key
            self.last_seq = self.seqs.get(key, -FOREVER_US)
        self.last_seq = max(self.last_seq, sample.seq)

    def has_passed(self, sample: Sample) -> bool:
        """A sample of this number may have been heard before."""
        if (sample.epoch, sample.stream) == (self.epoch, self.stream):
            return sample.seq <= self.last_seq
        return sample.seq <= self.seqs.get((sample.epoch, sample.stream), -FOREVER_US)

    def is_before_held(self, anchor: AnchorRound) -> bool:
        """What a round does hangs on rounds that are forgotten."""
        if not self.has_forgotten or not self.rounds:
            return False
        first = self.rounds[0]
        return sample_order(anchor) < sample_order(first) or anchor[:4] == first[:4]

    def round_like(self, anchor: AnchorRound) -> AnchorRound | None:
        """The round of the same identity that is held, or None."""
        if anchor.seq > self.round_seqs.get((anchor.epoch, anchor.stream), -FOREVER_US):
            return None
        return next((one for one in self.rounds if one[:4] == anchor[:4]), None)

    def hear_round(self, anchor: AnchorRound) -> None:
        """Remember the highest number of the round's stream."""
        key = (anchor.epoch, anchor.stream)
        self.round_seqs[key] = max(anchor.seq, self.round_seqs.get(key, -FOREVER_US))

    def is_voided(self, at_us: int) -> bool:
        """A sample at `at_us` lies in a bad interval (S-10)."""
        place = bisect_right(self.bad, at_us, key=_start) - 1
        return place >= 0 and at_us < self.bad[place].to_us

    def forget(self, before_us: int) -> None:
        """Drop rounds that no bad interval after `before_us` hangs on: those before the last good one."""
        good = [i for i, one in enumerate(self.rounds) if one.at_us <= before_us and not one.is_bad]
        if good:
            del self.rounds[: good[-1]]
            self.put_bad(bad_intervals(self.rounds))

    def put_bad(self, bad: list[Interval]) -> None:
        """Replace the bad intervals."""
        self.bad = bad
        self.trouble_until_us = bad[-1].to_us if bad else -FOREVER_US


def _start(interval: Interval) -> int:
    return interval.from_us


class Source:
    """What one agent sent from one region: evidence in the order of S-6, and what is voided.

    Evidence up to `known_us` is not held one by one: samples of the same effect stand for it.
    """

    __slots__ = (
        "agent", "evidence", "has_forgotten", "known_us", "last_us", "region", "speaker", "tracks",
        "voided",
    )  # fmt: skip

    def __init__(self, region: str, agent: str, speaker: Speaker) -> None:
        self.region = region
        self.agent = agent
        self.speaker = speaker
        self.evidence: list[Sample] = []
        self.voided: list[Sample] = []
        self.last_us = -FOREVER_US
        self.tracks: list[Track] = []
        self.has_forgotten = False
        self.known_us = -FOREVER_US

    def place_of(self, at_us: int) -> int:
        """Index of the first evidence at or after `at_us`."""
        return place_at(self.evidence, at_us)

    def refresh_last(self) -> None:
        """Set the time of the newest evidence after the list was changed."""
        self.last_us = self.evidence[-1].at_us if self.evidence else -FOREVER_US

    def forget(self, tracks: Sequence["Track"], before_us: int) -> None:
        """Drop samples before `before_us`, as far as no track has an open run across the cut."""
        count = place_at(self.evidence, before_us)
        while True:
            kept = min((track.keeps_from(count) for track in tracks), default=count)
            if kept == count:
                break
            count = kept
        for track in tracks:
            track.forget(count)
        self.has_forgotten = self.has_forgotten or count > 0
        del self.evidence[:count]
        del self.voided[: place_at(self.voided, before_us)]


def place_at(samples: list[Sample], at_us: int) -> int:
    """Index of the first sample at or after `at_us`, the samples being in order of time."""
    low, high = 0, len(samples)
    while low < high:
        middle = (low + high) // 2
        if samples[middle].at_us < at_us:
            low = middle + 1
        else:
            high = middle
    return low


def place_for(samples: list[Sample], sample: Sample) -> int:
    """Index at which `sample` stands, or belongs, in the order of S-6."""
    order = sample_order(sample)
    low, high = 0, len(samples)
    while low < high:
        middle = (low + high) // 2
        if sample_order(samples[middle]) < order:
            low = middle + 1
        else:
            high = middle
    return low
