"""Every refusal of a contract and of an exclusion: one bad file a rule, with its line and what to write instead."""

import pytest

from controller.core.fleet import read_fleet
from tests.unit.core.sla.contracting import TIME, fleet
from vedette.shared.documents import BadDocument

DECIMAL = 'expected a decimal in quotes: "99.9"'
INSTANT = (
    "expected an instant: RFC 3339 with an offset (2026-06-01T00:00:00Z) or microseconds since 1970"
)
DURATION = "expected a duration such as 250ms, 60s, 5m, 24h or 7d"
WEEKDAYS = "expected one of mon, tue, wed, thu, fri, sat, sun"
EXCLUSION = (
    "{id: e, type: scheduled, from: '2026-06-10T10:00:00Z', to: '2026-06-10T11:00:00Z',"
    " declared_at: '2026-06-01T00:00:00Z', by: ada}"
)


def problems(*clauses: str, more: str = "", effective: str = "0") -> str:
    with pytest.raises(BadDocument) as caught:
        fleet(*clauses, more=more, effective=effective, is_new=True)
    return str(caught.value)


def objective(*parts: str) -> str:
    return f"objectives: [{{id: a, {', '.join(parts)}}}]"


@pytest.mark.parametrize(
    ("clause", "problem"),
    [
        (objective('target: "100.1"'), "objectives[0].target: expected at most 100, found 100.1"),
        (objective('target: "100.000000001"'), "objectives[0].target: expected at most 100, found 100.000000001"),
        (objective("target: 99.9"), f"objectives[0].target: {DECIMAL}, found 99.9"),
        (objective("target: 99"), f"objectives[0].target: {DECIMAL}, found 99"),
        (objective("target: true"), f"objectives[0].target: {DECIMAL}, found true"),
        (objective('target: "99,9"'), f"objectives[0].target: {DECIMAL}, found '99,9'"),
        (objective('target: "-1"'), f"objectives[0].target: {DECIMAL}, found '-1'"),
        (objective('target: "99.9999999999"'), f"objectives[0].target: {DECIMAL}, found '99.9999999999'"),
        (objective("unknown: exclude"), "objectives[0].target: expected a value, found nothing"),
        (objective('target: "99"', 'min_coverage: "101"'), "objectives[0].min_coverage: expected at most 100, found 101"),
        (objective('target: "99"', "min_coverage: 95"), f"objectives[0].min_coverage: {DECIMAL}, found 95"),
        (objective('target: "99"', "colour: red"), "objectives[0].colour: expected no such key, found 'colour'"),
        ("objectives: []", "objectives: expected a list of at least 1 items, found a list of 0"),
    ],
)  # fmt: skip
def test_s8_a_target_is_a_decimal_of_at_most_a_hundred(clause: str, problem: str) -> None:
    assert problems(clause) == f"fleet.yaml:10: contracts[0].{problem}"


@pytest.mark.parametrize(
    ("clause", "problem"),
    [
        ("period: {tz: Mars/Base}", "period.tz: expected a time zone such as Europe/Warsaw, found 'Mars/Base'"),
        ("period: {tz: warsaw}", "period.tz: expected a time zone such as Europe/Warsaw, found 'warsaw'"),
        ("period: {kind: fortnight}", "period.kind: expected one of day, month, quarter, rolling, week, year, found 'fortnight'"),
        ("outage: {min_duration: 59s}", "outage.min_duration: expected at least the interval of check c (60s): less cannot be seen, found 59s"),
        ("outage: {min_duration: long}", f"outage.min_duration: {DURATION}, found 'long'"),
        ("level: gold", "level: expected one of customer, internal, underpinning, found 'gold'"),
        ("amendments: sometimes", "amendments: expected one of blended, next_period, segmented, found 'sometimes'"),
        ("colour: red", "colour: expected no such key, found 'colour'"),
        ("exclusions: {scheduled: {notice: soon}}", f"exclusions.scheduled.notice: {DURATION}, found 'soon'"),
        ("exclusions: {scheduled: {cap: 4}}", f"exclusions.scheduled.cap: {DURATION}, found 4"),
        ("exclusions: {emergency: {mode: keep}}", "exclusions.emergency.mode: expected one of as_up, drop, ignore, found 'keep'"),
        ("exclusions: {scheduled: {drop_scope: some}}", "exclusions.scheduled.drop_scope: expected one of all, downtime_only, found 'some'"),
        ("exclusions: {force_majeure: {approvals: 11}}", "exclusions.force_majeure.approvals: expected a whole number from 0 to 10, found 11"),
        ("exclusions: {holiday: {mode: drop}}", "exclusions.holiday: expected no such key, found 'holiday'"),
        ("exclusions: {emergency: {notice: 2h}}", "exclusions.emergency.notice: expected none: notice is asked for of scheduled work only, found 2h"),
        ("exclusions: [scheduled]", "exclusions: expected a mapping, found a list of 1"),
        ("service_hours: business", "service_hours: expected always or a mapping, found 'business'"),
        ("service_hours: {weekly: {monday: ['08:00-18:00']}}", f"service_hours.weekly.monday: {WEEKDAYS}, found 'monday'"),
        ("cost: {per_day: '1', currency: EUR, hours: {weekly: {Mon: ['08:00-18:00']}}}", f"cost.hours.weekly.Mon: {WEEKDAYS}, found 'Mon'"),
    ],
)  # fmt: skip
def test_s8_clauses_that_say_nothing_that_can_be_computed(clause: str, problem: str) -> None:
    assert problems(clause, TIME) == f"fleet.yaml:10: contracts[0].{problem}"


def test_s8_a_shortest_outage_of_an_interval_can_be_seen() -> None:
    file = fleet("outage: {min_duration: 60s}", TIME)
    assert file.contracts["k"].first.outage.min_duration == "60s"


BUDGET = (
    "expected a budget of at least two intervals (2m) in {period}, or acknowledge_unmeasurable: true,"
    " found {target}, a budget of {seconds} s"
)


@pytest.mark.parametrize(
    ("kind", "target", "seconds"),
    [("day", "99.9", "86.400"), ("week", "99.99", "60.480"), ("month", "99.999", "24.192"), ("month", "100", "0.000")],
)  # fmt: skip
def test_s8_a_budget_that_probing_cannot_tell_from_none(
    kind: str, target: str, seconds: str
) -> None:
    text = f"period: {{kind: {kind}}}", objective(f'target: "{target}"')
    assert fleet(*text).contracts["k"].first.acknowledge_unmeasurable, (
        "somebody may say that they know"
    )
    told = BUDGET.format(period=f"the shortest {kind}", target=target, seconds=seconds)
    assert blind(*text) == f"fleet.yaml:10: contracts[0].objectives[0].target: {told}"


def blind(*clauses: str) -> str:
    """What is wrong with a contract of these clauses that acknowledges nothing."""
    text = (
        "version: 1\nregions: [{id: a}]\nservices: [{id: s}]\n"
        'checks: [{id: c, service: s, every: 60s, http: {url: "http://x.example/"}}]\n'
        "contracts:\n  - id: k\n    effective_from: 0\n    scope: {checks: [c]}\n"
    ) + "".join(f"    {line}\n" for line in clauses)
    with pytest.raises(BadDocument) as caught:
        read_fleet(text.encode(), "fleet.yaml")
    return str(caught.value)


def test_s8_what_is_refused_for_itself_is_not_told_as_a_budget_too() -> None:
    above = "fleet.yaml:9: contracts[0].objectives[0].target: expected at most 100, found 100.1"
    assert blind(objective('target: "100.1"')) == above
    length = "expected a length such as 30d where the kind is rolling, and none where it is not"
    endless = blind("period: {kind: rolling}", objective('target: "99.9"'))
    assert endless == f"fleet.yaml:9: contracts[0].period.length: {length}, found none"
    short = blind("period: {kind: rolling, length: 1h}", objective('target: "99.9"'))
    told = BUDGET.format(period="1h", target="99.9", seconds="3.600")
    assert short == f"fleet.yaml:10: contracts[0].objectives[0].target: {told}"


@pytest.mark.parametrize(
    ("amendment", "problem"),
    [
        ("effective_from: 5", "effective_from: expected later than the version before it (5), found 5"),
        ("effective_from: 1970-01-01T00:00:00Z", "effective_from: expected later than the version before it (5), found '1970-01-01T00:00:00Z'"),
        ("effective_from: soon", f"effective_from: {INSTANT}, found 'soon'"),
        ("effective_from: 2026-01-01", f"effective_from: {INSTANT}, found '2026-01-01'"),
        ("effective_from: 6, period: {kind: year}", "period: expected the period of the contract as it was: another period is another contract, found another one"),
        ("effective_from: 6, party: Other", "party: expected the party of the contract as it was: another party is another contract, found another one"),
    ],
)  # fmt: skip
def test_s8_revisions_do_not_overlap(amendment: str, problem: str) -> None:
    told = problems(TIME, more=f"  - {{id: k, {amendment}}}\n", effective="5")
    assert told == f"fleet.yaml:11: contracts[1].{problem}"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("type: scheduled", "type: holiday", "type: expected one of customer_fault, emergency, force_majeure, scheduled, suspension, third_party, found 'holiday'"),
        ("T11:00", "T10:00", "to: expected an instant after `from`, found '2026-06-10T10:00:00Z'"),
        ("T11:00", "T09:00", "to: expected an instant after `from`, found '2026-06-10T09:00:00Z'"),
        ("'2026-06-10T10:00:00Z'", "2026-06-10", f"from: {INSTANT}, found '2026-06-10'"),
        ("'2026-06-10T10:00:00Z'", "'2026-06-10T10:00:00'", f"from: {INSTANT}, found '2026-06-10T10:00:00'"),
        ("'2026-06-01T00:00:00Z'", "yesterday", f"declared_at: {INSTANT}, found 'yesterday'"),
        ("'2026-06-01T00:00:00Z'", "true", "declared_at: expected a whole number or text, found true"),
        ("declared_at: '2026-06-01T00:00:00Z', ", "", "declared_at: expected a value, found nothing"),
        (", by: ada", "", "by: expected a value, found nothing"),
        ("by: ada", "by: ''", "by: expected text of at least 1 characters, found ''"),
        ("by: ada", "by: ada, approved_by: bo", "approved_by: expected a list, found 'bo'"),
        ("by: ada", "by: ada, approved_by: ['']", "approved_by[0]: expected text of at least 1 characters, found ''"),
        ("by: ada", "by: ada, logged_at: 0", "logged_at: expected no such key, found 'logged_at'"),
        ("by: ada", "by: ada, scope: some", "scope: expected all or a mapping, found 'some'"),
        ("by: ada", "by: ada, scope: {}", "scope: expected checks or services, or `all`, found neither"),
        ("by: ada", "by: ada, scope: {checks: [z]}", "scope.checks[0]: expected one of the checks of this file, found 'z'"),
        ("by: ada", "by: ada, scope: {services: [z]}", "scope.services[0]: expected one of the services of this file, found 'z'"),
        ("by: ada", "by: ada, scope: {regions: [a]}", "scope.regions: expected no such key, found 'regions'"),
        ("id: e", "id: E e", "id: expected an id of 1 to 63 characters: lower-case letters, digits, '-', '_' and '.', starting with a letter or digit, found 'E e'"),
    ],
)  # fmt: skip
def test_s25_what_is_no_exclusion_is_refused(old: str, new: str, problem: str) -> None:
    assert old in EXCLUSION
    told = problems(TIME, more=f"exclusions:\n  - {EXCLUSION.replace(old, new)}\n")
    assert told == f"fleet.yaml:12: exclusions[0].{problem}"


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("exclusions: all", "fleet.yaml:11: exclusions: expected a list of at most 100000 exclusions, found all"),
        ("exclusions: [maintenance]", "fleet.yaml:11: exclusions[0]: expected a mapping, found 'maintenance'"),
        (f"exclusions:\n  - {EXCLUSION}\n  - {EXCLUSION}", "fleet.yaml:13: exclusions[1].id: expected an id of its own, found 'e' again"),
    ],
)  # fmt: skip
def test_s25_a_section_that_is_none_is_refused(section: str, problem: str) -> None:
    assert problems(TIME, more=f"{section}\n") == problem
