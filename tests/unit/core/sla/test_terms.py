"""Templates, rolling periods and the cost of downtime (S-33, S-51)."""

import pytest

from tests.unit.core.sla.contracting import SECOND, TIME, fleet, seconds, told
from vedette.shared.documents import BadDocument

GOLD = 'templates:\n  - {id: gold, credits: {fee: "100", currency: EUR, tiers: [{below: "99.9", percent: "10"}]}, title: Gold}\n'
HOUR = ("2026-06-10T10:00:00Z", "2026-06-10T11:00:00Z")


def test_a_contract_may_extend_a_template_and_say_otherwise() -> None:
    file = fleet("extends: gold", "title: Own", TIME, more=GOLD)
    contract = file.contracts["k"].first
    assert (contract.title, contract.credits is not None) == ("Own", True)
    assert told(file, "2026-06", HOUR)[0]["credits"]["amount"] == "10.00"


@pytest.mark.parametrize(
    ("clause", "more", "problem"),
    [
        ("extends: silver", GOLD, "contracts[0].extends: expected a template of this file (gold), found 'silver'"),
        ("extends: gold", "", "contracts[0].extends: expected a template of this file (there are none)"),
        ("title: x", "templates: [{id: gold, colour: red}]\n", "templates[0].colour: expected no such clause"),
        ("title: x", "templates: [{id: a}, {id: a}]\n", "templates[1].id: expected an id of its own"),
        ("title: x", "templates: [gold]\n", "templates[0]: expected a mapping with an id"),
        ("title: x", "templates: gold\n", "templates: expected a list of templates"),
        ("extends: gold", GOLD.replace("EUR", "euro"), "contracts[0].credits.currency"),
        ("period: {kind: rolling}", "", "period.length: expected a length such as 30d"),
        ("period: {kind: month, length: 30d}", "", "period.length: expected a length such as 30d"),
        ("period: {kind: rolling, length: 30d, denominator: fixed_30d}", "", "period.denominator: expected actual"),
        ('cost: {per_day: "5", currency: EUR, hours: {weekly: {}}}', "", "cost.hours.weekly: expected hours"),
    ],
)  # fmt: skip
def test_terms_that_cannot_be_computed_are_refused(clause: str, more: str, problem: str) -> None:
    with pytest.raises(BadDocument) as caught:
        fleet(clause, TIME, more=more)
    assert problem in str(caught.value)


def test_s33_a_rolling_period_ends_now() -> None:
    terms = fleet("period: {kind: rolling, length: 30d}", TIME).contracts["k"].period
    now = 1_780_000_000 * SECOND
    assert terms.at(now)[:2] == (now - 30 * 86_400 * SECOND, now)
    assert terms.named("rolling", now) == terms.at(now)
    with pytest.raises(ValueError, match="needs a contract of rolling periods, and as of when"):
        terms.named("rolling", None)


@pytest.mark.parametrize(
    ("hours", "amount"),
    [
        ("always", "34722.22"),
        ("{weekly: {wed: [08:00-18:00]}}", "83333.33"),
        ("{weekly: {mon: [08:00-18:00]}}", "0.00"),
    ],
)
def test_x45_what_ten_minutes_cost(hours: str, amount: str) -> None:
    file = fleet(f'cost: {{per_day: "5000000", currency: EUR, hours: {hours}}}', TIME)
    (found,) = told(file, "2026-06", ("2026-06-10T10:00:00Z", "2026-06-10T10:10:00Z"))
    assert found["cost"]["amount"] == amount
    assert seconds(found["cost"], "downtime") == [0 if amount == "0.00" else 600]


def test_a_night_of_downtime_costs_what_its_hours_would_have_earned() -> None:
    hours = "{weekly: {wed: [08:00-18:00], thu: [08:00-12:00]}}"
    file = fleet(f'cost: {{per_day: "1000", currency: EUR, hours: {hours}}}', TIME)
    (found,) = told(file, "2026-06", ("2026-06-10T17:00:00Z", "2026-06-11T09:00:00Z"))
    assert found["cost"]["amount"] == "350.00"
    assert found["cost"]["a_year"] == "4258.33"
    assert found["cost"]["steps"] == [
        "1000 EUR a day over its hours",
        "120 minutes of downtime in them: 350",
        "as often in a year, 365 days to these 30: 12775/3",
    ]
