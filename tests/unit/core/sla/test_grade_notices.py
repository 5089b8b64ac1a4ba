"""S-52: grades are told once for a period and a revision, and taken back only if they were never so."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.instants import instant, instant_text
from controller.core.intervals import union
from controller.core.sla.notices.notices import SlaNotice, Told
from tests.unit.core.sla.contracting import fleet
from tests.unit.core.sla.noticing import Noticing, events

GRADES = 'grades: [{below: "95", action: warn}, {below: "90", action: legal}]'
TIME = 'objectives: [{id: a, target: "99.9"}]'
WARSAW = "period: {kind: month, tz: Europe/Warsaw}"
JUNE, ENDS = instant("2026-06-01T00:00:00Z"), "2026-07-01T00:00:00Z"
PERIOD = (
    "Period: 2026-06, from 2026-06-01 00:00:00 Europe/Warsaw (2026-05-31T22:00:00Z)"
    " to 2026-07-01 00:00:00 Europe/Warsaw (2026-06-30T22:00:00Z)"
)
JUNE_US = 2_592_000 * 1_000_000


def scene(*clauses: str) -> Noticing:
    return Noticing(fleet(TIME, *(clauses or (GRADES,))))


@pytest.mark.parametrize(
    ("millionths", "expected"),
    [
        pytest.param(95_000_000, [], id="95.000000 is not below 95"),
        pytest.param(94_999_999, ["grade.warn"], id="94.999999 is"),
        pytest.param(89_999_999, ["grade.warn", "grade.legal"], id="89.999999 is below both"),
    ],
)
def test_x53_a_grade_is_told_strictly_below_its_bound(millionths: int, expected: list[str]) -> None:
    one = scene()
    down_us, rest = divmod(JUNE_US * (100_000_000 - millionths), 100_000_000)
    assert rest == 0
    one.down.append((JUNE, JUNE + down_us))
    assert events(one.grades(ENDS, of="2026-06-01T00:00:00Z")) == expected


def test_s52_a_grade_is_told_once_although_it_is_looked_at_again_and_recovers() -> None:
    one = scene()
    one.was_down("2026-06-02T00:00:00Z", "2026-06-02T02:00:00Z")
    assert events(one.grades("2026-06-02T01:00:00Z")) == [], "24 of 25 hours are 96 %"
    assert events(one.grades("2026-06-02T02:00:00Z")) == ["grade.warn"]
    assert events(one.grades("2026-06-02T02:01:00Z")) == []
    assert events(one.grades("2026-06-20T00:00:00Z")) == [], (
        "99 % now; it was below, and stays told"
    )
    one.was_down("2026-06-21T00:00:00Z", "2026-06-25T00:00:00Z")
    assert events(one.grades("2026-06-25T00:00:00Z")) == ["grade.legal"]
    one.was_down("2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z")
    assert events(one.grades("2026-07-01T01:00:00Z")) == ["grade.warn", "grade.legal"]


def test_s52_another_revision_of_the_contract_is_told_anew() -> None:
    one = scene()
    one.was_down("2026-06-02T00:00:00Z", "2026-06-02T02:00:00Z")
    one.grades("2026-06-02T02:00:00Z")
    one.revision = 2
    assert events(one.grades("2026-06-02T02:01:00Z")) == ["grade.warn"]
    subjects = list(one.told)
    assert subjects == [
        "contract/k/a/grade/warn/95/2026-06/1", "contract/k/a/grade/warn/95/2026-06/2"
    ]  # fmt: skip


def test_s52_what_late_evidence_shows_never_to_have_been_so_is_taken_back_once() -> None:
    one = scene()
    one.was_down("2026-06-02T00:00:00Z", "2026-06-02T02:00:00Z")
    one.grades("2026-06-02T02:00:00Z")
    one.down = [(instant("2026-06-02T00:00:00Z"), instant("2026-06-02T01:00:00Z"))]
    (back,) = one.grades("2026-06-02T06:00:00Z")
    assert (back.event, back.ordinal, back.follows, back.takes_back) == (
        "grade.warn.retracted", 2, 1, True,
    )  # fmt: skip
    assert "was not below 95 % after all" in back.title
    assert back.lines[0] == (
        "By what is known now, attainment was not below 95 % at"
        " 2026-06-02 02:00:00 UTC (2026-06-02T02:00:00Z), when that was told."
    )
    assert one.grades("2026-06-02T06:01:00Z") == []
    one.was_down("2026-06-02T07:00:00Z", "2026-06-02T09:00:00Z")
    (again,) = one.grades("2026-06-02T09:00:00Z")
    assert (again.event, again.ordinal, again.follows) == ("grade.warn", 3, None)


def test_s52_a_grade_of_the_period_waits_until_nothing_can_mend_it() -> None:
    one = scene('grades: [{below: "99", action: warn, of: period}]')
    one.was_down("2026-06-01T00:00:00Z", "2026-06-01T07:12:00Z")
    assert events(one.grades("2026-06-01T07:12:00Z")) == [], (
        "so far nothing was up, yet 99 % can be"
    )
    one.was_down("2026-06-02T00:00:00Z", "2026-06-02T00:00:01Z")
    (told,) = one.grades("2026-06-02T00:00:01Z")
    assert told.title == "a is at 98.999 %, below 99 %: warn"
    assert "At best by the end: 98.999 %" in told.lines


def test_s52_a_rolling_period_is_told_again_when_all_of_it_has_rolled_out() -> None:
    one = scene("period: {kind: rolling, length: 7d}", GRADES)
    one.was_down("2026-06-10T00:00:00Z", "2026-06-10T12:00:00Z")
    assert events(one.grades("2026-06-10T12:00:00Z")) == ["grade.warn"]
    one.was_down("2026-06-16T00:00:00Z", "2026-06-16T12:00:00Z")
    assert events(one.grades("2026-06-16T12:00:00Z")) == ["grade.legal"]
    assert events(one.grades("2026-06-17T11:59:59Z")) == []
    assert events(one.grades("2026-06-17T12:00:01Z")) == ["grade.warn"]


def test_s52_a_season_and_the_rest_of_its_period_are_told_together() -> None:
    season = 'overlays: [{from: 2026-06-10T00:00:00Z, to: 2026-06-20T00:00:00Z, objective: a, target: "99"}]'
    one = scene(season, GRADES)
    one.was_down("2026-06-10T00:00:00Z", "2026-06-11T00:00:00Z")
    (told,) = one.grades("2026-06-11T00:00:00Z")[:1]
    assert told.facts["objective"]["period"]["from"] == instant("2026-06-10T00:00:00Z")
    one.was_down("2026-06-20T00:00:00Z", "2026-06-24T00:00:00Z")
    assert one.grades("2026-06-24T00:00:00Z") == []


def test_s52_the_message_says_how_it_stands_and_where_it_is_going_in_both_zones() -> None:
    one = Noticing(
        fleet(
            TIME, GRADES.replace("warn", "warn, notify: [ops, boss]"), WARSAW,
            'title: "ACME web shop, gold"', "party: ACME GmbH",
            more='notify: [{id: ops, url: "x://y"}, {id: boss, url: "x://y"}]\n',
        )
    )  # fmt: skip
    one.was_down("2026-06-02T00:00:00Z", "2026-06-02T02:00:00Z")
    (told,) = one.grades("2026-06-02T02:00:00Z")
    assert told.channels == ("ops", "boss")
    assert told.title == "a is at 92.857 %, below 95 %: warn"
    assert list(told.lines) == [
        "Contract: k, ACME web shop, gold, with ACME GmbH",
        "Objective: a, target 99.9 %",
        PERIOD,
        "Attained so far: 92.857 %",
        "Verdict so far: breached (evidence for 100.000 % of the time)",
        "Downtime: 2h",
        "Budget: overspent by 1h 16m 48s, of 43m 12s",
        "Where it is going: irrecoverable: the budget is used up",
        "Grade: below 95 %, warn",
    ]
    assert told.facts["contract"] == {
        "id": "k", "title": "ACME web shop, gold", "party": "ACME GmbH", "level": "customer",
    }  # fmt: skip
    assert told.facts["grade"] == {
        "action": "warn", "below": "95", "of": "so_far", "state": "fired",
        "attainment": {"num": 13, "den": 14},
    }  # fmt: skip
    objective = told.facts["objective"]
    assert (objective["verdict"], objective["budget_left"]) == ("breached", -4_608_000_000)


def test_x40_the_message_says_when_the_budget_will_be_used_up() -> None:
    one = scene('grades: [{below: "99.89", action: warn}]', WARSAW)
    for first, last in (
        ("2026-06-09T00:00:00Z", "2026-06-09T00:14:52Z"),
        ("2026-06-10T23:00:00Z", "2026-06-10T23:01:48Z"),
    ):
        one.was_down(first, last)
    (told,) = one.grades("2026-06-11T00:00:00Z")
    assert (
        "Where it is going: at the rate of the last 6 hours the budget is used up at"
        " 2026-06-14 18:26:40 Europe/Warsaw (2026-06-14T16:26:40Z)"
    ) in told.lines
    assert "Budget: 26m 32s left of 43m 12s" in told.lines


def test_s52_a_firing_after_the_end_is_looked_at_again_as_of_the_end() -> None:
    one = scene()
    one.was_down("2026-06-29T00:00:00Z", "2026-06-30T23:59:00Z")
    (told,) = one.grades("2026-07-02T00:00:00Z", of="2026-06-30T00:00:00Z")
    assert "Attained: " in told.lines[3]
    one.told[told.subject] = Told(1, "grade.warn", instant("2026-07-02T00:00:00Z"))
    assert one.grades("2026-07-02T00:01:00Z", of="2026-06-30T00:00:00Z") == []


MINUTE = 60 * 1_000_000
FAST = 'grades: [{below: "95", action: warn}, {below: "90", action: legal, of: period}]'


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 2000), st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 60)))),
        max_size=8,
    ),
    st.sampled_from(["period: {kind: day}", "period: {kind: rolling, length: 1d}"]),
)  # fmt: skip
def test_s52_whatever_is_learnt_when_what_is_told_is_told_in_turns(
    looks: list[tuple[int, list[tuple[int, int]]]], period: str
) -> None:
    """Evidence changes from look to look. Nothing is told twice, and nothing is taken back that was not told."""
    one = Noticing(fleet(TIME, FAST, period))
    at_us, told = JUNE, list[SlaNotice]()
    for later, downs in looks:
        at_us += later * MINUTE
        spans = [(JUNE + n * MINUTE, JUNE + (n + m) * MINUTE) for n, m in downs]
        one.down = [(i.from_us, i.to_us) for i in union(spans)]
        told += one.grades(instant_text(at_us)) + one.burns(instant_text(at_us))
        assert not one.grades(instant_text(at_us)), "looked at again, there is nothing to tell"
        assert not one.burns(instant_text(at_us))
    for subject in {each.subject for each in told}:
        own = [each for each in told if each.subject == subject]
        assert [each.ordinal for each in own] == list(range(1, len(own) + 1))
        for before, after in pairwise(own):
            is_end = after.event.startswith(before.event + ".")
            assert (after.follows == before.ordinal) is is_end
            is_again = after.event == before.event and "rolling" in subject
            assert is_end or before.event.startswith(after.event + ".") or is_again
        assert own[0].follows is None
