"""What came in a transaction: the lines that may be why an outage is another than before."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from controller.core.samples import AnchorRound, Sample
from controller.ports.events import Cause, EventLine

_LINES_MAX: Final = 8


class Reasons(NamedTuple):
    """The likeliest of the lines that came for a check, and how many came."""

    lines: tuple[EventLine, ...]
    line_count: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Why checks are judged in this transaction, and the evidence that came in it.

    `rounds` come with the region of their agent; `checks_of` gives the checks of a region.
    """

    cause: Cause
    samples: Sequence[Sample] = ()
    rounds: Sequence[tuple[str, AnchorRound]] = ()
    checks_of: Mapping[str, Set[str]] = field(default_factory=dict)

    def reasons(self, check: str, from_us: int, to_us: int) -> Reasons:
        """The lines that bear on a check: those nearest to [from_us, to_us), in order of their time."""
        lines = [
            EventLine(*one[:4], one.at_us, one.outcome.value)
            for one in self.samples
            if one.check == check
        ]
        lines += [
            EventLine(*one[:4], one.at_us, f"{one.ok} of {one.total} anchors")
            for region, one in self.rounds
            if check in self.checks_of.get(region, ())
        ]
        lines.sort(key=lambda one: (max(from_us - one.at_us, one.at_us - to_us, 0), one.at_us, one))
        nearest = sorted(lines[:_LINES_MAX], key=lambda one: (one.at_us, one))
        return Reasons(tuple(nearest), len(lines))
