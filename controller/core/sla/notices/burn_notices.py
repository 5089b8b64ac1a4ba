"""Budgets that burn too fast (S-44): when people are told that it begins, and that it is over."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from controller.core.sla.figures.burn import Alert, Urgency, alerts, lasting
from controller.core.sla.figures.judgement import Judgement
from controller.core.sla.notices.notice_wording import (
    contract_facts,
    contract_line,
    objective_facts,
    objective_lines,
)
from controller.core.sla.notices.notices import SlaNotice, Told, subject_of
from controller.core.sla.reports.record import record_of
from controller.core.sla.terms.objectives import Timed
from controller.core.wording import Level, spoken

ENDED: Final = ".ended"
_LEVELS: Final = {Urgency.PAGE: Level.FAILURE, Urgency.TICKET: Level.WARNING}
EVENTS: Final = {f"burn.{urgency}": urgency for urgency in Urgency}


def burn_notices(
    recent: Judgement, now: Judgement, told: Mapping[str, Told], *, revision: int
) -> Iterator[SlaNotice]:
    """What is to be told of an objective: `recent` is judged over the last days, `now` over its period.

    An alert is told when the first of its rules begins to hold, and again when none of them lasts: of two
    rules of one urgency that hold together, people are told once. What people promise burns no time.
    """
    if isinstance(recent.segment.objective, Timed):
        return
    contract = recent.segment.contract
    window, target = recent.window, now.figures.target
    beginning = alerts(window, target)
    for urgency in Urgency:
        series = f"{recent.segment.objective.id}/burn.{urgency}"
        last = told.get(subject_of(contract.id, series))
        has_begun = last is not None and last.event == _event(urgency)
        holding = lasting(window, target) if has_begun else beginning
        alert = next((one for one in holding if one.urgency is urgency), None)
        if alert is not None and not has_begun:
            record = record_of(now, None, revision=revision)
            yield _begun(now, record, alert, series, 1 if last is None else last.ordinal + 1)
        elif alert is None and has_begun and last is not None:
            record = record_of(now, None, revision=revision)
            yield _ended(now, record, urgency, series, last)


def abandoned(
    contract: str, told: Mapping[str, Told], objectives: Collection[str]
) -> Iterator[SlaNotice]:
    """The end of alerts of objectives that there are not any more: nobody would see the end of them."""
    for subject, last in told.items():
        objective, _, event = subject.removeprefix(subject_of(contract, "")).rpartition("/")
        if last.event == event and event in EVENTS and objective not in objectives:
            yield SlaNotice(
                contract=contract,
                event=event + ENDED,
                series=f"{objective}/{event}",
                title=f"{objective} is promised no more",
                lines=[
                    f"Contract: {contract}",
                    f"Alert: {event}, over: the promise is not in force",
                ],
                level=Level.INFO,
                facts={
                    "contract": {"id": contract},
                    "burn": {"urgency": EVENTS[event].value, "state": "ended"},
                },
                ordinal=last.ordinal + 1,
                follows=last.ordinal,
            )


def _event(urgency: Urgency) -> str:
    return f"burn.{urgency}"


def _begun(
    now: Judgement, record: Mapping[str, Any], alert: Alert, series: str, ordinal: int
) -> SlaNotice:
    contract, rate = now.segment.contract, _tenths(alert)
    windows = f"{spoken(alert.long_us)} and {spoken(alert.short_us)}"
    what = f"Over the last {spoken(alert.long_us)} the budget burnt {rate} times as fast as the target allows."
    return SlaNotice(
        contract=contract.id,
        event=_event(alert.urgency),
        series=series,
        title=f"{record['objective']} burns its budget {rate} times as fast as it may",
        lines=[
            what,
            contract_line(contract),
            *objective_lines(record),
            f"Alert: {alert.urgency}, by the last {windows}",
        ],
        level=_LEVELS[alert.urgency],
        facts={
            "contract": contract_facts(contract),
            "objective": objective_facts(record),
            "burn": {
                "urgency": alert.urgency.value,
                "state": "began",
                "long_us": alert.long_us,
                "short_us": alert.short_us,
                "rate": {"num": alert.rate.numerator, "den": alert.rate.denominator},
            },
        },
        ordinal=ordinal,
    )


def _ended(
    now: Judgement, record: Mapping[str, Any], urgency: Urgency, series: str, last: Told
) -> SlaNotice:
    contract = now.segment.contract
    return SlaNotice(
        contract=contract.id,
        event=_event(urgency) + ENDED,
        series=series,
        title=f"{record['objective']} burns its budget no more",
        lines=[
            "The budget burns no faster than it may. What was used up stays so.",
            contract_line(contract),
            *objective_lines(record),
            f"Alert: {urgency}, over",
        ],
        level=Level.SUCCESS,
        facts={
            "contract": contract_facts(contract),
            "objective": objective_facts(record),
            "burn": {"urgency": urgency.value, "state": "ended"},
        },
        ordinal=last.ordinal + 1,
        follows=last.ordinal,
    )


def _tenths(alert: Alert) -> str:
    """A rate with one decimal, cut off."""
    tenths = alert.rate * 10 // 1
    return f"{tenths // 10}.{tenths % 10}"
