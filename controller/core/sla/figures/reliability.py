"""How often and how long (S-46): MTTR, MTBF, MTBSI, MTTD and MTTA. Rounded down to microseconds."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from controller.core.intervals import Interval
from controller.core.severity import Severity
from controller.core.sla.figures.downtime import Exact


class OutageTimes(NamedTuple):
    """The instants of an outage that people are measured by, microseconds; None for what has not come.

    `notified_us` is the first message about it that arrived, `acked_us` when the first person took it on,
    `held_us` when the first one was held back because something else explained it, `pauses` when its clocks stand still; one that goes on ends at FOREVER_US. `region` is set if it is the
    outage of that region alone.
    """

    started_us: int
    ended_us: int | None = None
    detected_us: int | None = None
    notified_us: int | None = None
    acked_us: int | None = None
    confirmed_us: int | None = None
    handle: str = ""
    check: str = ""
    region: str = ""
    severity: Severity | None = None
    pauses: Sequence[Interval] = ()
    held_us: int | None = None

    def until(self, as_of_us: int, known_us: int) -> "OutageTimes":
        """What was known of it at an instant: nothing that came later (S-21).

        `known_us` is the end of what is known by then: an outage that nothing known has followed has no end.
        """

        def seen(at_us: int | None) -> int | None:
            return None if at_us is None or at_us > as_of_us else at_us

        is_over = self.ended_us is not None and self.ended_us < known_us
        return self._replace(
            ended_us=seen(self.ended_us) if is_over else None,
            detected_us=seen(self.detected_us),
            notified_us=seen(self.notified_us),
            acked_us=seen(self.acked_us),
            confirmed_us=seen(self.confirmed_us),
            held_us=seen(self.held_us),
        )


class Reliability(NamedTuple):
    """How many outages, and means in microseconds; None where there is nothing to take a mean of."""

    outages: int
    mttr_us: int | None
    mtbf_us: int | None
    mtbsi_us: int | None
    mttd_us: int | None
    mtta_us: int | None


def reliability(
    outages: Sequence[OutageTimes], eligible_us: Exact, downtime_us: Exact
) -> Reliability:
    """The figures of the outages that began in a period and had downtime that counts.

    Repair is measured from start to end, also where these lie outside the period.
    """
    count = len(outages)
    return Reliability(
        outages=count,
        mttr_us=_mean((one.started_us, one.ended_us) for one in outages),
        mtbf_us=max(eligible_us - downtime_us, 0) // count if count else None,
        mtbsi_us=eligible_us // count if count else None,
        mttd_us=_mean((one.started_us, one.detected_us) for one in outages),
        mtta_us=_mean((one.notified_us, one.acked_us) for one in outages),
    )


def _mean(pairs: Iterable[tuple[int | None, int | None]]) -> int | None:
    """The mean time from one to the other, over the pairs that have both."""
    lengths = [b - a for a, b in pairs if a is not None and b is not None]
    return sum(lengths) // len(lengths) if lengths else None
