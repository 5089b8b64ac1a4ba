"""Attainment (S-34, S-40, S-42, S-43) by its published vectors."""

from fractions import Fraction
from typing import Any

import pytest

from controller.core.calendars import period_named
from controller.core.fleet import read_fleet
from controller.core.intervals import Interval
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Counting, Sets, Stretch, Timeline, account
from controller.core.sla.figures.attainment import shown_percent
from controller.core.sla.figures.books import Observed
from controller.core.sla.reports.records import records
from vedette.shared.documents import BadDocument

SECOND = 1_000_000
FLEET = """\
version: 1
regions: [{{id: a}}, {{id: b}}]
services: [{{id: s}}]
checks: [{{id: c, service: s, every: 60s, http: {{url: "http://x.example/"}}}}]
contracts:
  - id: k
    effective_from: {effective}
    scope: {{checks: [c]}}
    period: {{kind: {kind}, tz: {tz}}}
    objectives: [{{id: a, target: "{target}", unknown: {unknown}, min_coverage: "{coverage}"}}]
    acknowledge_unmeasurable: true
"""


def record(
    label: str,
    *spans: tuple[int, int, Verdict],
    tz: str = "UTC",
    kind: str = "month",
    target: str = "99.9",
    unknown: str = "exclude",
    coverage: str = "95",
    effective: str = "0",
    as_of_us: int | None = None,
) -> dict[str, Any]:
    """The record of a period: seconds from its start with a verdict; what is between them is UP."""
    text = FLEET.format(
        kind=kind, tz=tz, target=target, unknown=unknown, coverage=coverage, effective=effective
    )
    contract = read_fleet(text.encode(), "fleet.yaml").contracts["k"]
    period = period_named(label, tz)
    stretches: list[Stretch] = []
    at = period.from_us
    for start, end, verdict in spans:
        first, last = period.from_us + start * SECOND, period.from_us + end * SECOND
        stretches.append(Stretch(at, first, *(Verdict.UP,) * 3))
        stretches.append(Stretch(first, last, *(verdict,) * 3))
        at = last
    stretches.append(Stretch(at, max(at, period.to_us), *(Verdict.UP,) * 3))
    observed = Observed([s for s in stretches if s.from_us < s.to_us])
    as_of = period.to_us if as_of_us is None else as_of_us
    (found,) = records(contract, period, observed, as_of)
    return found


def figure(found: dict[str, Any]) -> Fraction:
    return Fraction(found["attainment"]["num"], found["attainment"]["den"])


@pytest.mark.parametrize(
    ("label", "tz", "down", "percent", "verdict"),
    [
        pytest.param("2028-02", "UTC", 2450, "99.902", "met", id="x23 leap february"),
        pytest.param("2027-02", "UTC", 2450, "99.898", "breached", id="x23 february"),
        pytest.param("2026-03", "Europe/Warsaw", 2676, "99.899", "breached", id="x24 short month"),
        pytest.param("2026-06", "UTC", 2592, "99.900", "met", id="x25 exactly the target"),
        pytest.param("2026-01", "UTC", 1800, "99.932", "met", id="x29 january"),
        pytest.param("2026-02", "UTC", 2700, "99.888", "breached", id="x29 february"),
        pytest.param("2026-02", "Europe/Warsaw", 4500, "99.813", "breached", id="x30 in warsaw"),
        pytest.param("2026-04", "UTC", 2700, "99.895", "breached", id="x64 april"),
    ],
)
def test_s34_attainment_by_time(label: str, tz: str, down: int, percent: str, verdict: str) -> None:
    found = record(label, (1000, 1000 + down, Verdict.DOWN), tz=tz)
    assert (found["attainment_shown"], found["verdict"]) == (percent, verdict)
    assert found["downtime"] == found["down"] == down * SECOND


def test_x64_a_quarter_is_not_a_month() -> None:
    found = record("2026-Q2", (1000, 3700, Verdict.DOWN), kind="quarter")
    assert (found["attainment_shown"], found["verdict"]) == ("99.965", "met")


def test_x25_a_microsecond_more_is_a_breach_and_shown_as_one() -> None:
    found = record("2026-06", (1000, 3592, Verdict.DOWN))
    period = found["period"]
    eligible = period["to"] - period["from"]
    late = Fraction(eligible - 2592 * SECOND - 1, eligible)
    assert shown_percent(figure(found), "99.9") == "99.900"
    assert shown_percent(late, "99.9") == "99.899"


def test_x33_a_contract_that_starts_within_the_month() -> None:
    found = record(
        "2026-04",
        (900_000, 902_000, Verdict.DOWN),
        effective="2026-04-11T00:00:00Z",
    )
    assert found["eligible"] == 1_728_000 * SECOND
    assert (found["attainment_shown"], found["verdict"]) == ("99.884", "breached")


@pytest.mark.parametrize(
    ("policy", "percent"), [("exclude", "86.666"), ("as_down", "72.222"), ("as_up", "88.888")]
)
def test_x17_unknown_time_by_policy(policy: str, percent: str) -> None:
    """The vector's window is 3,600 s: an hour of evidence as of then."""
    start = period_named("2026-06", "UTC").from_us
    found = record(
        "2026-06",
        (0, 300, Verdict.DOWN),
        (300, 900, Verdict.UNKNOWN),
        (900, 1000, Verdict.DOWN),
        unknown=policy,
        coverage="50",
        as_of_us=start + 3600 * SECOND,
    )
    assert found["attainment_shown"] == percent
    assert found["variants"][policy]["attainment_shown"] == percent


def test_x11_little_evidence_is_no_verdict() -> None:
    start = period_named("2026-06", "UTC").from_us
    found = record(
        "2026-06",
        (260, 410, Verdict.DOWN),
        (410, 840, Verdict.UNKNOWN),
        as_of_us=start + 840 * SECOND,
    )
    assert found["attainment_shown"] == "63.414"
    assert found["coverage"] == {"num": 41, "den": 84}
    assert found["verdict"] == "insufficient_evidence"


@pytest.mark.parametrize(
    ("unknown_seconds", "verdict"),
    [
        pytest.param(259_200, "insufficient_evidence", id="x35 90 %"),
        pytest.param(129_600, "met", id="x67 exactly 95 % passes"),
        pytest.param(129_601, "insufficient_evidence", id="a second less does not"),
    ],
)
def test_s40_the_coverage_gate(unknown_seconds: int, verdict: str) -> None:
    found = record("2026-06", (0, unknown_seconds, Verdict.UNKNOWN))
    assert (found["attainment_shown"], found["verdict"]) == ("100.000", verdict)


@pytest.mark.parametrize(("down", "verdict", "left"), [(0, "met", 0), (1, "breached", -SECOND)])
def test_x60_a_promise_of_everything(down: int, verdict: str, left: int) -> None:
    spans = [(10, 10 + down, Verdict.DOWN)] if down else []
    found = record("2026-06", *spans, target="100")
    assert (found["verdict"], found["budget"], found["budget_left"]) == (verdict, 0, left)


def test_s43_the_budget_is_that_of_the_whole_period() -> None:
    start = period_named("2026-06", "UTC").from_us
    found = record("2026-06", (0, 1000, Verdict.DOWN), as_of_us=start + 864_000 * SECOND)
    assert (found["budget"], found["budget_left"]) == (2_592 * SECOND, 1_592 * SECOND)


def test_s42_a_verdict_that_hangs_on_the_bounds_is_marginal() -> None:
    stretches = [
        Stretch(0, 600, Verdict.UP, Verdict.UP, Verdict.UP),
        Stretch(600, 700, Verdict.UP, Verdict.UP, Verdict.DOWN),
        Stretch(700, 900, Verdict.DOWN, Verdict.DOWN, Verdict.DOWN),
        Stretch(900, 1000, Verdict.DOWN, Verdict.UP, Verdict.DOWN),
    ]
    all_of_it = [Interval(0, 1000)]
    found = account(Timeline(Sets(stretches), Counting()), all_of_it, all_of_it, [])
    assert found.spent_us == (300, 200, 400)


def test_parts_sum_to_the_period_and_what_is_not_covered_is_unknown() -> None:
    period = period_named("2026-06", "UTC")
    month = [Interval(*period[:2])]
    known = [Stretch(period.from_us, period.from_us + 5, *(Verdict.UP,) * 3)]
    found = account(Timeline(Sets(known), Counting()), month, month, [])
    assert sum(found.by_verdict.values()) == period.to_us - period.from_us
    assert found.by_verdict[Verdict.UP] == 5


def test_before_the_contract_there_is_nothing_to_judge() -> None:
    found = record("2026-06", effective="2027-01-01T00:00:00Z")
    assert (found["verdict"], found["attainment"]) == ("no_eligible_time", None)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"99.9"', "99.9", "objectives[0].target: expected a decimal in quotes"),
        ('"99.9"', '"100.1"', "objectives[0].target: expected at most 100"),
        ("tz: UTC", "tz: Mars/Olympus", "period.tz: expected a time zone such as Europe/Warsaw"),
        ("[c]", "[d]", "scope.checks[0]: expected a check of this file, found 'd'"),
        ("[c]", "[c, c]", "scope.checks[1]: expected each check once"),
        ("effective_from: 0", "effective_from: soon", "effective_from: expected an instant"),
        ("kind: month", "kind: lunar", "expected one of day, month, quarter, rolling, week, year"),
        (
            "    scope:",
            "    lateness: {allowed: 6d}\n    scope:",
            "lateness.seal_after: expected at least as long as `allowed` (6d), found 5d",
        ),
        (
            "    scope:",
            "    service_hours: {weekly: {}}\n    scope:",
            "service_hours.weekly: expected hours of at least one weekday",
        ),
        ("acknowledge_unmeasurable: true", "title: x", "a budget of at least two intervals"),
    ],
)
def test_a_contract_that_cannot_be_computed_is_refused(old: str, new: str, problem: str) -> None:
    text = FLEET.format(
        kind="month", tz="UTC", target="99.9", unknown="exclude", coverage="95", effective="0"
    )
    if "intervals" in problem:
        text = text.replace('"99.9"', '"99.999"')
    with pytest.raises(BadDocument) as caught:
        read_fleet(text.replace(old, new).encode(), "fleet.yaml")
    assert problem in str(caught.value)
    assert len(caught.value.problems) == 1
