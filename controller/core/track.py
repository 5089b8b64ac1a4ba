"""One agent's samples under one policy, with labels that are kept up to date as samples come."""

from collections.abc import Iterator
from typing import Final, Protocol

from controller.core.intervals import FOREVER_US
from controller.core.labels import (
    OWN_LABEL,
    Hold,
    Label,
    Said,
    cut_at_trouble,
    vote_of,
)
from controller.core.policy import Policy
from controller.core.source import Source
from vedette.shared.result import Outcome

_RUN_BITS: Final = 8
_RUN_MASK: Final = (1 << _RUN_BITS) - 1
_NOTHING: Final = 0
_LABELS: Final = tuple(Label)
_UP: Final = Label.UP
_DEGRADED: Final = Label.DEGRADED
_DOWN: Final = Label.DOWN
_OWN: Final = OWN_LABEL
_SURE_DOWN: Final = Label.DOWN << _RUN_BITS
# Compared by identity: the hash of an enumeration is computed in Python.
_SUCCESS: Final = Outcome.UP
_FAILURE: Final = Outcome.DOWN


class Outlook(Protocol):
    """What a track needs to know of the evaluation that it is part of."""

    policy: Policy
    frontier_us: int
    closing_us: int
    next_expiry_us: int

    def holds_until(self, at_us: int) -> bool:
        """No vote runs out in (frontier_us, at_us]."""
        ...

    def stayed_down(self, track: "Track", at_us: int) -> bool:
        """Take a failure after a failure, if nothing but the least downtime changes."""
        ...

    def took_last(self, track: "Track", at_us: int) -> None:
        """Label the sample that was just added at the end of a track, at `at_us`."""
        ...


class Track:
    """Labels of a source's evidence under one policy, and the state of the automaton after each sample.

    A state is the confirmed side and the length of the run against it. The lists may be shorter than the
    evidence: samples long after the policy's time are not read.
    """

    __slots__ = (
        "base_state",
        "base_us",
        "expires_us",
        "is_alone",
        "labels",
        "outlook",
        "rank",
        "source",
        "states",
    )

    def __init__(self, outlook: Outlook, source: Source, rank: int) -> None:
        self.outlook = outlook
        self.source = source
        self.rank = rank
        self.labels: list[Label] = []
        self.states: list[int] = []
        self.base_state = _NOTHING
        self.base_us: int | None = None
        self.expires_us = -FOREVER_US
        self.is_alone = True  # no other agent speaks for the region

    def went_on(self, at_us: int, outcome: Outcome) -> bool:
        """Take the sample that was just added at the end, if it changes no vote; else leave it.

        This is the way of nearly every sample: the same confirmed label, before the last one went stale.
        """
        outlook = self.outlook
        frontier_us = outlook.frontier_us
        newest_us = max(frontier_us, at_us)
        if newest_us >= self.expires_us or at_us >= outlook.closing_us:
            return False
        state = self.states[-1]
        if state >> _RUN_BITS != _UP:
            is_same = state == _SURE_DOWN and outcome is _FAILURE
            return is_same and outlook.stayed_down(self, at_us)
        label = _UP if outcome is _SUCCESS else _DEGRADED
        if outcome is _FAILURE:
            state += 1
            if state & _RUN_MASK >= outlook.policy.fail_after or at_us <= frontier_us:
                return False
            label = _UP
        else:
            state = _UP << _RUN_BITS
        if label is not self.labels[-1]:
            return False
        if newest_us >= outlook.next_expiry_us and not outlook.holds_until(newest_us):
            return False
        self.labels.append(label)
        self.states.append(state)
        self.expires_us = at_us + outlook.policy.freshness_us
        outlook.frontier_us = newest_us
        return True

    def add_down(self, at_us: int) -> None:
        """Label the sample that was just added at the end: one more failure."""
        self.labels.append(_DOWN)
        self.states.append(_SURE_DOWN)
        self.expires_us = at_us + self.outlook.policy.freshness_us

    def replace(self, index: int, removed: int, inserted: int) -> tuple[int, int]:
        """Label `inserted` samples that took the place of `removed` ones at `index`.

        Gives the first and the last index at which a label, or the hold of one, may differ. Runs the
        automaton from there until it is in the state in which it was before (S-23).
        """
        self.labels[index : index + removed] = [Label.NONE] * inserted
        self.states[index : index + removed] = [_NOTHING] * inserted
        state = self.states[index - 1] if index else self.base_state
        side, run = state >> _RUN_BITS, state & _RUN_MASK
        first = index - run
        for place in range(first, index):
            self.labels[place] = _LABELS[side]
        same_from = index + inserted + bool(removed)
        return first, self._run_from(index, index + inserted, same_from, state)

    def _run_from(self, index: int, old_from: int, same_from: int, state: int) -> int:
        """Label from `index` on; states at `old_from` and later are those of the last time.

        From `same_from` on, a sample that comes after a silence came after one the last time too: nothing
        before it reaches it. A week that is delivered late costs no more than what it holds.
        """
        evidence, policy = self.source.evidence, self.outlook.policy
        previous_us = evidence[index - 1].at_us if index else self.base_us
        for place in range(index, len(self.labels)):
            sample = evidence[place]
            if previous_us is not None and sample.at_us - previous_us >= policy.freshness_us:
                if place >= same_from:
                    return place - 1
                state = _NOTHING
            previous_us = sample.at_us
            state = self._step(place, state, policy)
            is_old = place >= old_from and state == self.states[place]
            self.states[place] = state
            if is_old and not state & _RUN_MASK:
                return place
        return len(self.labels) - 1

    def _step(self, place: int, state: int, policy: Policy) -> int:
        """The state after the sample at `place`; sets its label, and those of the run that it completes."""
        own = _OWN[self.source.evidence[place].outcome]
        side = _DOWN if own is _DOWN else _UP
        confirmed = state >> _RUN_BITS
        if side == confirmed or (side is _UP and not confirmed):
            self.labels[place] = own
            return side << _RUN_BITS
        run = (state & _RUN_MASK) + 1
        if run < (policy.fail_after if side is _DOWN else policy.recover_after):
            self.labels[place] = _LABELS[confirmed]
            return (confirmed << _RUN_BITS) + run
        for earlier in range(place - run + 1, place + 1):
            self.labels[earlier] = _OWN[self.source.evidence[earlier].outcome]
        return side << _RUN_BITS

    def holds(self, from_us: int, to_us: int) -> Iterator[Hold]:
        """The holds that touch [from_us, to_us)."""
        evidence, bad = self.source.evidence, self.source.speaker.bad
        freshness_us = self.outlook.policy.freshness_us
        count = len(self.labels)
        for index in range(max(0, self.source.place_of(from_us + 1) - 1), count):
            start_us = evidence[index].at_us
            if start_us >= to_us:
                return
            if self.labels[index] is Label.NONE:
                continue
            end_us = stale_us = start_us + freshness_us
            is_next_down = False
            if index + 1 < count:
                next_us = evidence[index + 1].at_us
                end_us = min(stale_us, next_us)
                is_next_down = next_us < stale_us and self.labels[index + 1] is Label.DOWN
            if bad:
                end_us = cut_at_trouble(start_us, end_us, bad)
            if start_us < end_us:
                yield Hold(start_us, end_us, vote_of(self.labels[index], is_next_down=is_next_down))

    def said(self, from_us: int, to_us: int) -> Iterator[Said]:
        """The judged samples with from_us <= t < to_us."""
        evidence = self.source.evidence
        for index in range(self.source.place_of(from_us), len(self.labels)):
            sample = evidence[index]
            if sample.at_us >= to_us:
                return
            yield Said(sample, self.labels[index], self._confirmed_us(index))

    def _confirmed_us(self, index: int) -> int:
        """Event time of the sample that made the label at `index` certain."""
        label = self.labels[index]
        side = _DOWN if label is _DOWN else _UP if label else label
        place = index
        while self.states[place] >> _RUN_BITS != side:
            place += 1
        return self.source.evidence[place].at_us

    def refresh_expiry(self) -> None:
        """Set the instant at which the last vote runs out, after the lists were changed."""
        if not self.labels:
            self.expires_us = -FOREVER_US
            return
        last_us = self.source.evidence[len(self.labels) - 1].at_us
        stale_us = last_us + self.outlook.policy.freshness_us
        self.expires_us = cut_at_trouble(last_us, stale_us, self.source.speaker.bad)

    def forget(self, count: int) -> None:
        """Drop the first `count` labels; the caller drops the samples. The state before stays known."""
        if count:
            self.base_state = self.states[count - 1]
            self.base_us = self.source.evidence[count - 1].at_us
            del self.labels[:count]
            del self.states[:count]

    def run_start_us(self, at_us: int) -> int:
        """`at_us`, or the start of the unconfirmed run that lies across it."""
        place = min(self.source.place_of(at_us), len(self.labels))
        run = self.states[place - 1] & _RUN_MASK if place else 0
        return self.source.evidence[place - run].at_us if run else at_us

    def resume(self, label: Label) -> None:
        """Label all evidence the same: what was confirmed goes on."""
        count = len(self.source.evidence)
        self.labels = [label] * count
        self.states = [_UP << _RUN_BITS] * count
        self.refresh_expiry()

    def keeps_from(self, count: int) -> int:
        """The largest number, at most `count`, of labels that can be dropped without cutting a run."""
        count = min(count, len(self.labels))
        while count and self.states[count - 1] & _RUN_MASK:
            count -= 1
        return count
