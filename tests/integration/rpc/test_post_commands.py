"""`vedette agent show|label|drain|pause|resume|notices`, as people type them."""

import json
from pathlib import Path

import pytest

from controller.identity.roles import Role
from tests.integration.rpc.running import Running, connected
from tests.integration.rpc.test_command_line import folder, logged_in, login, vedette
from vedette.v1 import session_pb2 as pb

__all__ = ["folder", "logged_in"]  # fixtures


def test_an_agent_is_shown_with_what_its_site_refuses(controller: Running, logged_in: Path) -> None:
    site = controller.enrol(controller.join_token())
    fresh = vedette("agent", "show", site.agent)
    assert fresh.exit_code == 0, fresh.output
    assert f"agent        {site.agent}, place " in fresh.stdout
    assert "refused      nothing" in fresh.stdout
    with connected(controller, site) as stream:
        revision = stream.until("assignment").revision
        stream.send(assignment_ack=pb.AssignmentAck(revision=revision))
        refused = pb.Unrunnable(check="home", reason="this site runs no http probes (icmp only)")
        report = pb.SiteReport(
            policy="public addresses; icmp only", refused={"policy_kind": 3}, refused_orders=2,
            unrunnable=[refused], unrunnable_count=1,
        )  # fmt: skip
        stream.send(
            health=pb.Health(
                clock_offset_us=-1500, clock_error_us=900, clock_synced=False, site=report
            )
        )
        stream.send(clock_probe=pb.ClockProbe())
        stream.until("clock_reply")
        shown = vedette("agent", "show", site.agent)
        listed = vedette("agent", "list", "--json")
    assert shown.exit_code == 1
    for line in (
        "clock        -1.5ms! (+-0.9 ms), 0 steps, and nothing keeps it",
        "site policy  public addresses; icmp only",
        "refused      3 policy_kind, 2 orders",
        "Of the assigned checks 1 cannot or may not run:",
        "  home: this site runs no http probes (icmp only)",
    ):
        assert line in shown.stdout, shown.stdout
    document = json.loads(vedette("agent", "show", site.agent, "--json").stdout)
    assert document["unrunnable"] == [{"check": "home", "reason": refused.reason}]
    (own,) = [one for one in json.loads(listed.stdout)["agents"] if one["id"] == site.agent]
    assert (own["refused"], own["clock_synced"], own["mode"]) == (3, False, "run")


def test_labels_are_set_and_removed_and_a_wrong_one_is_named(
    controller: Running, logged_in: Path
) -> None:
    site = controller.enrol(controller.join_token())
    done = vedette("agent", "label", site.agent, "rack=a7", "owner=ops")
    assert done.stdout == f"Agent {site.agent} has the labels: owner=ops rack=a7\n"
    done = vedette("agent", "label", site.agent, "rack-", "--json")
    assert json.loads(done.stdout)["labels"] == {"owner": "ops"}
    acts = json.loads(vedette("audit", "list", "--json", "--limit", "2").stdout)["acts"]
    assert [(act["action"], act["subject"], act["detail"]) for act in acts] == [
        ("agent.label", site.agent, "rack-"),
        ("agent.label", site.agent, "owner=ops rack=a7"),
    ]
    for wrong, sentence in (
        (("rack",), "expected key=value, found 'rack'"),
        (("Rack=a",), "expected as key an id"),
        (("rack=a b",), "expected as value 1 to 63 letters"),
    ):
        result = vedette("agent", "label", site.agent, *wrong)
        assert result.exit_code == 2
        assert sentence in result.stderr
    gone = vedette("agent", "label", site.agent, "rack-")
    assert gone.exit_code == 2
    assert "has no label 'rack'" in gone.stderr


@pytest.mark.parametrize(
    ("command", "state"), [("drain", "drain"), ("pause", "pause")], ids=["drain", "pause"]
)
def test_an_agent_is_taken_out_and_back_and_the_last_of_a_region_is_said(
    controller: Running, logged_in: Path, command: str, state: str
) -> None:
    site = controller.enrol(controller.join_token("nyc"))
    with connected(controller, site) as stream:
        stream.until("assignment")
        done = vedette("agent", command, site.agent, "--reason", "new kernel")
        assert f"Agent {site.agent} " in done.stdout
        document = json.loads(vedette("agent", "show", site.agent, "--json").stdout)
        assert (document["mode"], document["mode_reason"]) == (state, "new kernel")
        assert "new kernel" in vedette("agent", "show", site.agent).stdout
        back = vedette("agent", "resume", site.agent)
        assert back.stdout == f"Agent {site.agent} probes again.\n"
    away = vedette("agent", "drain", site.agent, "--json")
    assert json.loads(away.stdout)["mode"] == "drain"
    long = vedette("agent", "pause", site.agent, "--reason", "x" * 501)
    assert long.exit_code == 2
    assert "at most 500 printable characters" in long.stderr


def test_an_auditor_sees_and_does_not_post(controller: Running, folder: Path) -> None:
    site = controller.enrol(controller.join_token())
    login(controller, Role.AUDITOR)
    assert vedette("agent", "show", site.agent).exit_code == 0
    assert vedette("agent", "notices").exit_code == 0
    assert vedette("agent", "drain", site.agent).exit_code == 3
    login(controller, Role.OPERATOR)
    assert vedette("agent", "drain", site.agent).exit_code == 0
    assert vedette("agent", "label", site.agent, "a=b").exit_code == 3
