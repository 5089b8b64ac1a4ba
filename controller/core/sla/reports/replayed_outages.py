"""The outages of a replay document, as a report lists them."""

from collections.abc import Iterable

from controller.core.replay import Replay, ReplayedCheck, ReplayedClock, ReplayedOutage
from controller.core.sla.reports.report_document import ReportedOutage


def replayed_outages(document: Replay, checks: Iterable[str]) -> list[ReportedOutage]:
    """The outages of these checks, with what the document says of people; regions and kinds it does not say."""
    return [
        _reported(name, document.checks[name], outage)
        for name in checks
        for outage in document.checks[name].outages
    ]


def _reported(name: str, check: ReplayedCheck, outage: ReplayedOutage) -> ReportedOutage:
    nobody = ReplayedClock(started_at=outage.started_at)
    clock = next((one for one in check.clocks or () if _is_of(one, outage)), nobody)
    return ReportedOutage(
        handle=clock.outage,
        check=name,
        started_at=outage.started_at,
        ended_at=outage.ended_at,
        downtime=outage.downtime,
        unknown=outage.unknown,
        severity=clock.severity.value if clock.severity else "",
        detected_at=clock.detected_at,
        notified_at=clock.notified_at,
        acknowledged_at=clock.acked_at,
    )


def _is_of(clock: ReplayedClock, outage: ReplayedOutage) -> bool:
    """They are the same outage of the whole check."""
    return not clock.region and clock.started_at == outage.started_at
