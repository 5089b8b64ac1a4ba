"""Rights that follow from several periods, from what is stored (X-65)."""

from typing import Any

import pytest

from controller.core.calendars import period_named
from controller.core.instants import instant
from controller.core.sla.reports.report_document import decode_report
from controller.errors import Rejected
from controller.ports.custody import Actor
from controller.services.contracts.claims import Asked, Claims
from controller.services.contracts.documents import Documents
from controller.services.contracts.rights import Rights
from controller.services.contracts.terms import Terms
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line
from tests.unit.services.story import REGIONS

HOUR = 3600 * SECOND
DAY = 24 * HOUR
ADA = Actor("ada", "operator", "local")
HEAD = """\
contracts:
  - id: acme
    effective_from: 2025-06-15T00:00:00Z
    scope: {checks: [shop-home]}
    period: {kind: day}
    acknowledge_unmeasurable: true
    objectives: [{id: a, target: "99", min_coverage: "0"}]
"""


class Days:
    """A check whose days are told one by one: an hour of results each, some of it down."""

    def __init__(self, world: World, running: Running) -> None:
        self.world, self.running, self.seq = world, running, 0

    async def day(self, number: int, down_minutes: int) -> None:
        """Day `number` after the first; results every minute of its first hour from 16:00."""
        start_us = START + number * DAY + HOUR
        for minute in range(60):
            self.seq += 1
            outcome = "down" if 10 <= minute < 10 + down_minutes else "up"
            for place, region in enumerate(REGIONS):
                at_us = start_us + (minute * 60 + place * 20) * SECOND
                self.world.now_us = at_us + SECOND
                await self.running.give(
                    frame(self.seq, line(self.seq, at_us, outcome, region)), region
                )

    def apply(self, *clauses: str) -> None:
        text = HEAD + "".join(f"    {clause}\n" for clause in clauses)
        assert not self.world.fleets.apply(FLEET + text.encode(), "fleet.yaml", "ada").problems

    def rights(self, label: str = "") -> list[dict[str, Any]]:
        return Rights(
            self.world.storage, self.world.evaluator, Terms(), lambda: self.world.now_us
        ).of(label, None, None)

    def claim(self, label: str) -> Any:
        claims = Claims(
            self.world.storage,
            self.world.evaluator,
            Terms(),
            "x.example",
            lambda: self.world.now_us,
        )
        return claims.create(Asked("acme", label), ADA).facts


@pytest.fixture
def days(world: World, running: Running) -> Days:
    return Days(world, running)


async def test_x65_the_right_arises_with_the_third_period(days: Days) -> None:
    days.apply('termination: {below: "90", periods: 3}')
    for number in range(3):
        await days.day(number, 20)
    (found,) = days.rights()
    (chain,) = found["termination"]
    assert (chain["count"], chain["arose_at"]) == (2, None), "the third day is not over"
    assert [one["label"] for one in chain["chain"]] == ["2025-06-15", "2025-06-16"]
    days.world.now_us = instant("2025-06-18T00:00:00Z")
    (found,) = days.rights("2025-06-17")
    assert found["termination"][0]["arose_at"] == instant("2025-06-18T00:00:00Z")
    documents = Documents(days.world.evaluator, Terms(), "1")
    when = period_named("2025-06-17", "UTC")
    with days.world.storage.transaction() as tx:
        made = [
            documents.now(tx, "acme", when, days.world.now_us),
            documents.then(tx, "acme", when, days.world.now_us),
        ]
    for one in made:
        assert decode_report(one).rights == {"termination": found["termination"]}


async def test_s50_the_cap_of_a_year_takes_earlier_periods_first(days: Days) -> None:
    days.apply(
        'credits: {fee: "100", currency: EUR, year_cap: "25", tiers: [{below: "99", percent: "20"}]}'
    )
    for number in range(3):
        await days.day(number, 20)
    days.world.now_us = instant("2025-06-19T00:00:00Z")
    (found,) = days.rights("2025-06-16")
    assert found["year"] == {
        "cap": "25", "currency": "EUR", "credited": {"2025-06-15": "20", "2025-06-16": "20"},
    }  # fmt: skip
    assert [days.claim(f"2025-06-{day}").amount for day in (15, 16)] == ["20.00", "5.00"]
    with pytest.raises(Rejected, match=r"Nothing can be claimed for 2025-06-17: .* left 0"):
        days.claim("2025-06-17")


async def test_s50_what_is_earned_back_is_not_claimed(days: Days) -> None:
    days.apply(
        'credits: {fee: "100", currency: EUR, at_risk: {percent: "10", allocations: {a: "60"},'
        " earn_back: {periods: 2}}}"
    )
    for number, down_minutes in enumerate([20, 0, 0]):
        await days.day(number, down_minutes)
    days.world.now_us = instant("2025-06-17T00:00:00Z")
    (found,) = days.rights("2025-06-16")
    assert [(one["label"], one["standing"]) for one in found["earn_back"]] == [
        ("2025-06-15", "open")
    ]
    assert days.claim("2025-06-15").amount == "6.00"
    days.world.now_us = instant("2025-06-18T00:00:00Z")
    (found,) = days.rights("2025-06-17")
    (pool,) = found["earn_back"]
    assert (pool["standing"], pool["taken"]) == ("earned_back", "6")
    assert pool["steps"][-1] == "what was taken is given back"


async def test_s50_days_of_service_are_claimed(days: Days) -> None:
    days.apply('credits: {extension: {tiers: [{below: "99", days: 3}]}}')
    await days.day(0, 20)
    days.world.now_us = instant("2025-06-16T00:00:00Z")
    facts = days.claim("2025-06-15")
    assert (facts.amount, facts.unit, facts.deadline_us) == ("3", "days", None)


async def test_s50_a_breach_without_a_clause_is_worth_nothing(days: Days) -> None:
    days.apply()
    await days.day(0, 20)
    days.world.now_us = instant("2025-06-16T00:00:00Z")
    with pytest.raises(Rejected, match="acme has no `credits` clause"):
        days.claim("2025-06-15")
    assert days.rights() == []


def test_s50_a_rolling_period_is_never_over(days: Days) -> None:
    text = HEAD.replace("kind: day", "kind: rolling, length: 30d")
    assert not days.world.fleets.apply(FLEET + text.encode(), "fleet.yaml", "ada").problems
    with pytest.raises(Rejected, match="judged over a rolling period, which never ends"):
        days.claim("rolling")
