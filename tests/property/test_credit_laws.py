"""Credits never rise with attainment (P12), whatever the scheme."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.sla.contracting import fleet, told

START = datetime(2026, 6, 3, 10, tzinfo=UTC)
SCHEMES = {
    "tiers": 'tiers: [{below: "99.99", percent: "10"}, {below: "99.0", percent: "30"}, {below: "95", percent: "100"}]',
    "floored minutes": 'per_minute: {rate: "1.00", multiplier: "100", rounding: floor}',
    "begun minutes": 'per_minute: {rate: "0.37", multiplier: "7", rounding: ceil}',
    "blocks": 'blocks: {percent: "5", per: 30m, over: 60m, a_day_max: 2}',
    "day bands": 'day_bands: [{over: 1h, percent: "5"}, {over: 4h, percent: "20"}]',
    "at risk": 'at_risk: {percent: "10", allocations: {a: "60"}}',
    "extension": 'extension: {days_max: 10, tiers: [{below: "99.9", days: 3}, {below: "98", days: 15}]}',
}


def credited(scheme: str, more: str, seconds: int) -> tuple[Fraction, Fraction]:
    """Attainment, and what one outage of so many seconds is worth."""
    terms = "" if scheme == "extension" else 'fee: "43200", currency: EUR, '
    clause = f"credits: {{{terms}{more}{SCHEMES[scheme]}}}"
    file = fleet(clause, 'objectives: [{id: a, target: "99.95"}]')
    end = START + timedelta(seconds=seconds)
    spans = [(START.isoformat(), end.isoformat())] if seconds else []
    (found,) = told(file, "2026-06", *spans)
    share, credit = found["attainment"], found["credits"]
    amount = Fraction(credit.get("days", credit["amount"]))
    return Fraction(share["num"], share["den"]), amount


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("more", ["", 'minimum: "500", cap: "25%", '], ids=["plain", "bounded"])
@given(one=st.integers(0, 400_000), other=st.integers(0, 400_000))
def test_p12_credits_never_rise_with_attainment(
    scheme: str, more: str, one: int, other: int
) -> None:
    found = [credited(scheme, more, each) for each in (one, other)]
    (worse_share, more_credit), (better_share, less_credit) = sorted(
        found, key=lambda each: each[0]
    )
    assert worse_share <= better_share
    assert more_credit >= less_credit
