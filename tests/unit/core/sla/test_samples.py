"""Objectives that are counted in samples (S-35, S-37, S-38, S-48, X-66) by their published vectors."""

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from controller.core.calendars import midnight_us, period_named, zone
from controller.core.fleet import Fleet
from controller.core.instants import instant
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.books import Observed
from controller.core.sla.figures.sampling import Listed, ListedSamples
from controller.core.sla.figures.sketch import Percentile
from controller.core.sla.reports.records import exclusions_of, records
from tests.unit.core.sla.contracting import SECOND, fleet
from vedette.shared.documents import BadDocument

JUNE = period_named("2026-06", "UTC")
MINUTE = 60 * SECOND
Samples = Iterable[tuple[int, bool, int | None]]


def told(
    file: Fleet,
    samples: Samples,
    label: str = "2026-06",
    *,
    unknown: Sequence[tuple[int, int]] = (),
    as_of: int | None = None,
) -> dict[str, Any]:
    """The record of a period that is UP but for where it is UNKNOWN, with these samples."""
    agreement = file.contracts["k"]
    period = period_named(label, agreement.period.tz)
    up: list[Stretch] = []
    at = period.from_us
    for first, last in [*unknown, (period.to_us, period.to_us)]:
        up.append(Stretch(at, first, *(Verdict.UP,) * 3))
        at = last
    listed = ListedSamples([Listed(*one) for one in samples])
    observed = Observed(up, exclusions=exclusions_of(file, agreement.scope), samples=[listed])
    (found,) = records(agreement, period, observed, period.to_us if as_of is None else as_of)
    return found


def slices(good: Sequence[int], valid: Sequence[int], length: int = 300) -> list[Any]:
    """Samples of which so many are good in each slice of so many seconds of June."""
    return [
        (JUNE.from_us + (n * length + i) * SECOND, i < good[n], SECOND)
        for n in range(len(valid))
        for i in range(valid[n])
    ]


LATENCY = 'objectives: [{id: a, metric: latency, threshold: 3s, target: "95"}]'


@pytest.mark.parametrize(
    ("good", "shown", "verdict"), [(9480, "94.800", "breached"), (9500, "95.000", "met")]
)
def test_x44_counts_decide_and_exactly_the_threshold_is_good(
    good: int, shown: str, verdict: str
) -> None:
    took = [3_000_000] + [2_980_000] * (good - 1) + [3_000_001] * (10_000 - good)
    samples = [(JUNE.from_us + n * SECOND, True, us) for n, us in enumerate(took)]
    found = told(fleet(LATENCY), samples)
    assert (found["attainment_shown"], found["verdict"]) == (shown, verdict)
    assert found["samples"] == {"good": good, "valid": 10_000}
    assert found["robustness"] == "robust"
    assert found["percentiles"]["display_only"]
    assert found["percentiles"]["at_target"]["verdict"] == "indeterminate"


def test_x44_a_sketch_that_straddles_the_threshold_says_nothing() -> None:
    sketched = Percentile(2_980_000)
    assert (sketched.least_us * 1 // 1, -(-sketched.most_us // 1)) == (2_950_495, 3_010_102)
    assert sketched.against(3_000_000) == "indeterminate"
    assert (sketched.against(2_950_000), sketched.against(3_010_102)) == ("beyond", "within")


def test_s48_down_is_bad_and_an_answer_of_unknown_length_is_no_sample() -> None:
    samples = [
        (JUNE.from_us, True, SECOND),
        (JUNE.from_us + 1, False, SECOND),
        (JUNE.from_us + 2, True, None),
        (JUNE.from_us + 3, False, None),
    ]
    found = told(fleet(LATENCY), samples)
    assert found["samples"] == {"good": 1, "valid": 3}
    assert found["attainment"] == {"num": 1, "den": 3}
    assert found["percentiles"]["p99"] is None, "the slowest of three never answered"


def test_s48_samples_count_in_schedule_and_outside_what_is_dropped() -> None:
    hours = 'service_hours: {weekly: {mon: ["08:00-18:00"]}}'
    exclusion = "exclusions: [{id: e, type: scheduled, from: '2026-06-01T09:00:00Z', to: '2026-06-01T10:00:00Z', declared_at: 0, by: ada}]\n"
    at = [instant(f"2026-06-01T{clock}Z") for clock in ("07:59:59", "08:00:00", "09:00:00", "10:00:00", "18:00:00")]  # fmt: skip
    samples = [(us, n != 2, 9 * SECOND if n else SECOND) for n, us in enumerate(at)]
    assert told(fleet(LATENCY, hours), samples)["samples"] == {"good": 0, "valid": 3}
    assert told(fleet(LATENCY, hours, more=exclusion), samples)["samples"] == {"good": 0, "valid": 2}  # fmt: skip


REQUEST = 'objectives: [{id: a, formula: request, target: "95"}]'


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("mode: as_up", {"good": 2, "valid": 2}),
        ("mode: drop, drop_scope: downtime_only", {"good": 1, "valid": 1}),
        ("mode: drop", {"good": 0, "valid": 0}),
        ("mode: ignore", {"good": 1, "valid": 2}),
    ],
)
def test_s26_modes_of_exclusions_mean_for_samples_what_they_mean_for_time(
    clause: str, expected: dict[str, int]
) -> None:
    exclusion = f"exclusions: [{{id: e, type: scheduled, from: {JUNE.from_us}, to: {JUNE.from_us + MINUTE}, declared_at: 0, by: ada}}]\n"
    samples = [(JUNE.from_us + 1, True, 1), (JUNE.from_us + 2, False, 1)]
    file = fleet(REQUEST, f"exclusions: {{scheduled: {{{clause}}}}}", more=exclusion)
    assert told(file, samples)["samples"] == expected


GOOD = [2, 10, 12, 13, 13, 12, 13, 13, 12, 11]
VALID = [4, 10, 12, 13, 14, 15, 14, 13, 12, 11]


@pytest.mark.parametrize(
    ("clause", "attainment", "shown", "used"),
    [
        ("formula: request", Fraction(111, 118), "94.067", Fraction(140, 118)),
        ('formula: timeslices, slice_target: "95"', Fraction(6, 10), "60.000", Fraction(8)),
        ("formula: ratio_timeslices", Fraction(641, 700), "91.571", Fraction(590, 350)),
    ],
)
def test_x38_occurrences_and_timeslices(
    clause: str, attainment: Fraction, shown: str, used: Fraction
) -> None:
    found = told(fleet(f'objectives: [{{id: a, {clause}, target: "95"}}]'), slices(GOOD, VALID))
    assert Fraction(*found["attainment"].values()) == attainment
    assert (found["attainment_shown"], found["verdict"]) == (shown, "breached")
    assert Fraction(*found["budget_used"].values()) == used


def x37(clause: str) -> dict[str, Any]:
    good = [0, 2, 0] + [4] * (8640 - 3)
    valid = [4, 4, 0] + [4] * (8640 - 3)
    return told(
        fleet(f'objectives: [{{id: a, formula: interval, {clause}, target: "99.9"}}]'),
        slices(good, valid),
    )


def test_x37_error_rates_of_five_minutes() -> None:
    found = x37("empty: zero")
    assert Fraction(*found["attainment"].values()) == 1 - Fraction(15, 86_400)
    assert found["slices"] == {"counted": 8640, "silent": 1, "good": {"num": 17_277, "den": 2}}
    skipped = x37("empty: skip")
    assert Fraction(*skipped["attainment"].values()) == 1 - Fraction(15, 86_390)
    assert skipped["slices"]["counted"] == 8639


def test_x37_over_twelve_intervals() -> None:
    hour = 'objectives: [{id: a, formula: interval, empty: zero, target: "99.9"}]'
    rolling = "period: {kind: rolling, length: 1h}"
    file = fleet(hour, rolling)
    agreement = file.contracts["k"]
    period = agreement.period.named("rolling", JUNE.from_us + 60 * MINUTE)
    listed = ListedSamples(
        [Listed(*one) for one in slices([0, 2, 0] + [4] * 9, [4, 4, 0] + [4] * 9)]
    )
    up = [Stretch(period.from_us, period.to_us, *(Verdict.UP,) * 3)]
    (found,) = records(agreement, period, Observed(up, samples=[listed]), period.to_us)
    assert found["attainment_shown"] == "87.500"


def beats(days: Iterable[int]) -> list[Any]:
    warsaw = zone("Europe/Warsaw")
    march = period_named("2026-03", "Europe/Warsaw")
    first = midnight_us(date(2026, 3, 1), warsaw)
    assert first == march.from_us
    return [(midnight_us(date(2026, 3, day), warsaw) + 3600 * SECOND, True, 1) for day in days]


HEARTBEAT = 'objectives: [{id: a, formula: heartbeat, target: "99", min_coverage: "0"}]'
WARSAW = "period: {kind: month, tz: Europe/Warsaw}"


def test_x66_a_day_of_23_hours_without_a_backup() -> None:
    found = told(fleet(HEARTBEAT, WARSAW), beats(d for d in range(1, 32) if d != 29), "2026-03")
    assert found["days"] == {"good": 30, "counted": 31}
    assert found["attainment_shown"] == "96.774"


def test_x66_a_day_that_is_not_over_counts_once_it_is_good() -> None:
    file, noon = fleet(HEARTBEAT, WARSAW), instant("2026-03-10T12:00:00Z")
    assert told(file, beats(range(1, 10)), "2026-03", as_of=noon)["days"] == {"good": 9, "counted": 9}  # fmt: skip
    assert told(file, beats(range(1, 11)), "2026-03", as_of=noon)["days"] == {"good": 10, "counted": 10}  # fmt: skip


def test_s35_without_samples_there_is_no_figure() -> None:
    found = told(fleet(REQUEST), [])
    assert (found["attainment"], found["verdict"]) == (None, "insufficient_evidence")


def test_s40_what_is_not_known_has_no_samples_and_both_readings_are_shown() -> None:
    tenth = (JUNE.to_us - JUNE.from_us) // 10
    samples = [(JUNE.from_us + tenth + n, n > 0, 1) for n in range(20)]
    clause = 'objectives: [{id: a, formula: request, target: "90", min_coverage: "90"}]'
    found = told(fleet(clause), samples, unknown=[(JUNE.from_us, JUNE.from_us + tenth)])
    shown = {name: one["attainment_shown"] for name, one in found["variants"].items()}
    assert shown == {"exclude": "95.000", "as_up": "95.500", "as_down": "85.500"}
    assert found["verdict"] == "met"
    low = fleet(REQUEST)
    gated = told(low, samples, unknown=[(JUNE.from_us, JUNE.from_us + tenth)])
    assert gated["verdict"] == "insufficient_evidence"


def test_s44_bad_samples_burn_the_budget_of_a_running_period() -> None:
    now = JUNE.from_us + 86_400 * SECOND
    samples = [(now - (n + 1) * MINUTE, n >= 60, 1) for n in range(1440)]
    found = told(fleet(REQUEST), samples, as_of=now)
    assert found["burn"]["alerts"][0]["urgency"] == "page"
    assert found["burn"]["alerts"][0]["rate"] == {"num": 20, "den": 1}
    assert Fraction(*found["budget_used"].values()) == Fraction(60, 1440) * 1 / (30 * Fraction(5, 100))  # fmt: skip


BOTH = (
    'objectives: [{id: a, target: "99.9"}, {id: l, metric: latency, threshold: 3s, target: "95"},'
    ' {id: r, formula: request, target: "95"}]'
)
AT_RISK = (
    'credits: {fee: "100000", currency: EUR, at_risk: {percent: "10",'
    ' allocations: {a: "60", l: "30", r: "40"}}}'
)
PER_MINUTE = 'credits: {fee: "1000", currency: EUR, per_minute: {rate: "1"}}'


def credits_of(clause: str, *, is_down: bool, is_slow: bool, fails: bool) -> list[str]:
    """What is credited for each of an availability of time, a latency and an availability of samples."""
    file = fleet(BOTH, clause)
    took = 9 * SECOND if is_slow else SECOND
    samples = [Listed(JUNE.from_us + n, not fails, took) for n in range(10)]
    verdict = Verdict.DOWN if is_down else Verdict.UP
    observed = Observed([Stretch(*JUNE[:2], *(verdict,) * 3)], samples=[ListedSamples(samples)])
    found = records(file.contracts["k"], JUNE, observed, JUNE.to_us)
    return [one["credits"]["amount"] for one in found]


def test_x52_objectives_of_samples_take_their_part_of_what_is_at_risk() -> None:
    some = credits_of(AT_RISK, is_down=True, is_slow=True, fails=False)
    assert some == ["6000.00", "3000.00", "0.00"]
    every = credits_of(AT_RISK, is_down=True, is_slow=True, fails=True)
    assert every == ["6000.00", "3000.00", "1000.00"], "the pool is empty"


def test_minutes_of_downtime_are_credited_to_objectives_of_time_only() -> None:
    found = credits_of(PER_MINUTE, is_down=True, is_slow=True, fails=True)
    assert found == ["1000.00", "0.00", "0.00"]
    with pytest.raises(BadDocument, match=r"credits\.per_minute: expected an objective of availab"):
        fleet(LATENCY, PER_MINUTE)


@pytest.mark.parametrize(
    ("objective", "problem"),
    [
        ("{id: a, metric: speed, target: '95'}", "metric: expected one of availability, latency"),
        ("{id: a, metric: latency, target: '95'}", "threshold: expected a value, found nothing"),
        ("{id: a, metric: latency, threshold: 3s, target: '95', n: 2}", "n: expected no such key"),
        ("{id: a, metric: latency, threshold: 0s, target: '95'}", "threshold: expected a length"),
        ("{id: a, metric: latency, threshold: 3s, target: '101'}", "target: expected at most 100"),
        ("{id: a, formula: request, n: 2, target: '95'}", "n: expected it only with formula minute, found formula request"),
        ("{id: a, formula: request, unknown: as_up, target: '95'}", "unknown: expected it only with formula minute or time"),
        ("{id: a, formula: timeslices, target: '95'}", "slice_target: expected how much makes a slice a good one"),
        ("{id: a, formula: timeslices, slice_target: '101', target: '95'}", "slice_target: expected at most 100"),
        ("{id: a, formula: interval, slice: 30s, target: '95'}", "slice: expected at least the interval of check c (60s)"),
        ("{id: a, unknown: carry, target: '95'}", "unknown: expected exclude, as_up, as_down, or for how long"),
    ],
)  # fmt: skip
def test_objectives_that_cannot_be_computed_are_refused(objective: str, problem: str) -> None:
    with pytest.raises(BadDocument) as caught:
        fleet(f"objectives: [{objective}]")
    assert problem in str(caught.value)
    assert "fleet.yaml:10" in str(caught.value)
