"""Whether lines that are not there were pruned: only what a leaf of the log names was."""

import json
from typing import Final

from controller.ports.leaves import LeafKind
from controller.ports.seals import StreamId
from controller.ports.storage import Transaction
from vedette.shared.note import BadNote, parsed_note
from vedette.shared.seal import Seal

_DATA: Final = "data "


class PruneCheck:
    """Reads each leaf about pruning once."""

    def __init__(self) -> None:
        self._runs: dict[int, frozenset[str]] = {}

    def is_pruned(self, tx: Transaction, stream: StreamId, seal: Seal) -> bool:
        """Nothing of the lines under a seal is there, and a leaf says that they were pruned."""
        first, last = seal.payload.first, seal.payload.last
        found = tx.pruned_between(stream, first, last)
        is_named = any(
            run.first_seal <= seal.number <= run.last_seal and str(run) in self.runs_of(tx, number)
            for number, run in found
        )
        return is_named and not any(tx.lines(stream, first, last))

    def runs_of(self, tx: Transaction, number: int) -> frozenset[str]:
        """What the leaf of that act names."""
        if number not in self._runs:
            leaves = tx.leaves_about(LeafKind.PRUNE, f"PRUNE-{number}")
            notes = [note for one in leaves for _, note in tx.leaf_notes(one.index, one.index + 1)]
            self._runs[number] = frozenset(run for note in notes for run in _runs(note))
        return self._runs[number]


def _runs(note: bytes) -> list[str]:
    """The runs that a leaf names; none if it is not what was entered, which is told where leaves are checked."""
    try:
        lines = parsed_note(note).text.decode().split("\n")
        data = next(one for one in lines if one.startswith(_DATA))
        return [str(one) for one in json.loads(data.removeprefix(_DATA))["runs"]]
    except (BadNote, ValueError, KeyError, TypeError, StopIteration):
        return []
