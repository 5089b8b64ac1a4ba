"""Whether a bundle goes on from what somebody holds already: a bundle from before, or a head of the log (RFC 6962, 2.1.2).

Nobody can be shown another history who has kept one head of the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controller.core.bundle.statements import Broken, Statement, incomplete, passed
from vedette.shared.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Held:
    """What somebody holds: its name, and the heads of the log in it, each signed and proved to begin with the one before."""

    name: str
    heads: Sequence[Checkpoint]

    @property
    def newest(self) -> Checkpoint:
        """The largest of them: it stands for all."""
        return max(self.heads, key=lambda one: one.size)


def grown_since(known: Mapping[int, Checkpoint], held: Sequence[Held]) -> Sequence[Statement]:
    """A statement on each. Broken where two heads of one size are signed, and differ."""
    for one in held:
        for head in one.heads:
            _require_same(known, one.name, head)
    return [_grown(known, one) for one in held]


def _require_same(known: Mapping[int, Checkpoint], name: str, head: Checkpoint) -> None:
    """A log has one root for each size."""
    if head.size in known and known[head.size].root != head.root:
        raise Broken(
            f"checkpoints/{head.size} has another root than {name} for the same {head.size} leaves: two heads of one"
            " size: the log was forked; keep both, together they are the proof"
        )


def _grown(known: Mapping[int, Checkpoint], held: Held) -> Statement:
    size, last = held.newest.size, max(known)
    if size in known:
        return passed(
            f"The log is append-only since {held.name}, which you hold ({size} -> {last} leaves)."
        )
    if last in {one.size for one in held.heads}:
        return passed(
            f"{held.name}, which you hold, is newer ({size} leaves): its log begins with the {last} of this bundle."
        )
    if last < size:
        return incomplete(
            f"{held.name}, which you hold, is newer ({size} leaves) than this bundle ({last}), and has no proof from"
            " it: verify that one with this one as `--since`."
        )
    return incomplete(
        f"Whether the log only grew since {held.name}, which you hold ({size} leaves): no proof from there is in this"
        f" bundle ({last}). Ask for one: `vedette evidence export` with `--since` and that file."
    )
