"""Credits and grades (S-50, S-52) by their published vectors."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.core.sla.contracting import TIME, fleet, told
from vedette.shared.documents import BadDocument

START = datetime(2026, 6, 1, tzinfo=UTC)
TARGET = 'objectives: [{id: a, target: "99.99"}]'
EC2 = (
    'credits: {fee: "10000.00", currency: EUR, tiers: [{below: "99.99", percent: "10"},'
    ' {below: "95.0", percent: "100"}, {below: "99.0", percent: "30"}]}'
)


def down(*seconds: int, apart: timedelta = timedelta(days=1)) -> list[tuple[str, str]]:
    """Outages of so many seconds, one after another, the first on the first of June 2026."""
    starts = [START + timedelta(hours=10) + place * apart for place in range(len(seconds))]
    ends = [start + timedelta(seconds=each) for start, each in zip(starts, seconds, strict=True)]
    return [(a.isoformat(), b.isoformat()) for a, b in zip(starts, ends, strict=True)]


def credit(clause: str, seconds: Sequence[int], objective: str = TARGET) -> dict[str, Any]:
    (found,) = told(fleet(clause, objective), "2026-06", *down(*seconds))
    own: dict[str, Any] = found["credits"]
    return own


@pytest.mark.parametrize(
    ("seconds", "amount"),
    [(25_920, "1000.00"), (25_921, "3000.00"), (200, "0.00"), (200_000, "10000.00")],
)
def test_x49_tiers(seconds: int, amount: str) -> None:
    found = credit(EC2, [seconds])
    assert (found["amount"], found["currency"]) == (amount, "EUR")


def test_a_computation_can_be_followed() -> None:
    assert credit(EC2, [25_921])["steps"] == [
        "fee 10000.00 EUR",
        "attainment 2566079/2592000 is below 99.0 %: 30 % of the fee: 3000",
        "rounded half up: 3000.00 EUR",
    ]
    assert credit(EC2, [])["steps"][1] == "the objective is not breached: no credit"


@pytest.mark.parametrize(
    ("rounding", "amount"), [("floor", "400.00"), ("ceil", "500.00"), ("exact", "466.67")]
)
def test_x50_by_the_minute(rounding: str, amount: str) -> None:
    terms = f'per_minute: {{rate: "1.00", multiplier: "100", rounding: {rounding}}}'
    clause = f'credits: {{fee: "43200", currency: EUR, {terms}}}'
    assert credit(clause, [280])["amount"] == amount
    capped = credit(clause, [86_400])
    assert capped["amount"] == "43200.00"
    assert "capped at 100% of the fee: 43200" in capped["steps"]


@pytest.mark.parametrize(
    ("minutes", "amount"),
    [
        pytest.param([95], "5.00", id="three blocks on one day"),
        pytest.param([60], "0.00", id="not longer than an hour"),
        pytest.param([61] * 6, "25.00", id="capped"),
        pytest.param([61] * 3, "15.00", id="three days"),
    ],
)
def test_x51_blocks(minutes: list[int], amount: str) -> None:
    blocks = 'blocks: {percent: "5", per: 30m, over: 60m, a_day_max: 1}'
    clause = f'credits: {{fee: "100", currency: EUR, cap: "25%", {blocks}}}'
    assert credit(clause, [60 * each for each in minutes])["amount"] == amount


def test_days_with_much_downtime() -> None:
    bands = 'day_bands: [{over: 1h, percent: "5"}, {over: 4h, percent: "20"}]'
    clause = f'credits: {{fee: "100", currency: EUR, {bands}}}'
    assert credit(clause, [3_600])["amount"] == "0.00"
    assert credit(clause, [3_601, 18_000])["amount"] == "25.00"
    # Ten in the morning until two the day after next: 14, 24 and 2 hours.
    assert credit(clause, [40 * 3_600])["amount"] == "45.00"


@pytest.mark.parametrize(
    ("targets", "amounts"),
    [
        (("99.99", "90", "99.99"), ["6000.00", "0.00", "4000.00"]),
        (("99.99", "99.99", "99.99"), ["6000.00", "3000.00", "1000.00"]),
    ],
)
def test_x52_what_is_at_risk_is_not_paid_twice(
    targets: tuple[str, ...], amounts: list[str]
) -> None:
    pool = 'at_risk: {percent: "10", allocations: {a: "60", b: "30", c: "40"}}'
    listed = ", ".join(f'{{id: {i}, target: "{t}"}}' for i, t in zip("abc", targets, strict=True))
    file = fleet(f'credits: {{fee: "100000", currency: EUR, {pool}}}', f"objectives: [{listed}]")
    found = told(file, "2026-06", *down(10_000))
    assert [one["credits"]["amount"] for one in found] == amounts


def test_s32_a_segment_is_credited_on_its_share_of_the_time() -> None:
    amendment = "  - {id: k, effective_from: '2026-06-16T00:00:00Z', title: new}\n"
    found = told(fleet(EC2, TARGET, more=amendment), "2026-06", *down(14_400))
    assert [one["credits"]["amount"] for one in found] == ["1500.00", "0.00"]


@pytest.mark.parametrize(
    ("shown", "currency", "amount"),
    [
        ("0.5", "JPY", "1"),
        ("0.0005", "KWD", "0.001"),
        ("0.005", "EUR", "0.01"),
        ("0.0049", "EUR", "0.00"),
    ],
)
def test_s42_money_is_rounded_half_up_in_its_own_units(
    shown: str, currency: str, amount: str
) -> None:
    terms = f'per_minute: {{rate: "{shown}"}}'
    clause = f'credits: {{fee: "43200", currency: {currency}, {terms}}}'
    found = credit(clause, [60], 'objectives: [{id: a, target: "100"}]')
    assert found["amount"] == amount


def test_too_little_evidence_is_worth_nothing() -> None:
    (found,) = told(fleet(EC2, TARGET), "2026-06", *down(25_921), as_of="2026-05-01T00:00:00Z")
    assert found["credits"]["amount"] == "0.00"
    assert "nothing is judged: no credit" in found["credits"]["steps"]


EXTENSION = (
    'credits: {extension: {days_max: 15, tiers: [{below: "99.9", days: 3}, {below: "99.0", days: 7},'
    ' {below: "95.0", days: 15}]}}'
)


@pytest.mark.parametrize(
    ("seconds", "days"), [(100, 0), (2_592, 0), (2_593, 3), (25_921, 7), (129_601, 15)]
)
def test_s50_a_term_is_extended_by_days(seconds: int, days: int) -> None:
    found = credit(EXTENSION, [seconds])
    assert (found["days"], found["amount"], found["currency"]) == (days, "0", None)


def test_s50_no_more_days_than_a_period_may_give() -> None:
    objectives = 'objectives: [{id: a, target: "99.9"}, {id: b, target: "99.95"}]'
    found = told(fleet(EXTENSION, objectives), "2026-06", *down(129_601))
    assert [one["credits"]["days"] for one in found] == [15, 0]
    assert found[1]["credits"]["steps"] == [
        "attainment 2462399/2592000 is below 95.0 %: 15 days of service",
        "at most 15 days a period, of which 15 are given before: 0",
        "the term is longer by 0 whole days, half a day rounded up",
    ]


def test_s32_a_segment_extends_by_its_share() -> None:
    amendment = "  - {id: k, effective_from: '2026-06-11T00:00:00Z', title: new}\n"
    found = told(fleet(EXTENSION, TARGET, more=amendment), "2026-06", *down(86_400))
    # A day of ten: 90 % is below 95, 15 days times a third.
    assert [one["credits"]["days"] for one in found] == [5, 0]


def test_s50_the_cap_is_for_all_of_a_period() -> None:
    objectives = 'objectives: [{id: a, target: "99.99"}, {id: b, target: "99.95"}]'
    found = told(fleet(EC2, objectives), "2026-06", *down(129_601))
    assert [one["credits"]["amount"] for one in found] == ["10000.00", "0.00"]
    assert found[1]["credits"]["steps"][2] == (
        "capped at 100% of the fee for the period, of which 10000 is credited before: 0"
    )


def test_s32_segments_share_a_pool_at_risk() -> None:
    pool = 'at_risk: {percent: "10", allocations: {a: "60"}}'
    amendment = "  - {id: k, effective_from: '2026-06-16T00:00:00Z', title: new}\n"
    file = fleet(f'credits: {{fee: "100000", currency: EUR, {pool}}}', TARGET, more=amendment)
    found = told(file, "2026-06", *down(10_000, 10_000, apart=timedelta(days=18)))
    assert [one["credits"]["amount"] for one in found] == ["3000.00", "3000.00"]


@pytest.mark.parametrize(("cap", "amount"), [("100%", "0.00"), ("30%", "0.00")])
def test_s50_the_least_that_is_paid_comes_before_the_cap(cap: str, amount: str) -> None:
    tiers = 'tiers: [{below: "99.99", percent: "40"}]'
    terms = f'fee: "100", currency: EUR, cap: "{cap}", {tiers}'
    assert credit(f'credits: {{{terms}, minimum: "41"}}', [1_000])["amount"] == amount
    paid = "40.00" if cap == "100%" else "30.00"
    # Capped below the least that is paid: what counts is what the scheme gave.
    assert credit(f'credits: {{{terms}, minimum: "35"}}', [1_000])["amount"] == paid


@pytest.mark.parametrize(
    ("seconds", "actions"),
    [(129_600, []), (129_601, ["warn"]), (259_201, ["warn", "legal"])],
)
def test_x53_grades(seconds: int, actions: list[str]) -> None:
    grades = 'grades: [{below: "95", action: warn}, {below: "90", action: legal}]'
    (found,) = told(fleet(grades, TIME), "2026-06", *down(seconds))
    assert found["grades"] == actions


@pytest.mark.parametrize(
    ("clause", "problem"),
    [
        ('credits: {fee: "1", currency: EUR}', "credits: expected one of tiers, per_minute, blocks, day_bands, at_risk and extension, found none of them"),
        (EC2.replace("credits: {", 'credits: {per_minute: {rate: "1"}, '), "found tiers and per_minute"),
        (EC2.replace("99.0", "95.0"), "credits.tiers[2].below: expected a bound of its own"),
        (EC2.replace("EUR", "euro"), "credits.currency: expected a currency by its three letters"),
        (EC2.replace('"10000.00"', "10000.00"), "credits.fee: expected an amount in quotes"),
        (EC2.replace('"10000.00"', '"-5"'), "credits.fee: expected an amount in quotes"),
        ('credits: {fee: "1", currency: EUR, at_risk: {percent: "10", allocations: {x: "5"}}}', "credits.at_risk.allocations"),
        ('credits: {tiers: [{below: "99", percent: "5"}]}', "credits.fee: expected the fee"),
        ('credits: {fee: "1", tiers: [{below: "99", percent: "5"}]}', "credits.currency: expected the currency"),
        (EC2.replace('percent: "100"', 'percent: "20"'), "credits.tiers[1]: expected no less than what is credited below 99.0"),
        (EC2.replace('"99.0"', '"99.990"'), "credits.tiers[2].below: expected a bound of its own"),
        ("credits: {extension: {tiers: []}}", "credits.extension.tiers"),
        ('credits: {year_cap: "5", extension: {tiers: [{below: "99", days: 3}]}}', "credits.year_cap: expected no amount"),
        ('credits: {extension: {tiers: [{below: "99", days: 3}, {below: "95", days: 1}]}}', "credits.extension.tiers[1]: expected no less"),
        ('credits: {fee: "1", currency: EUR, day_bands: [{over: 1h, percent: "5"}, {over: 60m, percent: "6"}]}', "credits.day_bands[1].over: expected a bound of its own"),
        ('credits: {fee: "1", currency: EUR, day_bands: [{over: 4h, percent: "5"}, {over: 1h, percent: "6"}]}', "credits.day_bands[0].percent: expected at least 6"),
        ('termination: {below: "95", periods: 3, objective: x}', "termination.objective: expected an objective of this contract (a)"),
        ('termination: {below: "195", periods: 3}', "termination.below: expected at most 100"),
        ('termination: {below: "95", periods: 0}', "termination.periods"),
        ('grades: [{below: "95", action: "Call them"}]', "grades[0].action: expected a word"),
    ],
)  # fmt: skip
def test_credits_that_cannot_be_computed_are_refused(clause: str, problem: str) -> None:
    with pytest.raises(BadDocument) as caught:
        fleet(clause, TIME, is_new=True)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "clause",
    [
        'credits: {fee: "1", currency: EUR, tiers: [{below: "99", percent: "9"}, {below: "95", percent: "1"}]}',
        'credits: {fee: "1", currency: EUR, day_bands: [{over: 4h, percent: "5"}, {over: 1h, percent: "6"}]}',
        "exclusions: {emergency: {notice: 2h}}",
    ],
)  # fmt: skip
def test_what_was_agreed_before_it_was_refused_stays_readable(clause: str) -> None:
    assert fleet(clause, TIME).contracts
    with pytest.raises(BadDocument):
        fleet(clause, TIME, is_new=True)


@pytest.mark.parametrize(
    "terms",
    ['fee: "100", currency: EUR, tiers: [{below: "99.99", percent: "10"}]', 'extension: {tiers: [{below: "99.99", days: 3}]}'],
)  # fmt: skip
def test_s50_a_fee_by_the_month_is_credited_by_the_month(terms: str) -> None:
    file = fleet(f"credits: {{{terms}}}", TARGET)
    (month,) = told(file, "2026-06", *down(86_400))
    assert (month["credits"]["amount"], month["credits"].get("days")) in {("10.00", None), ("0", 3)}
    (quarter,) = told(file, "2026-Q2", *down(86_400))
    assert quarter["verdict"] == "breached"
    own = quarter["credits"]
    assert (own["amount"], own.get("days")) in {("0.00", None), ("0", 0)}
    assert (
        "credits are by the month, and this is the figure of a quarter: no credit" in own["steps"]
    )
