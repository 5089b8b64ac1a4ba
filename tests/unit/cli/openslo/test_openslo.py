"""OpenSLO: what maps comes back as it was, what does not is listed, and what is no document is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from controller.cli.main import cli
from controller.cli.openslo.documents import Thing, read_things
from controller.core.fleet import read_fleet
from controller.errors import BadInput

HEAD = """\
version: 1
regions: [{id: a}, {id: b}]
services: [{id: shop, title: Web shop}]
checks:
  - {id: home, service: shop, every: 60s, http: {url: "http://x.example/"}}
  - {id: cart, service: shop, every: 60s, http: {url: "http://x.example/cart"}}
"""
MAPPED = """\
contracts:
  - id: acme.gold
    title: ACME, gold
    party: ACME GmbH
    effective_from: 2026-01-01T00:00:00+01:00
    scope: {series: [home, cart]}
    period: {kind: month, tz: Europe/Warsaw}
    objectives:
      - {id: availability, target: "99.9", unknown: as_down, min_coverage: "90"}
      - {id: speed, metric: latency, threshold: 1500ms, target: "95"}
      - {id: good, formula: request, target: "99.95"}
      - {id: slices, formula: timeslices, slice: 5m, slice_target: "95", empty: zero, target: "99"}
      - {id: ratio, formula: ratio_timeslices, slice: 1h, target: "99"}
      - {id: minutes, formula: minute, mode: any, n: 5, target: "99.5"}
  - id: rolling
    effective_from: 1767222000000000
    scope: {k_of_n: {k: 1, of: [home, cart]}}
    period: {kind: rolling, length: 28d}
    objectives: [{id: up, target: "99.123456789"}]
"""
UNMAPPED = """\
    service_hours: {weekly: {mon: ["08:00-18:00"]}}
    exclusions: {scheduled: {notice: 24h}}
    grades: [{below: "95", action: warn}]
    outage: {min_duration: 300s}
    acknowledge_unmeasurable: true
"""


def vedette(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def write(folder: Path, text: str, name: str = "file.yaml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def export(folder: Path, contracts: str, *more: str) -> Result:
    return vedette("sla", "export", "openslo", "--config", write(folder, HEAD + contracts), *more)


def slo(*lines: str, name: str = "checkout") -> str:
    head = (
        f"apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: shop\n"
    )
    return "---\n" + head + "".join(f"  {line}\n" for line in lines)


PROMETHEUS = (
    "indicator: {metadata: {name: ok}, spec: {ratioMetric: {good: {metricSource: {type: Prometheus, spec: {query: up}}},"
    " total: {metricSource: {type: Prometheus, spec: {query: all}}}}}}"
)
USUAL = (
    PROMETHEUS,
    "budgetingMethod: Occurrences",
    "timeWindow: [{duration: 4w, isRolling: true}]",
    "objectives: [{displayName: Good ones, target: 0.995}]",
)


def test_what_maps_comes_back_as_it_was(tmp_path: Path) -> None:
    out = export(tmp_path, MAPPED).stdout
    back = vedette("sla", "import", "openslo", write(tmp_path, out, "out.yaml"))
    assert (back.exit_code, back.stderr) == (0, "")
    before = read_fleet((HEAD + MAPPED).encode(), "before").contracts
    after = read_fleet((HEAD + back.stdout).encode(), "after").contracts
    assert list(before) == list(after)
    for name, own in before.items():
        first, second = own.first, after[name].first
        assert first.effective_us == second.effective_us
        for clause in ("title", "party", "scope", "period", "objectives"):
            assert getattr(first, clause) == getattr(second, clause), clause


def test_an_export_holds_to_the_specification(tmp_path: Path) -> None:
    things = read_things(export(tmp_path, MAPPED).stdout.encode(), "out.yaml")
    kinds = [one.kind for one in things]
    assert kinds == ["Service"] + ["SLO"] * 7 + ["AlertPolicy"] * 4 + ["AlertNotificationTarget"]
    assert len({(one.kind, one.name) for one in things}) == len(things)
    names = {(one.kind, one.name) for one in things}
    for one in things:
        assert len(one.name) <= 63
        if one.kind == "SLO":
            _assert_slo(one, names)
        if one.kind == "AlertPolicy":
            assert {"alertWhenNoData", "alertWhenResolved", "alertWhenBreaching"} <= set(one.spec)
            (condition,) = one.spec["conditions"]
            said = condition["spec"]["condition"]
            assert (said["kind"], condition["spec"]["severity"]) == (
                "burnrate",
                one.name.split("-")[0],
            )
            assert (
                "AlertNotificationTarget",
                one.spec["notificationTargets"][0]["targetRef"],
            ) in names
    thresholds = [
        one.spec["conditions"][0]["spec"]["condition"]["threshold"]
        for one in things
        if one.kind == "AlertPolicy"
    ]
    assert thresholds == [14.4, 6, 3, 1]


def _assert_slo(one: Thing, names: set[tuple[str, str]]) -> None:
    assert ("Service", one.spec["service"]) in names
    assert len(one.spec["timeWindow"]) == 1
    for objective in one.spec["objectives"]:
        assert isinstance(objective["target"], float)
        assert 0 <= objective["target"] < 1
        sliced = one.spec["budgetingMethod"] != "Occurrences"
        assert ("timeSliceWindow" in objective) == sliced
    metric = one.spec["indicator"]["spec"]
    assert set(metric) in ({"ratioMetric"}, {"thresholdMetric"})
    assert ("op" in one.spec["objectives"][0]) == ("thresholdMetric" in metric)
    for policy in one.spec["alertPolicies"]:
        assert ("AlertPolicy", policy["alertPolicyRef"]) in names


def test_clauses_that_openslo_cannot_say_are_listed(tmp_path: Path) -> None:
    contract = MAPPED.split("  - id: rolling")[0]
    people = '      - {id: ack, metric: acknowledge, severity: P1, target: 15m}\n      - {id: beats, formula: heartbeat, target: "99"}\n'
    amended = "  - {id: acme.gold, effective_from: 2026-06-01T00:00:00+02:00, title: Later}\n"
    told = export(tmp_path, contract + people + UNMAPPED + amended)
    assert told.exit_code == 0
    assert told.stderr.splitlines() == [
        "acme.gold: only the version from 2026-05-31T22:00:00Z on is exported, the last one of 2",
        "acme.gold acknowledge_unmeasurable: has to be said again where it is imported",
        "acme.gold service_hours: the budget counts all hours",
        "acme.gold exclusions: the budget excludes nothing",
        "acme.gold outage: every failure counts from its first moment",
        "acme.gold grades: thresholds of attainment are not exported: alerts go by burn rate",
        "acme.gold availability: written as slices of a minute: OpenSLO has no budget of exact time",
        "acme.gold ratio: written as RatioTimeslices, which not every reader of OpenSLO v1 knows",
        "acme.gold minutes: written as slices of a minute: OpenSLO has no budget of bad minutes in runs of 5",
        "acme.gold ack: not exported: OpenSLO has no promises of people (acknowledge)",
        "acme.gold beats: not exported: OpenSLO has no formula heartbeat",
    ]
    document = json.loads(export(tmp_path, contract, "--json").stdout)
    assert [one["kind"] for one in document["documents"]][:2] == ["Service", "SLO"]
    assert len(document["unmapped"]) == 3


def test_one_contract_is_exported_and_another_name_is_refused(tmp_path: Path) -> None:
    one = export(tmp_path, MAPPED, "--contract", "rolling")
    assert [d["kind"] for d in yaml.safe_load_all(one.stdout)].count("SLO") == 1
    none = export(tmp_path, MAPPED, "--contract", "bronze")
    assert (none.exit_code, none.stderr) == (
        2, "Error: Expected a contract of the fleet file (acme.gold, rolling), found 'bronze'.\n",
    )  # fmt: skip


def take(folder: Path, text: str, *more: str) -> tuple[list[Any], list[str]]:
    """The contracts of an import, and what it lists without the places."""
    found = vedette(
        "sla", "import", "openslo", write(folder, text, "slo.yaml"), "--effective-from", "0", *more
    )
    assert found.exit_code == 0, found.stderr
    contracts = yaml.safe_load(found.stdout)["contracts"] if found.stdout else []
    return contracts, [
        line.removeprefix(str(folder / "slo.yaml") + ":") for line in found.stderr.splitlines()
    ]


def test_an_objective_on_another_source_gets_the_checks_of_its_service(tmp_path: Path) -> None:
    fleet = write(tmp_path, HEAD)
    (contract,), listed = take(tmp_path, slo(*USUAL), "--config", fleet)
    assert contract == {
        "id": "checkout",
        "effective_from": "1970-01-01T00:00:00Z",
        "scope": {"checks": ["home", "cart"]},
        "period": {"kind": "rolling", "length": "28d"},
        "objectives": [{"id": "good-ones", "formula": "request", "target": "99.5"}],
    }
    assert listed == [
        "9: SLO checkout spec.timeWindow[0]: when it begins is not said: 1970-01-01T00:00:00Z is written",
        "7: SLO checkout spec.indicator: reads Prometheus: the checks of service shop stand in for it",
    ]
    (blind,), without = take(tmp_path, slo(*USUAL))
    assert blind["scope"] == {"checks": ["shop"]}
    assert "a check of the name 'shop' is written, name the right ones" in without[-1]


@pytest.mark.parametrize(
    ("window", "period", "begins"),
    [
        ("{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Warsaw}}", {"kind": "month", "tz": "Europe/Warsaw"}, "2026-01-01T00:00:00+01:00"),
        ("{duration: 1Q, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}}", {"kind": "quarter", "tz": "UTC"}, "2026-01-01T00:00:00+00:00"),
        ("{duration: 30d, isRolling: true}", {"kind": "rolling", "length": "30d"}, "1970-01-01T00:00:00Z"),
        ("{duration: 12h, isRolling: true}", {"kind": "rolling", "length": "12h"}, "1970-01-01T00:00:00Z"),
    ],
)  # fmt: skip
def test_windows_become_periods(tmp_path: Path, window: str, period: Any, begins: str) -> None:
    (contract,), _ = take(tmp_path, slo(*USUAL[:2], f"timeWindow: [{window}]", USUAL[3]))
    assert (contract["period"], contract["effective_from"]) == (period, begins)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (("timeWindow: [{duration: 1M, isRolling: true}]",), "spec.timeWindow[0]: not imported: a rolling window of 1M has no fixed length"),
        (("timeWindow: [{duration: 2M, calendar: {timeZone: UTC}}]",), "not imported: a calendar window of 2M is no day, week, month"),
        (("timeWindow: [{duration: 1M, calendar: {timeZone: Mars/Base}}]",), "expected a time zone such as Europe/Warsaw, found 'Mars/Base'"),
        (("timeWindow: [{duration: soon}]",), "expected a duration such as 4w or 1M, found 'soon'"),
        (("objectives: [{target: 0.99999999999999}]",), "spec.objectives[0].target: not imported: a percentage has 9 decimals at most here"),
        (("budgetingMethod: Timeslices",), "spec.objectives[0].timeSliceTarget: not imported: expected a share from 0 to 1"),
        (("budgetingMethod: Timeslices", "objectives: [{target: 0.9, timeSliceTarget: 0.9, timeSliceWindow: 1M}]"), "timeSliceWindow: not imported: expected a length such as 5m or 1h"),
        (("indicator: {spec: {ratioMetric: {raw: {metricSource: {type: x}}, rawType: success}}}",), "a ratio that is computed elsewhere cannot be computed again"),
        (("indicator: {spec: {thresholdMetric: {metricSource: {type: x}}}}",), "a threshold on a metric of another source, whose unit is not said"),
        (("indicator: {spec: {}}",), "its indicator is not among the documents, or says no metric"),
        (("alertPolicies: [{alertPolicyRef: mine}]",), "spec.alertPolicies[0]: not imported: every contract alerts at burn rates of 14.4 in 1h"),
        (("dependsOn: [x]",), "spec.dependsOn: not imported: no contract says this"),
    ],
)  # fmt: skip
def test_fields_that_no_contract_says_are_listed(
    tmp_path: Path, lines: tuple[str, ...], problem: str
) -> None:
    given = {line.partition(":")[0] for line in lines}
    rest = [line for line in USUAL if line.partition(":")[0] not in given]
    _, listed = take(tmp_path, slo(*rest, *lines))
    assert any(problem in line for line in listed), listed


def test_documents_refer_to_one_another(tmp_path: Path) -> None:
    sli = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: ok}\nspec: {ratioMetric: {counter: true, good: {}, total: {}}}\n"
    policy = (
        "---\napiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: fast}\nspec: {conditions: [{conditionRef: hour}]}\n"
        "---\napiVersion: openslo/v1\nkind: AlertCondition\nmetadata: {name: hour}\n"
        "spec: {severity: page, condition: {kind: burnrate, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m}}\n"
    )
    other = "---\napiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: d}\nspec: {type: x}\n"
    text = (
        sli
        + policy
        + other
        + slo("indicatorRef: ok", *USUAL[1:], "alertPolicies: [{alertPolicyRef: fast}]")
    )
    (contract,), listed = take(tmp_path, text)
    assert contract["objectives"] == [{"id": "good-ones", "formula": "request", "target": "99.5"}]
    assert "DataSource d : not imported: agents are the source here" in listed[0]
    assert not any("alert" in line for line in listed)


def test_objectives_of_one_contract_keep_ids_of_their_own(tmp_path: Path) -> None:
    named = "metadata: {name: NAME, annotations: {vedette/contract: shop}}"
    both = "".join(
        slo(*USUAL, name=name).replace(f"metadata: {{name: {name}}}", named.replace("NAME", name))
        for name in ("one", "two")
    )
    longer = slo(
        *USUAL[:2], "timeWindow: [{duration: 1w, isRolling: true}]", USUAL[3], name="three"
    )
    contracts, listed = take(
        tmp_path, both + longer.replace("metadata: {name: three}", named.replace("NAME", "three"))
    )
    assert [(one["id"], [o["id"] for o in one["objectives"]]) for one in contracts] == [
        ("shop", ["good-ones", "good-ones-2"]), ("three", ["good-ones"]),
    ]  # fmt: skip
    assert any("a contract of its own: shop has another scope or period" in line for line in listed)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expected documents of openslo/v1 in slo.yaml, found none"),
        ("a: [", "slo.yaml:2: expected valid YAML"),
        ("- x", "slo.yaml:1: expected a mapping with apiVersion openslo/v1"),
        ("\n---\napiVersion: openslo/v1alpha\nkind: SLO\nmetadata: {name: x}\n", "slo.yaml:3: apiVersion: expected openslo/v1, found openslo/v1alpha"),
        ("apiVersion: openslo/v1\nkind: Pod\nmetadata: {name: x}\nspec: {}\n", "slo.yaml:2: kind: expected one of SLO, SLI"),
        ("apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: A B}\nspec: {}\n", "metadata.name: expected a name of lower-case letters"),
        ("apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: a}\n", "spec: expected a mapping, found nothing"),
        (slo(*USUAL[1:]), "spec: expected indicator or indicatorRef, found neither"),
        (slo(*USUAL, "indicatorRef: x"), "spec: expected indicator or indicatorRef, found both"),
        (slo(USUAL[0], "budgetingMethod: Average", *USUAL[2:]), "spec.budgetingMethod: expected one of Occurrences, Timeslices"),
        (slo(*USUAL[:3]), "spec.objectives: expected a list of objectives, found nothing"),
        (slo(*USUAL[:3], "objectives: [{target: 0.9, targetPercent: 90}]"), "spec.objectives[0]: expected a mapping with target or targetPercent"),
        (slo(*USUAL[:3], "objectives: [{target: 99.9}]"), "spec.objectives[0].target: expected a number from 0 to 1, found 99.9"),
        (slo(*USUAL[:3], "objectives: [{targetPercent: most}]"), "targetPercent: expected a number from 0 to 100, found most"),
        (slo(*USUAL[:2], "timeWindow: [{}, {}]", USUAL[3]), "spec.timeWindow: expected a list of one window, found a list of 2"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_things(text.encode(), "slo.yaml")
    assert problem in str(caught.value)
