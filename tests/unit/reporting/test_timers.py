"""Objectives that people keep, as reports tell them: each timer, and the promise."""

from dataclasses import replace

import pytest

from controller.core.calendars import period_named
from controller.core.instants import instant
from controller.core.intervals import Interval
from controller.core.severity import Severity
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.reports.report import report_bytes
from controller.reporting.rendering import Form, rendered
from tests.unit.reporting.example import FLEET, example_facts

PEOPLE = b"""unknown: as_down}
      - {id: ack-p1, metric: acknowledge, severity: P1, target: 15m, stop: ack_or_end}
      - {id: fix-p1, metric: resolve, severity: [P1, P2], target: 10m, reopen_window: 1h, start: started_at,
         calendar: {weekly: {thu: ["08:00-18:00"]}, holidays: [2026-12-24]}}
"""
DAY = "2026-03-05T14"
OUTAGE = OutageTimes(
    instant(f"{DAY}:01:00+01:00"),
    instant(f"{DAY}:31:20+01:00"),
    instant(f"{DAY}:02:12+01:00"),
    None,
    instant(f"{DAY}:09:00+01:00"),
    handle="OUT-3",
    check="shop-home",
    severity=Severity.P1,
    pauses=[Interval(instant(f"{DAY}:10:00+01:00"), instant(f"{DAY}:20:00+01:00"))],
)


def told(form: Form, timed: list[OutageTimes] | None) -> str:
    facts = example_facts(FLEET.replace(b"unknown: as_down}\n", PEOPLE))
    facts = replace(facts, observed=replace(facts.observed, timed=timed))
    month = period_named("2026-03", "Europe/Warsaw")
    return rendered([report_bytes(facts, month, instant("2026-04-04T00:00:00Z"))], form).decode()


def test_s47_each_timer_is_told_with_its_pauses() -> None:
    text = " ".join(told(Form.TEXT, [OUTAGE]).split())
    assert "fix-p1: people were too late for 1 of 1 outage." in text
    assert "ack-p1: people were too late for 0 of 1 outage." in text
    assert "OUT-3 P1" in text
    assert "6m 48s in time" in text
    assert "20m 20s too late" in text
    assert "14:10:00 +01:00" in text


def test_s47_pauses_stand_whole_below_the_time_that_the_clock_ran() -> None:
    lines = told(Form.TEXT, [OUTAGE]).splitlines()
    places = [n for n, line in enumerate(lines) if "paused 2026-03-05 14:10:00 +01:00 –" in line]
    assert places
    assert all(lines[n + 1].strip() == "2026-03-05 14:20:00 +01:00" for n in places)


def test_s47_the_promise_is_told_in_words() -> None:
    text = " ".join(told(Form.TEXT, []).split())
    assert (
        "ack-p1: a person takes it on, or it is over, within 15m after it was recorded, for outages of severity"
        " P1; at least 100 % of them. The clock runs at all hours."
    ) in text
    assert (
        "fix-p1: it is over within 10m after it began, for outages of severity P1, P2; at least 100 % of"
        " them. The clock runs on Thursdays 08:00-18:00 local time, not on 2026-12-24. What begins within 1h"
        " after it was over goes on with its clock."
    ) in text
    assert "so nothing was asked of people" in text


@pytest.mark.parametrize("form", [Form.TEXT, Form.CSV, Form.HTML])
def test_s47_what_nobody_knows_is_told_as_such(form: Form) -> None:
    text = told(form, None)
    assert "ack-p1" in text
    assert ("insufficient_evidence" if form is Form.CSV else "is not known here") in text
