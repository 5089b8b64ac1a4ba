"""Lines that come under an identity which other bytes have already: which of them counts (S-2)."""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from controller.core.admission import Admitted, admitted_line, precedence
from controller.core.intervals import FOREVER_US
from controller.core.samples import AnchorRound, Quarantined
from controller.ports.evidence import Conflict
from controller.ports.storage import Transaction
from controller.services.results.frames import Gathered, IncomingFrame, Refusal, Sender, read_lines
from controller.services.results.lookback import LookBack
from vedette.shared.identity import ResultId
from vedette.shared.limits import CONFLICTS_PER_RESULT_MAX

# What is charged for: a frame with conflicts at least, since checks are judged anew for it; another anchor
# round, since all checks are.
_POINTS_PER_FRAME: Final = 32
_POINTS_PER_ROUND: Final = 1024
_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Clash:
    """A line, and the different one that is held under its number; that may have come in the same batch."""

    seq: int
    line: bytes
    held: bytes
    is_held_new: bool


class Disputes:
    """Decides conflicts of one batch. Later ones see those before them."""

    def __init__(
        self, tx: Transaction, checks: Set[str], received_us: int, lookback: LookBack
    ) -> None:
        self._tx = tx
        self._checks = checks
        self._received_us = received_us
        self._lookback = lookback
        self._new: dict[ResultId, list[Conflict]] = {}

    def settle(
        self,
        sender: Sender,
        frame: IncomingFrame,
        clashes: Sequence[Clash],
        into: Gathered,
        *,
        resend_from: int,
    ) -> None:
        """Keep the lines of a frame that conflict, and note the checks for which another line counts now.

        Refusal if one of them cannot be kept: nothing has happened then. Where it is one too many, the
        agent is to go on with line `resend_from`.
        """
        decided: list[Conflict] = []
        duplicates = 0
        for start in range(0, len(clashes), _AT_ONCE):
            part = clashes[start : start + _AT_ONCE]
            kept = list(self._decided(sender, frame, part, resend_from))
            decided += kept
            duplicates += len(part) - len(kept)
        into.duplicates += duplicates
        if not decided:
            return
        self._charge(sender.agent, max(_POINTS_PER_FRAME, len(decided)))
        for conflict in decided:
            into.conflicts.append(conflict)
            self._new.setdefault(conflict.id, []).append(conflict)
            for item in (conflict.withdrawn, conflict.counts):
                self._dispute(sender.agent, item, into)

    def _decided(
        self, sender: Sender, frame: IncomingFrame, clashes: Sequence[Clash], resend_from: int
    ) -> Iterator[Conflict]:
        """The conflicts that are new, each with what counts from now on."""
        self._charge(sender.agent, 1)
        key = (sender.agent, frame.epoch, frame.stream)
        where = (*key, clashes[0].seq, clashes[-1].seq + 1)
        stored: dict[ResultId, list[Conflict]] = {}
        for one in self._tx.conflicts_between(*where):
            stored.setdefault(one.id, []).append(one)
        aside = self._tx.quarantined_between(*where)
        for clash in clashes:
            identity = ResultId(*key, clash.seq)
            others = [*stored.get(identity, ()), *self._new.get(identity, ())]
            line = clash.line + b"\n"
            if any(one.line == line for one in others):
                continue
            if len(others) >= CONFLICTS_PER_RESULT_MAX:
                raise Refusal(
                    f"line {clash.seq} of stream {frame.stream!r} differs from {len(others) + 1} lines that"
                    " came under its number; no more of them are kept",
                    resend_from,
                )
            # It must be a line that could stand there.
            read_lines(frame, sender, [clash.line], clash.seq, self._checks)
            held = None
            if clash.seq not in aside:
                held = reading(clash.held, self._received_us if clash.is_held_new else None)
            known = [held, *(reading(one.line, one.received_us) for one in others)]
            conflict = Conflict(identity, line, self._received_us)
            yield _with_effect(conflict, known)

    def _dispute(self, agent: str, item: Admitted | None, into: Gathered) -> None:
        """Note the checks that have to be judged anew because of what counts now, or no longer."""
        if isinstance(item, AnchorRound):
            self._charge(agent, _POINTS_PER_ROUND)
            for check in self._checks:
                into.dispute(check, -FOREVER_US)
        elif item is not None:
            into.dispute(item.check, item.at_us)

    def _charge(self, agent: str, points: int) -> None:
        self._lookback.charge(agent, self._received_us, points)


def _with_effect(conflict: Conflict, known: Iterable[Admitted | None]) -> Conflict:
    """The conflict with what it changes, given what every other line of the identity is read as."""
    before = min((one for one in known if one is not None), key=precedence, default=None)
    mine = reading(conflict.line, conflict.received_us)
    if mine is None or (before is not None and precedence(before) <= precedence(mine)):
        return conflict
    mine = mine._replace(digest=0)
    before = None if before is None else before._replace(digest=0)
    return conflict if before == mine else replace(conflict, counts=mine, withdrawn=before)


def reading(line: bytes, received_us: int | None) -> Admitted | None:
    """What a line counts as if it is the one that counts; None if it never does."""
    try:
        read = admitted_line(line.rstrip(b"\n"), received_us)
    except ValueError:
        # It was taken by an earlier version, which asked less of a line.
        return None
    return None if isinstance(read, Quarantined) else read
