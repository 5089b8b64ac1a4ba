"""Comparing the nodes that are kept of the log's tree with its leaves."""

from collections.abc import Iterator
from typing import Final

from controller.ports.leaves import LogStore
from controller.services.evidence.logbook import NODE_STEP, top_of

_FAN: Final = 1 << NODE_STEP


class NodeCheck:
    """Leaves are heard in the order of the log. Of each level the children of one node are remembered."""

    def __init__(self) -> None:
        self._children: dict[int, list[bytes]] = {}
        self._done: dict[int, int] = {}

    def heard(self, tx: LogStore, leaf_hash: bytes, signed: int) -> Iterator[str]:
        """What is wrong with the nodes that this leaf completes; they are kept of the first `signed` leaves."""
        level, found = 0, leaf_hash
        while True:
            children = self._children.setdefault(level, [])
            children.append(found)
            if len(children) < _FAN:
                return
            found = top_of(children)
            children.clear()
            level += NODE_STEP
            place = self._done.get(level, 0)
            self._done[level] = place + 1
            if (place + 1) << level > signed:
                continue
            if list(tx.nodes(level, place, place + 1)) != [found]:
                yield (
                    f"Node {place} of level {level} over the log, of leaves {place << level} to"
                    f" {((place + 1) << level) - 1}, is not that of its leaves."
                )
