"""S-44: people are told when a budget begins to burn too fast, once, and when that is over."""

from fractions import Fraction

import pytest

from controller.core.sla.figures.burn import Spent, Urgency, alerts, lasting
from controller.core.wording import Level
from tests.unit.core.sla.contracting import fleet
from tests.unit.core.sla.noticing import Noticing, events

HOUR = 3600 * 1_000_000
TIME = 'objectives: [{id: a, target: "99.9"}]'
TARGET = Fraction(999, 1000)


def scene(*clauses: str) -> Noticing:
    return Noticing(fleet(TIME, *clauses))


def test_x39_a_page_is_told_when_both_windows_burn_and_not_for_the_long_one_alone() -> None:
    one = scene()
    one.was_down("2026-06-11T11:10:00Z", "2026-06-11T11:11:00Z")
    assert "burn.page" not in events(one.burns("2026-06-11T12:00:00Z")), "5 minutes were quiet"
    one = scene()
    one.was_down("2026-06-11T11:10:00Z", "2026-06-11T11:10:40Z")
    one.was_down("2026-06-11T11:57:00Z", "2026-06-11T11:57:20Z")
    (page,) = [n for n in one.burns("2026-06-11T12:00:00Z") if n.event == "burn.page"]
    assert page.title == "a burns its budget 16.6 times as fast as it may"
    assert page.level is Level.FAILURE
    assert (
        page.lines[0]
        == "Over the last 1h the budget burnt 16.6 times as fast as the target allows."
    )
    assert page.lines[-1] == "Alert: page, by the last 1h and 5m"
    assert page.facts["burn"] == {
        "urgency": "page", "state": "began", "long_us": HOUR, "short_us": HOUR // 12,
        "rate": {"num": 50, "den": 3},
    }  # fmt: skip


def test_s44_an_alert_is_told_once_and_its_end_to_the_same() -> None:
    one = scene()
    one.was_down("2026-06-11T12:00:00Z", "2026-06-11T12:05:00Z")
    assert events(one.burns("2026-06-11T12:05:00Z")) == ["burn.page", "burn.ticket"]
    assert events(one.burns("2026-06-11T12:06:00Z")) == []
    assert events(one.burns("2026-06-11T12:11:00Z")) == [], (
        "the rule of 6 hours and 30 minutes holds on"
    )
    (end,) = one.burns("2026-06-11T15:00:00Z")
    assert (end.event, end.ordinal, end.follows, end.takes_back) == ("burn.page.ended", 2, 1, False)
    assert end.facts["burn"] == {"urgency": "page", "state": "ended"}
    assert events(one.burns("2026-06-11T15:01:00Z")) == []
    (ticket,) = one.burns("2026-06-12T12:00:00Z")
    assert ticket.event == "burn.ticket.ended"
    one.was_down("2026-06-12T13:00:00Z", "2026-06-12T13:02:00Z")
    again = one.burns("2026-06-12T13:02:00Z")
    assert [(n.event, n.ordinal) for n in again] == [("burn.page", 3), ("burn.ticket", 3)]


def test_s44_an_alert_neither_begins_nor_ends_with_a_month() -> None:
    one = scene()
    one.was_down("2026-07-01T00:00:30Z", "2026-07-01T00:00:32Z")
    assert one.burns("2026-07-01T00:01:00Z") == [], "2 s of an hour are no 14.4 times too fast"
    one = scene()
    one.was_down("2026-06-30T23:30:00Z", "2026-06-30T23:58:00Z")
    assert events(one.burns("2026-06-30T23:59:00Z")) == ["burn.page", "burn.ticket"]
    assert one.burns("2026-07-01T00:01:00Z") == []


def test_s44_without_a_budget_nothing_burns() -> None:
    one = Noticing(fleet('objectives: [{id: a, target: "100"}]'))
    one.was_down("2026-06-11T12:00:00Z", "2026-06-11T12:30:00Z")
    assert one.burns("2026-06-11T12:30:00Z") == []


@pytest.mark.parametrize(
    ("long", "short", "begins", "lasts"),
    [
        pytest.param("14.4", "14.4", True, True, id="at the bound it begins"),
        pytest.param("14.399999", "99", False, True, id="just below it does not, and goes on"),
        pytest.param("99", "14.399999", False, True, id="in either window"),
        pytest.param("12.96", "12.96", False, True, id="nine tenths go on"),
        pytest.param("12.959999", "99", False, False, id="less is the end"),
        pytest.param("99", "12.959999", False, False, id="in either window, too"),
    ],
)
def test_s44_what_has_begun_does_not_come_and_go_at_its_bound(
    long: str, short: str, *, begins: bool, lasts: bool
) -> None:
    shorts = (HOUR // 12, HOUR // 6)

    def window(length_us: int) -> Spent:
        # Of the rule that looks at an hour and 5 minutes alone.
        rate = Fraction(short) if length_us in shorts else Fraction(long)
        down = rate * (1 - TARGET) * 10**12 if length_us in (HOUR, *shorts) else Fraction(0)
        assert down.denominator == 1
        return Spent(int(down), 10**12)

    pages = [one for one in alerts(window, TARGET) if one.urgency is Urgency.PAGE]
    on = [one for one in lasting(window, TARGET) if one.urgency is Urgency.PAGE]
    assert (bool(pages), bool(on)) == (begins, lasts)


def test_s44_the_target_is_that_of_the_period_that_runs() -> None:
    amendment = "  - {id: k, effective_from: '2026-07-01T00:00:00Z', objectives: [{id: a, target: \"99\"}]}\n"
    one = Noticing(fleet(TIME, "amendments: next_period", more=amendment))
    one.was_down("2026-07-01T12:00:00Z", "2026-07-01T12:04:00Z")
    assert one.burns("2026-07-01T12:04:00Z") == [], "4 minutes of an hour are 6.6 times 1 %"
