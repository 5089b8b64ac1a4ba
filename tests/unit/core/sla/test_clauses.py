"""Clauses of contracts by their published vectors: hours, denominators, exclusions, minutes, amendments."""

from fractions import Fraction

import pytest

from controller.core.quorum import Verdict
from tests.unit.core.sla.contracting import SECOND, TIME, fleet, seconds, told
from vedette.shared.documents import BadDocument

WARSAW_MONTH = "period: {kind: month, tz: Europe/Warsaw}"
OFFICE = (
    "service_hours: {weekly: {mon: [08:00-18:00], tue: [08:00-18:00], wed: [08:00-18:00],"
    " thu: [08:00-18:00], fri: [08:00-18:00]}, holidays: [2026-05-01, 2026-05-03]}"
)


def exclusion(
    name: str, kind: str, first: str, last: str, declared: str = "0", more: str = ""
) -> str:
    return (
        f"  - {{id: {name}, type: {kind}, from: '{first}', to: '{last}', declared_at: '{declared}',"
        f" by: ada{more}}}\n"
    )


def test_x22_hours_across_a_change_of_the_clock() -> None:
    """Three hours of wall time from 01:00 to 05:00 in March, five in October; all other days have four."""
    file = fleet(WARSAW_MONTH, "service_hours: {weekly: {sun: [01:00-05:00]}}", TIME)
    for label, length in (("2026-03-29", 10_800), ("2026-10-25", 18_000), ("2026-06-07", 14_400)):
        (found,) = told(file, label)
        assert seconds(found, "eligible") == [length]


def test_x34_business_hours_and_holidays() -> None:
    file = fleet(WARSAW_MONTH, OFFICE, TIME)
    (found,) = told(file, "2026-05", ("2026-05-07T16:00:00+02:00", "2026-05-08T09:00:00+02:00"))
    assert seconds(found, "eligible", "downtime") == [720_000, 10_800]
    assert found["attainment_shown"] == "98.500"
    assert seconds(found, "out_of_schedule") == [31 * 86_400 - 720_000]


@pytest.mark.parametrize(
    ("denominator", "shown", "verdict"),
    [("actual", "99.899", "breached"), ("nominal_days", "99.900", "met")],
)
def test_x24_a_month_that_lost_an_hour(denominator: str, shown: str, verdict: str) -> None:
    terms = f"period: {{kind: month, tz: Europe/Warsaw, denominator: {denominator}}}"
    (found,) = told(fleet(terms, TIME), "2026-03", ("2026-03-10T00:00:00Z", "2026-03-10T00:44:36Z"))
    assert (found["attainment_shown"], found["verdict"]) == (shown, verdict)


@pytest.mark.parametrize(
    ("denominator", "eligible", "shown"),
    [
        ("actual", 1_728_000, "99.884"),
        ("full_period", 2_592_000, "99.922"),
        ("fixed_30d", 1_728_000, "99.884"),
    ],
)
def test_x33_a_contract_that_starts_within_a_month(
    denominator: str, eligible: int, shown: str
) -> None:
    terms = f"period: {{denominator: {denominator}}}"
    file = fleet(terms, TIME, effective="2026-04-11T00:00:00Z")
    (found,) = told(file, "2026-04", ("2026-04-20T00:00:00Z", "2026-04-20T00:33:20Z"))
    assert seconds(found, "eligible") == [eligible]
    assert found["attainment_shown"] == shown


def test_s31_every_period_counts_as_thirty_days_where_that_was_agreed() -> None:
    file = fleet("period: {denominator: fixed_30d}", TIME)
    assert seconds(told(file, "2026-01")[0], "eligible") == [2_592_000]
    assert seconds(told(file, "2026-02")[0], "eligible") == [2_592_000]


X26 = (
    "exclusions:\n"
    + exclusion("m1", "scheduled", "2026-06-10T09:00:00Z", "2026-06-10T11:00:00Z")
    + exclusion("m2", "scheduled", "2026-06-10T10:30:00Z", "2026-06-10T12:00:00Z")
    + exclusion("fm", "force_majeure", "2026-06-10T11:30:00Z", "2026-06-10T12:30:00Z")
)


@pytest.mark.parametrize(
    ("mode", "eligible", "downtime", "shown"),
    [
        ("drop", 2_579_400, 5_400, "99.790"),
        ("as_up", 2_592_000, 5_400, "99.791"),
        ("ignore", 2_592_000, 14_400, "99.444"),
    ],
)
def test_x26_exclusions_that_overlap(mode: str, eligible: int, downtime: int, shown: str) -> None:
    terms = f"exclusions: {{scheduled: {{mode: {mode}}}, force_majeure: {{mode: {mode}}}}}"
    file = fleet(terms, TIME, more=X26)
    (found,) = told(file, "2026-06", ("2026-06-10T10:00:00Z", "2026-06-10T14:00:00Z"))
    assert seconds(found, "eligible", "downtime") == [eligible, downtime]
    assert found["attainment_shown"] == shown
    parts = ("up", "down", "partial", "degraded", "unknown", "excluded", "out_of_schedule")
    assert sum(seconds(found, *parts)) == 2_592_000


def test_s25_time_that_several_cover_is_taken_once_by_the_type_that_goes_first() -> None:
    file = fleet(TIME, more=X26)
    (found,) = told(file, "2026-06")
    applied = {one["id"]: one["applied"] // SECOND for one in found["exclusions"]}
    assert applied == {"m1": 7_200, "m2": 1_800, "fm": 3_600}
    assert seconds(found, "excluded") == [12_600]


def test_x27_a_cap_is_used_up_in_order_of_time() -> None:
    more = (
        "exclusions:\n"
        + exclusion("m1", "scheduled", "2026-06-05T00:00:00Z", "2026-06-05T01:30:00Z")
        + exclusion("m2", "scheduled", "2026-06-20T00:00:00Z", "2026-06-20T01:00:00Z")
    )
    file = fleet("exclusions: {scheduled: {cap: 2h}}", TIME, more=more)
    (found,) = told(file, "2026-06", ("2026-06-20T00:00:00Z", "2026-06-20T01:00:00Z"))
    assert seconds(found, "downtime", "excluded") == [1_800, 7_200]
    assert [(one["status"], one["applied"] // SECOND) for one in found["exclusions"]] == [
        ("applied", 5_400), ("capped", 1_800),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "declared", "more", "status"),
    [
        pytest.param("scheduled", "2026-06-09T10:00:00Z", "", "applied", id="in time"),
        pytest.param("scheduled", "2026-06-09T11:00:00Z", "", "rejected_late_notice", id="x28"),
        pytest.param("emergency", "2026-06-10T10:00:00Z", "", "applied", id="at once"),
        pytest.param("emergency", "2026-06-10T10:00:01Z", "", "rejected_declared_afterwards", id="late"),
        pytest.param("force_majeure", "2026-06-11T00:00:00Z", "", "rejected_missing_approvals", id="alone"),
        pytest.param("force_majeure", "2026-06-11T00:00:00Z", ", approved_by: [bo, bo]", "rejected_missing_approvals", id="one person twice"),
        pytest.param("force_majeure", "2026-06-11T00:00:00Z", ", approved_by: [bo, cy]", "applied", id="by two"),
        pytest.param("customer_fault", "2026-06-11T00:00:00Z", ", approved_by: [bo, cy]", "applied", id="fault of theirs"),
        pytest.param("third_party", "2026-06-11T00:00:00Z", ", approved_by: [bo, cy]", "rejected_declared_afterwards", id="of others"),
    ],
)  # fmt: skip
def test_s27_who_may_declare_what_when(kind: str, declared: str, more: str, status: str) -> None:
    own = exclusion("e", kind, "2026-06-10T10:00:00Z", "2026-06-10T11:00:00Z", declared, more)
    file = fleet("exclusions: {scheduled: {notice: 24h}}", TIME, more=f"exclusions:\n{own}")
    (found,) = told(file, "2026-06", ("2026-06-10T10:00:00Z", "2026-06-10T11:00:00Z"))
    (one,) = found["exclusions"]
    assert one["status"] == status
    assert seconds(found, "downtime") == [0 if status == "applied" else 3_600]


@pytest.mark.parametrize(
    ("mode", "scope", "eligible", "downtime"),
    [
        ("as_up", "all", 2_592_000, 1),
        ("drop", "all", 2_592_000 - 4, 1),
        ("drop", "downtime_only", 2_592_000 - 2, 1),
    ],
)
def test_s26_what_an_exclusion_takes_of_an_outage_and_of_unknown_time(
    mode: str, scope: str, eligible: int, downtime: int
) -> None:
    """DOWN for 3 s of which 2 s are excluded, and 2 s of the exclusion are UP."""
    own = exclusion("e", "scheduled", "2026-06-10T10:00:00Z", "2026-06-10T10:00:04Z")
    terms = f"exclusions: {{scheduled: {{mode: {mode}, drop_scope: {scope}}}}}"
    file = fleet(terms, TIME, more=f"exclusions:\n{own}")
    (found,) = told(file, "2026-06", ("2026-06-10T10:00:02Z", "2026-06-10T10:00:05Z"))
    assert seconds(found, "eligible", "downtime", "down") == [eligible, downtime, 1]
    (dark,) = told(
        file, "2026-06", ("2026-06-10T09:59:00Z", "2026-06-10T10:01:00Z", Verdict.UNKNOWN)
    )
    assert seconds(dark, "unknown") == [116 if (mode, scope) == ("drop", "all") else 120]


@pytest.mark.parametrize(
    ("mode", "run", "downtime"),
    [("whole", 1, 240), ("any", 1, 360), ("whole", 5, 0), ("any", 5, 360)],
)
def test_x36_minutes(mode: str, run: int, downtime: int) -> None:
    objective = f'objectives: [{{id: a, target: "99.9", formula: minute, mode: {mode}, n: {run}}}]'
    (found,) = told(fleet(objective), "2026-06", ("2026-06-10T10:00:30Z", "2026-06-10T10:05:10Z"))
    assert seconds(found, "downtime", "down", "eligible") == [downtime, 280, 2_592_000]


@pytest.mark.parametrize(
    ("first", "last", "june", "july"),
    [
        pytest.param("2026-06-30T23:58:00Z", "2026-07-01T00:04:00Z", 120, 240, id="long enough"),
        pytest.param("2026-06-30T23:58:00Z", "2026-07-01T00:02:59Z", 0, 0, id="a second too short"),
    ],
)
def test_x31_an_outage_that_counts_from_a_length_on(
    first: str, last: str, june: int, july: int
) -> None:
    file = fleet("outage: {min_duration: 300s}", TIME)
    assert seconds(told(file, "2026-06", (first, last))[0], "downtime") == [june]
    assert seconds(told(file, "2026-07", (first, last))[0], "downtime") == [july]
    assert told(file, "2026-06", (first, last))[0]["outages"] == (june > 0)


X32 = (
    ("2026-04-05T00:00:00Z", "2026-04-05T00:16:40Z"),
    ("2026-04-20T00:00:00Z", "2026-04-20T00:13:20Z"),
)


@pytest.mark.parametrize(
    ("amendments", "expected"),
    [
        ("segmented", [("99.9", "99.922", "met"), ("99.95", "99.938", "breached")]),
        ("blended", [("99.925", "99.930", "met")]),
        ("next_period", [("99.9", "99.930", "met")]),
    ],
)
def test_x32_an_amendment_within_a_month(
    amendments: str, expected: list[tuple[str, str, str]]
) -> None:
    amendment = (
        "  - id: k\n    effective_from: 2026-04-16T00:00:00Z\n"
        '    objectives: [{id: a, target: "99.95"}]\n'
    )
    file = fleet(f"amendments: {amendments}", TIME, more=amendment)
    found = told(file, "2026-04", *X32)
    assert [(r["target"], r["attainment_shown"], r["verdict"]) for r in found] == expected
    (may,) = told(file, "2026-05")
    assert (may["target"], may["revision"]) == ("99.95", 2)


def test_p11_an_amendment_that_changes_nothing_changes_nothing_when_blended() -> None:
    amendment = "  - {id: k, effective_from: '2026-04-16T00:00:00Z', title: new}\n"
    plain = told(fleet("amendments: blended", TIME), "2026-04", *X32)[0]
    again = told(fleet("amendments: blended", TIME, more=amendment), "2026-04", *X32)[0]
    for name in ("attainment", "target", "verdict", "eligible", "budget"):
        assert plain[name] == again[name]


def test_x63_a_season_has_a_target_of_its_own() -> None:
    overlay = "overlays: [{from: '2026-06-10T00:00:00Z', to: '2026-06-20T00:00:00Z', objective: a, target: \"99.95\"}]"
    spans = [
        ("2026-06-01T00:00:00Z", "2026-06-01T00:25:00Z"),
        ("2026-06-15T00:00:00Z", "2026-06-15T00:08:20Z"),
    ]
    rest, season = told(fleet(overlay, TIME), "2026-06", *spans)
    assert seconds(season, "eligible", "downtime") == [864_000, 500]
    assert (season["target"], season["attainment_shown"], season["verdict"]) == (
        "99.95",
        "99.942",
        "breached",
    )
    assert (rest["target"], rest["attainment_shown"], rest["verdict"]) == ("99.9", "99.913", "met")


def test_p7_an_exclusion_never_raises_downtime() -> None:
    own = exclusion("e", "scheduled", "2026-06-10T10:00:00Z", "2026-06-10T11:00:00Z")
    spans = ("2026-06-10T10:30:00Z", "2026-06-10T12:00:00Z")
    before = told(fleet(TIME), "2026-06", spans)[0]
    for mode in ("drop", "as_up", "ignore"):
        terms = f"exclusions: {{scheduled: {{mode: {mode}}}}}"
        after = told(fleet(terms, TIME, more=f"exclusions:\n{own}"), "2026-06", spans)[0]
        assert after["downtime"] <= before["downtime"]
        share = Fraction(after["attainment"]["num"], after["attainment"]["den"])
        assert share >= Fraction(before["attainment"]["num"], before["attainment"]["den"])


@pytest.mark.parametrize(
    ("clause", "more", "problem"),
    [
        ("service_hours: {weekly: {mon: [18:00-08:00]}}", "", "service_hours.weekly.mon[0]: expected local times"),
        ("service_hours: {weekly: {mon: [8-18]}}", "", "service_hours.weekly.mon[0]: expected local times"),
        ("service_hours: {weekly: {day: [08:00-18:00]}}", "", "service_hours.weekly"),
        ("service_hours: {weekly: {mon: [08:00-18:00]}, holidays: [2026-02-30]}", "", "holidays[0]: expected a day of the calendar"),
        ("period: {denominator: often}", "", "period.denominator: expected one of"),
        ("outage: {min_duration: 30s}", "", "outage.min_duration: expected at least the interval of check c (60s)"),
        ("overlays: [{from: 5, to: 5, objective: a, target: '99'}]", "", "overlays[0].to: expected an instant after"),
        ("overlays: [{from: 5, to: 9, objective: b, target: '99'}]", "", "overlays[0].objective: expected an objective"),
        ("overlays: [{from: 5, to: 9, objective: a, target: '99'}, {from: 8, to: 12, objective: a, target: '98'}]", "", "overlays[1].from: expected a time of its own"),
        ("exclusions: {holiday: {mode: drop}}", "", "exclusions"),
        ("title: x", "  - {id: k, effective_from: 0}\n", "contracts[1].effective_from: expected later than the version before it"),
        ("title: x", "  - {id: k, effective_from: 9, party: other}\n", "contracts[1].party: expected the party"),
        ("title: x", "exclusions:\n" + exclusion("e", "scheduled", "soon", "later"), "exclusions[0].from: expected an instant"),
        ("title: x", "exclusions:\n" + exclusion("e", "scheduled", "9", "5"), "exclusions[0].to: expected an instant after `from`"),
        ("title: x", "exclusions:\n" + exclusion("e", "weather", "5", "9"), "exclusions[0].type: expected one of"),
        ("title: x", "exclusions:\n" + exclusion("e", "scheduled", "5", "9", more=", scope: {checks: [x]}"), "exclusions[0].scope.checks[0]: expected one of the checks of this file"),
        ("title: x", "exclusions:\n" + exclusion("e", "scheduled", "5", "9", more=", scope: {}"), "exclusions[0].scope: expected checks or services"),
    ],
)  # fmt: skip
def test_clauses_that_cannot_be_computed_are_refused_with_their_place(
    clause: str, more: str, problem: str
) -> None:
    with pytest.raises(BadDocument) as caught:
        fleet(clause, TIME, more=more)
    assert problem in str(caught.value)
