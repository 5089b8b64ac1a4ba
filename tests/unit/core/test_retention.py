"""How long lines are kept: what a fleet file may say of it, and what it is warned of."""

import pytest

from controller.core.fleet import Fleet, read_fleet
from controller.core.forewarnings import forewarnings
from controller.core.retention import kept_us
from vedette.shared.documents import BadDocument

DAY = 86_400_000_000
FLEET = """\
version: 1
regions: [{id: fra}]
services: [{id: shop}]
checks:
  - {id: web, service: shop, every: 60s, timeout: 5s, dns: {name: shop.example}}
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [web]}
    period: {kind: month}
    objectives: [{id: availability, target: "90.0", min_coverage: "95"}]
    credits: {currency: EUR, fee: "100", tiers: [{below: "90", percent: "10"}], claim_deadline: P2M}
"""


def read(more: str = "", kind: str = "month", *, is_new: bool = True) -> Fleet:
    text = FLEET.replace("kind: month", f"kind: {kind}") + more
    return read_fleet(text.encode(), "fleet.yaml", is_new=is_new)


def warned(fleet: Fleet) -> list[str]:
    return [one.text for one in forewarnings(fleet, 1) if "lines are kept" in one.text]


@pytest.mark.parametrize(
    ("clause", "days"),
    [("", 397), ("retention: {}\n", 397), ("retention: {lines: 40d}\n", 40)],
    ids=["nothing is thirteen months", "an empty clause too", "what is said"],
)
def test_lines_are_kept_as_long_as_the_file_says(clause: str, days: int) -> None:
    fleet = read(clause)
    assert kept_us(fleet.retention, fleet.contracts) == days * DAY


def test_they_are_never_kept_shorter_than_reports_need_them() -> None:
    fleet = read(kind="year")
    assert kept_us(fleet.retention, fleet.contracts) == 397 * DAY
    fleet = read("retention: {lines: 10d}\n", is_new=False)
    assert kept_us(fleet.retention, fleet.contracts) == (31 + 1 + 5) * DAY


@pytest.mark.parametrize(
    ("clause", "sentence"),
    [
        ("retention: {lines: 36d}\n", "retention.lines: expected at least 37d, the longest period of contract acme"),
        ("retention: {lines: 13 months}\n", "retention.lines: expected a duration such as"),
        ("retention: {samples: 40d}\n", "retention.samples: expected no such key"),
        ("retention: 40d\n", "retention: expected a mapping, found '40d'"),
    ],
)  # fmt: skip
def test_a_clause_that_cannot_be_is_refused(clause: str, sentence: str) -> None:
    with pytest.raises(BadDocument) as refused:
        read(clause)
    assert sentence in str(refused.value)


def test_claims_that_may_come_after_the_lines_are_gone_are_warned_of() -> None:
    (text,) = warned(read("retention: {lines: 60d}\n"))
    assert "lines are kept for 60d, and a claim for acme may rest on lines of 94d ago" in text
    assert warned(read("retention: {lines: 94d}\n")) == []
    assert warned(read()) == []
