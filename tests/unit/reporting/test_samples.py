"""Objectives that are counted in samples, and weighted composites, as reports tell them."""

from dataclasses import replace

import pytest

from controller.core.calendars import period_named
from controller.core.fleet import Fleet, read_fleet
from controller.core.instants import instant
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.books import Observed
from controller.core.sla.figures.sampling import Listed, ListedSamples
from controller.core.sla.reports.records import Known, observed_from
from controller.core.sla.reports.report import Facts, report_bytes
from controller.core.sla.reports.report_document import ReportedOutage, decode_report
from controller.reporting.rendering import Form, rendered
from tests.unit.reporting.example import FLEET, example_facts

HEAD, _, TAIL = FLEET.decode().partition("      - {id: availability")
TAIL = TAIL[TAIL.index("    exclusions:") :]
OBJECTIVES = """\
      - {id: fast, metric: latency, threshold: 3s, target: "95"}
      - {id: good, formula: request, target: "99"}
      - {id: errors, formula: interval, target: "99", empty: zero}
      - {id: slots, formula: timeslices, slice: 1m, slice_target: "95", target: "60"}
      - {id: ratio, formula: ratio_timeslices, target: "90"}
      - {id: backup, formula: heartbeat, at_least: 2, target: "90"}
      - {id: kept, unknown: carry(15m), target: "99"}
"""
MARCH = period_named("2026-03", "Europe/Warsaw")


def told(form: Form) -> str:
    facts = example_facts((HEAD + OBJECTIVES + TAIL).encode())
    start = instant("2026-03-02T10:00:00Z")
    answers = [
        Listed(start + n * 20_000_000, n % 50 != 0, 2_980_000 + n % 2 * 1_000) for n in range(200)
    ]
    observed = replace(facts.observed, samples=[ListedSamples(answers)])
    document = report_bytes(
        replace(facts, observed=observed), MARCH, instant("2026-04-04T00:00:00Z")
    )
    return rendered([document], form).decode()


def test_s48_counts_are_told_and_percentiles_are_for_display() -> None:
    text = " ".join(told(Form.TEXT).split())
    assert "Answers that count 200 Good ones of them" in text
    assert "Half took no more than (for display)" in text
    assert "2.936141s – 2.995458s within the promise" in text
    assert "Good days 1" in text


def test_s38_slices_are_told() -> None:
    text = " ".join(told(Form.TEXT).split())
    assert "Slices that count" in text
    assert "Slices without an answer" in text


def test_no_downtime_is_told_of_what_is_counted_in_samples() -> None:
    rows = [line for line in told(Form.TEXT).splitlines() if line.startswith("fast ")]
    assert rows
    assert rows[0].split()[5:7] == ["99.190", "%"]
    assert rows[0].split()[7] == "–"


@pytest.mark.parametrize(
    "words",
    [
        "fast: at least 95 % of all answers within 3s, exactly so long being good",
        "good: at least 99 % by good answers of all",
        "errors: at least 99 % by the mean error rate of every 5m; one without answers is without errors",
        "slots: at least 60 % by slices of 1m in which at least 95 % of the answers are good",
        "ratio: at least 90 % by the mean share of good answers of every 5m; one without answers is left out",
        "backup: at least 90 % by local days with at least 2 good answers",
        "time of which nothing is known is taken as what was known before it, for 15m at most, then out",
    ],
)
def test_every_formula_is_a_clause_in_words(words: str) -> None:
    assert words in " ".join(told(Form.TEXT).split())


def test_no_outage_counts_against_what_is_counted_in_samples() -> None:
    text = told(Form.OUTAGES_CSV)
    assert "kept:1820000000" in text
    assert "fast:" not in text


@pytest.mark.parametrize("form", [Form.CSV, Form.HTML])
def test_the_other_forms_tell_them_too(form: Form) -> None:
    assert "fast" in told(form)


def weighted() -> tuple[Fleet, Observed]:
    text = (HEAD + '      - {id: availability, target: "99.9"}\n' + TAIL).replace(
        "scope: {checks: [shop-home]}", 'scope: {weighted: {shop-home: "0.7", pay: "0.3"}}'
    )
    text = text.replace(
        "checks: [{id: shop-home",
        'checks: [{id: pay, service: shop, every: 60s, http: {url: "http://y.example/"}}, {id: shop-home',
    )
    fleet = read_fleet(text.encode(), "fleet.yaml")
    up, down = (Verdict.UP,) * 3, (Verdict.DOWN,) * 3
    middle = MARCH.from_us + 3_600_000_000
    well = [Stretch(MARCH.from_us, MARCH.to_us, *up)]
    ill = [Stretch(MARCH.from_us, middle, *down), Stretch(middle, MARCH.to_us, *up)]
    members = [Known(well, ()), Known(ill, ())]
    return fleet, observed_from(members, fleet, fleet.contracts["acme-gold"].scope)


def test_s49_each_check_of_a_weighted_scope_is_told_with_its_part() -> None:
    fleet, observed = weighted()
    facts = Facts(fleet.contracts["acme-gold"], fleet, observed, [], 1, "0.1.0")
    document = report_bytes(facts, MARCH, instant("2026-04-04T00:00:00Z"))
    text = " ".join(rendered([document], Form.TEXT).decode().split())
    assert "What each check adds" in text
    assert "30.000 %" in text
    assert "70.000 %" in text
    assert "It is about shop-home 0.7, pay 0.3, each by its weight." in text


def test_s14_of_an_outage_counts_what_its_weight_says() -> None:
    fleet, observed = weighted()
    start = MARCH.from_us
    outage = ReportedOutage(
        handle="OUT-1", check="pay", started_at=start, ended_at=start + 3_600_000_000,
        downtime=3_600_000_000, unknown=0,
    )  # fmt: skip
    facts = Facts(fleet.contracts["acme-gold"], fleet, observed, [outage], 1, "0.1.0")
    document = decode_report(report_bytes(facts, MARCH, instant("2026-04-04T00:00:00Z")))
    assert document.outages[0].counted == {"availability": 1_080_000_000}, "30 % of an hour"
