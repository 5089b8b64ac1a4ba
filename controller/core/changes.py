"""What differs in the timeline and the outages of a check from when it was last asked."""

from dataclasses import dataclass

from controller.core.outages import Outage
from controller.core.timeline import VerdictInterval


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the last drain.

    `from_us`: verdict intervals from this instant on differ, and `intervals` are those that now stand
    there, up to the instant that is told of (the newest sample that counts, or later); None if none
    differ. The last verdict goes on until told otherwise: that it does is no change, and evidence that
    runs out is told when that instant is passed. `outages` are new or differ, as seen from there (one that
    merely goes on is reported again when something else about it changes; `CheckEngine.outages` is always
    exact). `gone` are the content ids of outages that late evidence made vanish: one whose start moved is
    gone under its old id and new under another. `regional` and
    `regional_gone` are outages of single regions, told in the same way.
    """

    from_us: int | None = None
    intervals: tuple[VerdictInterval, ...] = ()
    outages: tuple[Outage, ...] = ()
    gone: tuple[str, ...] = ()
    regional: tuple[Outage, ...] = ()
    regional_gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.from_us is not None or self.tells_of_outages

    @property
    def tells_of_outages(self) -> bool:
        """An outage is new, differs, or is gone."""
        return bool(self.outages or self.gone or self.regional or self.regional_gone)


NOTHING_CHANGED = Changes()
