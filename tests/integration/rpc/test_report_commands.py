"""`vedette sla report`, `periods`, `seal` and `diff` against a controller that runs."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from controller.core.calendars import PeriodKind, period_at
from controller.core.instants import instant_text
from controller.identity.roles import Role
from tests.integration.rpc.running import DAY_US, FLEET, Running, now_us
from tests.integration.rpc.test_outage_commands import login, vedette

CONTRACTS = b"""contracts:
  - id: acme
    party: ACME GmbH
    effective_from: 2020-01-01T00:00:00Z
    scope: {checks: [home]}
    period: {kind: day, tz: Europe/Warsaw}
    objectives: [{id: availability, target: "90"}]
    acknowledge_unmeasurable: true
  - id: always
    effective_from: 2020-01-01T00:00:00Z
    scope: {checks: [home]}
    period: {kind: rolling, length: 30d}
    objectives: [{id: availability, target: "90"}]
    acknowledge_unmeasurable: true
"""


@pytest.fixture(scope="module")
def contracted(controller: Running) -> Running:
    assert not controller.apply(FLEET + CONTRACTS).problems
    return controller


@pytest.fixture
def logged_in(contracted: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """The controller with contracts, and an admin's login here."""
    monkeypatch.setenv("VEDETTE_CONFIG", str(tmp_path / "config"))
    login(contracted, Role.ADMIN)
    return contracted


def day(ago: int) -> str:
    """The label of the day so many days ago."""
    return period_at(now_us() - ago * DAY_US, PeriodKind.DAY, "Europe/Warsaw").label


def report(*arguments: str) -> bytes:
    return vedette("sla", "report", "--contract", "acme", *arguments, "--json").stdout_bytes


def document(*arguments: str) -> Any:
    return json.loads(vedette("sla", *arguments, "--json").stdout)


def test_x68_a_report_is_sealed_and_given_byte_for_byte(logged_in: Running, tmp_path: Path) -> None:
    label = day(2)
    too_early = vedette("sla", "seal", "--contract", "acme", "--period", label)
    assert too_early.exit_code == 3
    assert f"acme {label} is not final: late results may come until" in too_early.stderr
    reason = "the auditor is here"
    made = document("seal", "--contract", "acme", "--period", label, "--early", "--reason", reason)
    assert (made["revision"], made["early"], made["reason"]) == (1, True, reason)
    given = report("--period", label)
    assert hashlib.sha256(given).hexdigest() == made["sha256"]
    assert json.loads(given)["made"]["issue"]["by"] == "admin"
    assert report("--period", label, "--revision", "1") == given
    assert report("--period", label, "--as-of", instant_text(made["as_of"])) == given
    file = tmp_path / "report.json"
    vedette(
        "sla",
        "report",
        "--contract",
        "acme",
        "--period",
        label,
        "--format",
        "json",
        "-o",
        str(file),
    )
    assert file.read_bytes() == given
    page = vedette("sla", "report", "--contract", "acme", "--period", label)
    assert reason in page.stdout
    assert made["sha256"] in page.stdout.replace("\n", "").replace(" ", "")
    again = vedette("sla", "seal", "--contract", "acme", "--period", label)
    assert (again.exit_code, "nothing that came since changes what it says" in again.stderr) == (
        3,
        True,
    )
    same = vedette("sla", "diff", "--contract", "acme", "--period", label, "1", "now")
    assert (same.exit_code, "They say the same." in same.stdout) == (0, True)


def test_periods_are_listed_from_when_the_controller_had_the_contract(logged_in: Running) -> None:
    (only,) = document("periods")["periods"]
    assert (only["contract"], only["label"], only["state"]) == ("acme", day(0), "open")
    assert only["seal_at"] == only["to"] + 5 * DAY_US
    listed = vedette("sla", "periods", "--contract", "acme").stdout
    assert "sealed on" in listed
    assert "always: judged over a rolling window" in vedette("sla", "periods").stdout
    refused = vedette("sla", "periods", "--contract", "other")
    assert (
        "Expected a contract that was ever in force (acme, always), found 'other'" in refused.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "exit_code", "sentence"),
    [
        (["seal", "--contract", "acme", "--period", "{today}"], 3, "is not over before"),
        (["seal", "--contract", "always", "--period", "2026-06"], 2, "judged over a rolling window"),
        (["seal", "--contract", "acme", "--period", "2020-06"], 2, "found the month 2020-06"),
        (["seal", "--contract", "acme", "--period", "{past}", "--early"], 2, "Expected a reason"),
        (["report", "--contract", "acme", "--period", "June"], 2, "expected a period such as"),
        (["report", "--contract", "acme", "--revision", "7"], 2, "(none was issued yet), found 7"),
        (["report", "--as-of", "2999-01-01T00:00:00Z"], 2, "Expected an instant that has passed"),
        (["report", "--as-of", "now", "--revision", "1"], 2, "Expected --as-of or --revision"),
        (["report", "--as-of", "soon"], 2, "expected `now`, or an instant"),
        (["report", "--revision", "1"], 2, "name one contract"),
        (["diff", "--contract", "acme", "--period", "{past}", "0", "now"], 2, "OLD: expected a revision from 1"),
        (["diff", "--contract", "acme", "--period", "{past}", "1", "then"], 2, "NEW: expected a revision from 1"),
    ],
)  # fmt: skip
def test_what_is_refused_is_a_sentence(
    logged_in: Running, arguments: list[str], exit_code: int, sentence: str
) -> None:
    places = {"today": day(0), "past": day(9)}
    result = vedette("sla", *(one.format(**places) for one in arguments))
    assert sentence in result.stderr.replace("\n", " ")
    assert result.exit_code == exit_code


def test_who_may_read_and_who_may_seal(logged_in: Running) -> None:
    login(logged_in, Role.AUDITOR)
    assert report("--period", day(3)).startswith(b'{"version":1,"kind":"sla-report"')
    assert document("periods")["version"] == 1
    refused = vedette("sla", "seal", "--contract", "acme", "--period", day(3))
    assert (refused.exit_code, "admin" in refused.stderr) == (3, True)


def test_several_contracts_make_one_pack(logged_in: Running) -> None:
    pack = json.loads(vedette("sla", "report", "--period", day(0), "--format", "json").stdout)
    assert [one["contract"]["id"] for one in pack["reports"]] == ["acme", "always"]
