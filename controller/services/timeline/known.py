"""What storage held at an instant: every result, conflict and anchor round that had come by then (S-21).

Results are kept with what they count as now, and lines with when they came. So what was known is what counts
now, less what came later; and where a line that came later took the place of another under one identity
(S-2), that other one again.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Final, TypeVar

from controller.core.admission import Admitted, precedence
from controller.core.samples import AnchorRound, Sample
from controller.ports.agents import AgentRecord
from controller.ports.storage import Transaction
from controller.services.results.disputes import reading
from vedette.shared.identity import ResultId

_FIRST_WINDOW_US: Final = 3600 * 1_000_000
_WIDER: Final = 8
_StreamKey = tuple[str, str, str]
_T = TypeVar("_T", Sample, AnchorRound)


class KnownAt:
    """The evidence that was known at `at_us`, that instant included."""

    def __init__(self, tx: Transaction, at_us: int) -> None:
        self.at_us = at_us
        self._tx = tx
        self._late: dict[_StreamKey, _Late] = {}

    def samples(self, check: str, from_us: int, to_us: int) -> Sequence[Sample]:
        """Samples of a check with from_us <= at_us < to_us, by time; one of each identity (S-2)."""
        again = (
            one
            for one in self._disputed.values()
            if isinstance(one, Sample) and one.check == check and from_us <= one.at_us < to_us
        )
        return self._known(self._tx.samples(check, from_us, to_us), again)

    def anchors(self, agents: Sequence[str], from_us: int, to_us: int) -> Sequence[AnchorRound]:
        """Anchor rounds of the agents in that time, by time."""
        again = (
            one
            for one in self._disputed.values()
            if isinstance(one, AnchorRound) and one.agent in agents and from_us <= one.at_us < to_us
        )
        return self._known(self._tx.anchors(agents, from_us, to_us), again)

    def newest_sample_us(self, check: str, before_us: int) -> int | None:
        """Event time of the newest sample of a check before that instant."""
        again = [
            one.at_us
            for one in self._disputed.values()
            if isinstance(one, Sample) and one.check == check and one.at_us < before_us
        ]
        found_us = _newest(
            lambda end_us: self._tx.newest_sample_us(check, end_us),
            lambda from_us, to_us: [one.at_us for one in self.samples(check, from_us, to_us)],
            before_us,
        )
        return max([*again, *([] if found_us is None else [found_us])], default=None)

    def last_good_anchor_us(self, agent: str, before_us: int) -> int | None:
        """Event time of the newest good anchor round of an agent before that instant."""

        def good(from_us: int, to_us: int) -> list[int]:
            rounds = self.anchors([agent], from_us, to_us)
            return [one.at_us for one in rounds if not one.is_bad]

        again = [
            one.at_us
            for one in self._disputed.values()
            if isinstance(one, AnchorRound)
            and one.agent == agent
            and one.at_us < before_us
            and not one.is_bad
        ]
        found_us = _newest(
            lambda end_us: self._tx.last_good_anchor_us(agent, end_us), good, before_us
        )
        return max([*again, *([] if found_us is None else [found_us])], default=None)

    def agents(self) -> Sequence[AgentRecord]:
        """The agents that were enrolled by then, by id."""
        return [one for one in self._tx.agents() if one.enrolled_us <= self.at_us]

    def settled_us(self, check: str) -> int | None:
        """Nothing that is stored of a check's timeline is needed: it is made from its evidence."""
        return self.at_us

    def carried(self, check: str, until_us: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """What is noted of regional outages is of now, and says nothing here."""
        return ()

    def _known(self, rows: Sequence[_T], again: Iterable[_T]) -> Sequence[_T]:
        """Those of the rows that were known, and what counted then in the place of others."""
        spans: dict[_StreamKey, tuple[int, int]] = {}
        for one in rows:
            key = one[:3]
            first, last = spans.get(key, (one.seq, one.seq))
            spans[key] = min(first, one.seq), max(last, one.seq)
        late = {key: self._late_in(key, *span) for key, span in spans.items()}
        disputed = self._disputed
        kept = [
            one
            for one in rows
            if one.seq not in late[one[:3]] and (not disputed or ResultId(*one[:4]) not in disputed)
        ]
        kept.extend(again)
        kept.sort(key=_at_us)
        return kept

    def _late_in(self, key: _StreamKey, first_seq: int, last_seq: int) -> "_Late":
        """Which lines of a stream came later, as far as these numbers go."""
        known = self._late.get(key)
        if known is None or not known.covers(first_seq, last_seq):
            if known is not None:
                first_seq = min(first_seq, known.first_seq)
                last_seq = max(last_seq, known.last_seq)
            ranges = self._tx.received_after(*key, first_seq, last_seq + 1, self.at_us)
            known = self._late[key] = _Late(first_seq, last_seq, ranges)
        return known

    @cached_property
    def _disputed(self) -> dict[ResultId, Admitted | None]:
        """What counted then of each identity for which another line came later."""
        return {one: self._counted(one) for one in self._tx.conflicts_after(self.at_us)}

    def _counted(self, result: ResultId) -> Admitted | None:
        where = (result.agent, result.epoch, result.stream, result.seq, result.seq + 1)
        found: list[Admitted | None] = []
        for segment in self._tx.segments(*where):
            # Where lines contradict one another none is ever pruned.
            assert not segment.is_pruned, "a line with others under its number is kept"
            is_aside = result.seq in self._tx.quarantined_between(*where)
            if segment.received_us_of(result.seq) <= self.at_us and not is_aside:
                line = segment.lines.split(b"\n")[result.seq - segment.first_seq]
                found.append(reading(line, None))
        found += [
            reading(one.line, one.received_us)
            for one in self._tx.conflicts(result)
            if one.received_us <= self.at_us
        ]
        counts = min((one for one in found if one is not None), key=precedence, default=None)
        return None if counts is None else counts._replace(digest=0)


def _at_us(one: Sample | AnchorRound) -> int:
    return one.at_us


class _Late:
    """Numbers of lines that came later, of a part of a stream."""

    def __init__(self, first_seq: int, last_seq: int, ranges: Sequence[tuple[int, int]]) -> None:
        self.first_seq = first_seq
        self.last_seq = last_seq
        self._starts = [start for start, _ in ranges]
        self._ends = [end for _, end in ranges]

    def covers(self, first_seq: int, last_seq: int) -> bool:
        return self.first_seq <= first_seq and last_seq <= self.last_seq

    def __contains__(self, seq: int) -> bool:
        place = bisect_right(self._starts, seq) - 1
        return place >= 0 and seq < self._ends[place]


def _newest(
    newest_us: Callable[[int], int | None],
    known: Callable[[int, int], list[int]],
    before_us: int,
) -> int | None:
    """The newest of the instants that are known, before that one, looking further and further back."""
    width_us = _FIRST_WINDOW_US
    while (at_us := newest_us(before_us)) is not None:
        found = known(at_us - width_us, before_us)
        if found:
            return max(found)
        before_us = at_us - width_us
        width_us *= _WIDER
    return None
