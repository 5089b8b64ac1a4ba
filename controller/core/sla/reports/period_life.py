"""The life of a period (S-22): open, provisional, final, sealed, revised; and the clause that sets its dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from controller.core.intervals import FOREVER_US
from vedette.shared.definitions import micros
from vedette.shared.probes import DurationText, Finding, Part


class Lateness(Part, frozen=True, kw_only=True):
    """How long after a period results may still come, and when its report is sealed whatever is missing."""

    allowed: DurationText = "72h"
    seal_after: DurationText = "5d"

    @property
    def allowed_us(self) -> int:
        """How long results are waited for, microseconds after the end."""
        return micros(self.allowed)

    @property
    def seal_after_us(self) -> int:
        """When the report is sealed by itself, microseconds after the end."""
        return micros(self.seal_after)

    def findings(self) -> list[Finding]:
        """What is wrong with it: a report that is sealed before results may have come."""
        if self.seal_after_us >= self.allowed_us:
            return []
        expected = f"at least as long as `allowed` ({self.allowed})"
        return [(("seal_after",), expected, self.seal_after)]


class PeriodState(StrEnum):
    """How far a period is."""

    OPEN = "open"
    PROVISIONAL = "provisional"
    FINAL = "final"
    SEALED = "sealed"
    REVISED = "revised"


@dataclass(frozen=True, slots=True)
class Heard:
    """Up to which event time an agent was heard: everything that it saw before has come. None: never."""

    agent: str
    heard_us: int | None


@dataclass(frozen=True, slots=True)
class Life:
    """A period of a contract at an instant.

    `heard` are the agents that are waited for: those of the contract's regions that may still hold results.
    `revisions` is how many reports were issued.
    """

    ends_us: int
    lateness: Lateness
    now_us: int
    heard: Sequence[Heard]
    revisions: int = 0

    @property
    def watermark_us(self) -> int:
        """The event time up to which every agent that is waited for was heard; for ever, if there is none."""
        heard = (0 if one.heard_us is None else one.heard_us for one in self.heard)
        return min(heard, default=FOREVER_US)

    @property
    def unheard(self) -> list[Heard]:
        """The agents whose results may be missing, those that fell silent first before the others."""
        missing = [one for one in self.heard if (one.heard_us or 0) < self.ends_us]
        return sorted(missing, key=lambda one: (one.heard_us or 0, one.agent))

    @property
    def final_us(self) -> int:
        """The earliest instant at which it is final, if every agent was heard by then."""
        return self.ends_us + self.lateness.allowed_us

    @property
    def seal_us(self) -> int:
        """When its report is sealed by itself."""
        return self.ends_us + self.lateness.seal_after_us

    @property
    def is_final(self) -> bool:
        """Nothing more is to come: every agent was heard, and the time for late results is over."""
        return self.now_us >= self.final_us and self.watermark_us >= self.ends_us

    @property
    def state(self) -> PeriodState:
        """How far it is. A sealed report stays what it is; one that was corrected makes it revised."""
        if self.revisions:
            return PeriodState.SEALED if self.revisions == 1 else PeriodState.REVISED
        if self.now_us < self.ends_us:
            return PeriodState.OPEN
        return PeriodState.FINAL if self.is_final else PeriodState.PROVISIONAL
