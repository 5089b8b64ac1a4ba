"""The outages that stand in a report: as the ledger knew them at an instant (S-21)."""

from collections.abc import Iterator, Sequence

from msgspec import UNSET

from controller.core.sla.reports.report_document import ReportedCounter, ReportedOutage
from controller.ports.counters import Counter
from controller.ports.events import EventKind
from controller.ports.storage import Transaction
from controller.services.outages.grading import Grading
from controller.services.outages.outage_views import Known, OutageView, Views
from controller.services.timeline.evaluate import Evaluator


def reported_outages(
    tx: Transaction,
    evaluator: Evaluator,
    grading: Grading,
    checks: Sequence[str],
    *,
    from_us: int,
    to_us: int,
    known_us: int,
    contract: str,
) -> list[ReportedOutage]:
    """The outages of checks that touch [from_us, to_us), without what of them counts.

    What was learnt after `known_us`, or said of them, is not used; nor what was said against them as far as they are
    of another contract than that one.
    """
    views = Views(tx, evaluator, grading, known_us)
    found: list[ReportedOutage] = []
    for check in checks:
        known = [one for one in _known(tx, check, known_us) if _touches(one, from_us, to_us)]
        found += [_reported(view, contract) for view in views.then(known, known_us)]
    return found


def _known(tx: Transaction, check: str, known_us: int) -> Iterator[Known]:
    for event in tx.events_as_of(known_us, check):
        if event.kind is not EventKind.RETRACTED:
            known = Known.of_event(event)
            if not known.body.region:
                yield known


def _touches(known: Known, from_us: int, to_us: int) -> bool:
    is_before = known.ended_us is not None and known.ended_us <= from_us
    return not is_before and known.body.started_us < to_us


def _reported(view: OutageView, contract: str) -> ReportedOutage:
    body, ack = view.body, view.ack
    about = (view.handle, f"{view.handle} {contract}")
    counters = tuple(_counter(one) for one in view.counters if one.subject in about)
    return ReportedOutage(
        handle=view.handle,
        check=body.check,
        started_at=body.started_us,
        ended_at=body.ended_us,
        downtime=body.downtime_us,
        unknown=body.unknown_us,
        downtime_min=body.downtime_us_min,
        downtime_max=body.downtime_us_max,
        regions=tuple(body.regions),
        kinds=tuple(body.kinds),
        severity=view.severity.value,
        detected_at=view.detected_us,
        notified_at=view.notified_us,
        acknowledged_at=None if ack is None else ack.at_us,
        acknowledged_by="" if ack is None else ack.who,
        counters=counters or UNSET,
    )


def _counter(one: Counter) -> ReportedCounter:
    return ReportedCounter(
        said_at=one.at_us,
        who=one.who,
        role=one.role,
        text=one.text,
        file=one.file_name,
        sha256=one.sha256,
    )
