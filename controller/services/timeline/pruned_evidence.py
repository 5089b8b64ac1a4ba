"""Results of lines that were pruned: what a line counted as is kept, so that nothing is judged without it."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeVar

from controller.core.intervals import FOREVER_US
from controller.core.samples import AnchorRound, Sample
from controller.ports.storage import Transaction

_T = TypeVar("_T", Sample, AnchorRound)
_Stream = tuple[str, str, str]


class PrunedEvidence:
    """Which results are of lines that were pruned, as it was when this was made."""

    def __init__(self, tx: Transaction) -> None:
        self._runs: dict[_Stream, list[tuple[int, int]]] = {}
        for _, run in tx.pruned():
            its = self._runs.setdefault((run.id.agent, run.id.epoch, run.id.stream), [])
            its.append((run.first_seq, run.last_seq))

    def __bool__(self) -> bool:
        return bool(self._runs)

    def samples(self, tx: Transaction, check: str, read: Iterable[Sample]) -> list[Sample]:
        """The samples of a check that are of such lines, but for those that were `read` from lines."""
        if not self._runs:
            return []
        return self._without(tx.samples(check, -FOREVER_US, FOREVER_US), read)

    def rounds(
        self, tx: Transaction, agents: Sequence[str], read: Iterable[AnchorRound]
    ) -> list[AnchorRound]:
        """The anchor rounds of agents that are of such lines, but for those that were `read` from lines."""
        if not self._runs:
            return []
        return self._without(tx.anchors(agents, -FOREVER_US, FOREVER_US), read)

    def _without(self, kept: Iterable[_T], read: Iterable[_T]) -> list[_T]:
        known = {one[:4] for one in read}
        return [one for one in kept if self._is_pruned(one) and one[:4] not in known]

    def _is_pruned(self, one: Sample | AnchorRound) -> bool:
        runs = self._runs.get((one.agent, one.epoch, one.stream), [])
        place = bisect_right(runs, (one.seq, FOREVER_US)) - 1
        return place >= 0 and one.seq <= runs[place][1]
