"""Counting samples, done again one by one: in schedule, less what exclusions take, in slices (S-26, S-35, S-37)."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controller.core.calendars import period_named
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.books import Observed
from controller.core.sla.figures.sampling import Listed, ListedSamples
from controller.core.sla.reports.records import exclusions_of, records
from tests.unit.core.sla.contracting import fleet

DAY = period_named("2026-06-02", "UTC")
HOUR_US = 3_600_000_000
TYPES = ("emergency", "scheduled", "third_party")
MODES = {
    "emergency": "{mode: as_up}",
    "scheduled": "{mode: drop}",
    "third_party": "{mode: drop, drop_scope: downtime_only}",
}
Sample = tuple[int, bool, int]

samples = st.lists(st.tuples(st.integers(-1, 24), st.booleans(), st.integers(1, 4)), max_size=40)
# At most one exclusion an hour: which of several takes the time is the law of exclusions.
excluded = st.dictionaries(st.integers(0, 23), st.sampled_from(TYPES), max_size=6)
hours = st.tuples(st.integers(0, 12), st.integers(13, 24))


def told(
    objective: str, drawn: Sequence[Sample], taken: dict[int, str], open_: tuple[int, int]
) -> Any:
    """The record of a day that is UP, with a sample in the middle of each drawn hour."""
    declared = "exclusions:\n" + "".join(
        f"  - {{id: e{hour}, type: {kind}, from: {DAY.from_us + hour * HOUR_US},"
        f" to: {DAY.from_us + (hour + 1) * HOUR_US}, declared_at: 0, by: ada}}\n"
        for hour, kind in taken.items()
    )
    clauses = ", ".join(f"{kind}: {clause}" for kind, clause in MODES.items())
    file = fleet(
        f'objectives: [{{id: a, {objective}, target: "50", min_coverage: "0"}}]',
        "period: {kind: day}",
        f'service_hours: {{weekly: {{tue: ["{open_[0]:02}:00-{open_[1]:02}:00"]}}}}',
        f"exclusions: {{{clauses}}}",
        more=declared if taken else "",
    )
    agreement = file.contracts["k"]
    listed = [
        Listed(DAY.from_us + hour * HOUR_US + HOUR_US // 2, good, took * 1_000_000)
        for hour, good, took in drawn
    ]
    observed = Observed(
        [Stretch(*DAY[:2], *(Verdict.UP,) * 3)],
        exclusions=exclusions_of(file, agreement.scope),
        samples=[ListedSamples(listed)],
    )
    (found,) = records(agreement, DAY, observed, DAY.to_us)
    return found


def one_by_one(
    drawn: Sequence[Sample], taken: dict[int, str], open_: tuple[int, int], within: int = 9
) -> dict[int, list[int]]:
    """Good and valid samples by hour."""
    found: dict[int, list[int]] = {}
    for hour, is_up, took in drawn:
        kind = taken.get(hour)
        if not open_[0] <= hour < open_[1] or kind == "scheduled":
            continue
        is_good = is_up and took <= within
        if not is_good and kind == "third_party":
            continue
        here = found.setdefault(hour, [0, 0])
        here[0] += is_good or kind == "emergency"
        here[1] += 1
    return found


@given(samples, excluded, hours)
def test_s35_s48_samples_are_counted_as_one_by_one(
    drawn: list[Sample], taken: dict[int, str], open_: tuple[int, int]
) -> None:
    for objective, within in (("formula: request", 9), ("metric: latency, threshold: 2s", 2)):
        counts = one_by_one(drawn, taken, open_, within).values()
        good, valid = sum(g for g, _ in counts), sum(v for _, v in counts)
        found = told(objective, drawn, taken, open_)
        assert found["samples"] == {"good": good, "valid": valid}
        share = None if found["attainment"] is None else Fraction(*found["attainment"].values())
        assert share == (Fraction(good, valid) if valid else None)


@given(samples, excluded, hours)
def test_s37_s38_slices_are_those_of_which_something_counts(
    drawn: list[Sample], taken: dict[int, str], open_: tuple[int, int]
) -> None:
    counts = one_by_one(drawn, taken, open_)
    there = [h for h in range(*open_) if taken.get(h) != "scheduled"]
    ratios = [Fraction(*counts[h]) if h in counts else Fraction(1) for h in there]
    found = told("formula: interval, slice: 1h, empty: zero", drawn, taken, open_)
    if there:
        assert Fraction(*found["attainment"].values()) == sum(ratios) / len(there)
    skipping = told('formula: timeslices, slice: 1h, slice_target: "60"', drawn, taken, open_)
    good = sum(Fraction(*one) >= Fraction(60, 100) for one in counts.values())
    assert (skipping["slices"]["counted"], skipping["slices"]["silent"]) == (
        len(counts), len(there) - len(counts),
    )  # fmt: skip
    if counts:
        assert Fraction(*skipping["attainment"].values()) == Fraction(good, len(counts))


@given(samples, excluded, hours)
def test_p7_p8_an_exclusion_loses_no_good_sample_and_what_is_shown_is_what_is_judged(
    drawn: list[Sample], taken: dict[int, str], open_: tuple[int, int]
) -> None:
    plain = told("formula: request", drawn, {}, open_)
    found = told("formula: request", drawn, taken, open_)
    bad = [one["samples"]["valid"] - one["samples"]["good"] for one in (plain, found)]
    assert bad[1] <= bad[0]
    for one in (plain, found):
        if one["attainment"] is not None:
            assert (Fraction(one["attainment_shown"]) >= 50) == (one["verdict"] == "met")
