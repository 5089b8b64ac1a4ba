"""`vedette doctor` against a controller that runs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from controller.cli.main import cli
from controller.identity.roles import Role
from tests.integration.rpc.running import Running, connected, frame, line, now_us


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VEDETTE_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def vedette(*arguments: str, text: str | None = None) -> Result:
    result = CliRunner().invoke(cli, arguments, input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.usefixtures("folder")
def test_doctor_finds_nothing_then_an_alarm_with_its_agent(controller: Running) -> None:
    login = vedette(
        "login", controller.people_address, "--ca", str(controller.state / "ca.pem"),
        "--token-file", "-", text=controller.token_of(Role.AUDITOR),
    )  # fmt: skip
    assert login.exit_code == 0
    fine = vedette("doctor")
    assert (fine.exit_code, fine.stdout.splitlines()[1]) == (0, "Nothing is odd.")
    site = controller.enrol(controller.join_token())
    at_us = now_us()
    with connected(controller, site) as stream:
        stream.until("welcome")
        stream.send(frame=frame([line(site, 1, at_us=at_us)]))
        stream.until("ack")
        stream.send(frame=frame([line(site, 1, at_us=at_us, outcome="down")]))
        stream.send(frame=frame([b"{}\n"], 2))
        assert "Object missing required field" in stream.until("refusal").reason
    ill = vedette("doctor", "--json")
    assert ill.exit_code == 1
    document = json.loads(ill.stdout)
    assert document["alarms"] == 1
    assert [(one["severity"], one["code"], one["agent"]) for one in document["findings"]] == [
        ("alarm", "lines_conflict", site.agent), ("notice", "frames_refused", site.agent),
    ]  # fmt: skip
    own = document["agents"][site.agent]
    assert own["since_start"]["refused_frames"] == 1
    assert own["since_start"]["refusals"][0]["reason"].startswith("line 2 of stream 'shop': ")
    assert own["kept"]["conflicts"] == 1
    shown = vedette("doctor")
    assert shown.exit_code == 1
    assert "lines_conflict" in shown.stdout
    assert "came with other bytes" in shown.stdout
