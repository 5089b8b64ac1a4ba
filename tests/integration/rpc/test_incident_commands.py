"""`vedette incident` against a controller that runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from controller.identity.roles import Role
from tests.integration.rpc.running import Running, Site, connected, frame, line, now_us
from tests.integration.rpc.test_outage_commands import login, vedette

MILLISECOND = 1_000
FLEET = b"""\
version: 1
regions: [{id: fra}, {id: nyc}]
services: [{id: net}, {id: shop, depends_on: [net]}]
checks:
  - {id: edge, service: net, every: 60s, timeout: 5s, icmp: {host: edge.example}}
  - {id: home, service: shop, every: 60s, timeout: 5s, http: {url: "https://www.shop.example/"}}
"""
STORIES = {"edge": "UUDDDDUU", "home": "UUUDDDUU"}
OUTCOMES = {"U": "up", "D": "down"}


def document(*arguments: str) -> Any:
    return json.loads(vedette("incident", *arguments, "--json").stdout)


@pytest.fixture
def told(controller: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A controller to which two sites told of an edge that failed, and of a page behind it."""
    monkeypatch.setenv("VEDETTE_CONFIG", str(tmp_path / "config"))
    login(controller, Role.AUDITOR)
    assert not controller.apply(FLEET).problems
    start_us = now_us()
    for region in ("fra", "nyc"):
        _tell(controller, controller.enrol(controller.join_token(region)), start_us)
    return controller


def _tell(controller: Running, site: Site, start_us: int) -> None:
    lines = [
        (start_us + place * MILLISECOND, check, OUTCOMES[letter])
        for check, story in STORIES.items()
        for place, letter in enumerate(story)
    ]
    told = [
        line(site, seq, at_us=at_us, outcome=outcome, check=check)
        for seq, (at_us, check, outcome) in enumerate(sorted(lines), 1)
    ]
    with connected(controller, site) as stream:
        stream.send(frame=frame(told))
        stream.until("ack")


def test_incidents_are_listed_and_shown_to_auditors(told: Running) -> None:
    (one,) = document("list")["incidents"]
    assert (one["root_check"], one["outages"], one["services"]) == ("edge", 2, ["net", "shop"])
    page = document("show", one["id"])
    assert page["incident"] == one
    root, child = page["outages"]
    assert (root["id"], root["level"], root["root"]) == (one["root"], 0, True)
    assert (child["parent"], child["reason"]) == (root["id"], "shop depends on net")
    assert (child["explained"], child["region"]) == (True, None)
    assert page["services"] == {"net": 4 * MILLISECOND, "shop": 3 * MILLISECOND}
    assert page["downtime_us"] == 4 * MILLISECOND


def test_the_page_reads_as_a_tree(told: Running) -> None:
    table = vedette("incident", "list", "--joined").stdout
    (handle,) = [row.split()[0] for row in table.splitlines() if row.startswith("INC-")]
    page = vedette("incident", "show", handle).stdout
    assert "Root cause:  OUT-" in page
    assert "Down for:    4ms (net 4ms, shop 3ms)" in page
    rows = [row for row in page.splitlines() if "OUT-" in row][-2:]
    assert rows[0].startswith("OUT-")
    assert rows[0].endswith("candidate for the cause")
    assert rows[1].startswith("  OUT-")
    assert "shop depends on net" in rows[1]
    assert vedette("incident", "list", "--open").stdout.count("INC-") == 0


def test_what_is_not_there_is_said_in_one_sentence(told: Running) -> None:
    never = vedette("incident", "show", "INC-999")
    assert (never.exit_code, never.stderr.count("\n")) == (2, 1)
    assert "There is no incident INC-999, and there never was one." in never.stderr
    wrong = vedette("incident", "show", "twelve")
    assert wrong.exit_code == 2
    assert "Expected the handle of an incident such as INC-12, found 'twelve'." in wrong.stderr
