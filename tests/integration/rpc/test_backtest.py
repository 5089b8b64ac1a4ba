"""`vedette backtest` against a controller that runs: what comes back over the wire, and what is refused."""

import json
from pathlib import Path

import pytest

from controller.identity.roles import Role
from tests.integration.rpc.running import Running, connected, frame, line, now_us
from tests.integration.rpc.test_command_line import folder, login, vedette

__all__ = ["folder"]


@pytest.fixture
def window(controller: Running, folder: Path) -> tuple[str, str]:
    """Some milliseconds in which one of two regions fails in the middle, and an auditor's login.

    So short because the checks are in force only since the controller started.
    """
    assert login(controller, Role.AUDITOR).exit_code == 0
    sites = [controller.enrol(controller.join_token(region)) for region in ("fra", "nyc")]
    end_us = now_us()
    for site in sites:
        fails = range(4, 7) if site.region == "fra" else range(0)
        lines = [
            line(
                site,
                seq,
                at_us=end_us - (10 - seq) * 1000,
                outcome="down" if seq in fails else "up",
            )
            for seq in range(1, 10)
        ]
        with connected(controller, site) as stream:
            stream.send(frame=frame(lines))
            while stream.until("ack").durable[0].seq < len(lines):
                pass
    return str(end_us - 10_000), str(end_us)


def test_another_rule_is_told_beside_the_one_in_force(window: tuple[str, str]) -> None:
    begin, end = window
    result = vedette("backtest", "--rule", "{rule: any}", "--from", begin, "--to", end, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["rule"] == "{rule: any}"
    home, name = document["checks"]
    assert (home["check"], name["check"]) == ("home", "name")
    assert [pair["difference"] for pair in home["outages"]] == ["new"]
    assert home["actual"]["downtime_us"] == 0 < home["other"]["downtime_us"]
    assert name["outages"] == []
    page = vedette(
        "backtest", "--rule", "{rule: any}", "--from", begin, "--to", end, "--check", "home"
    )
    assert page.exit_code == 0
    assert page.stdout.splitlines()[1].split()[:3] == ["home", "-", "new"]


def test_a_bad_rule_is_refused_before_anything_is_asked(folder: Path) -> None:
    result = vedette("backtest", "--rule", "{rule: most}", "--from", "0", "--to", "1")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: --rule:1: rule: expected one of ")


def test_a_rule_that_the_check_cannot_have_is_refused(window: tuple[str, str]) -> None:
    arguments = ("--from", window[0], "--to", window[1], "--check", "home")
    result = vedette("backtest", "--rule", "{min_evidence: 3}", *arguments)
    assert result.exit_code == 2
    assert "--rule:1: min_evidence: expected at most the number of regions (2)" in result.stderr
