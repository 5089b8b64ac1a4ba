"""Tokens, the ledger, revocation, approval, alarms and secrets from the command line."""

import json
from pathlib import Path

import pytest

from controller.identity.roles import Role
from tests.integration.rpc.running import Running, connected
from tests.integration.rpc.test_command_line import folder, logged_in, login, vedette

__all__ = ["folder", "logged_in"]  # fixtures


def acts(*actions: str) -> list[dict[str, str]]:
    found = json.loads(vedette("audit", "list", "--json", "--limit", "1000").stdout)["acts"]
    return [act for act in found if act["action"] in actions]


def test_a_token_is_made_used_listed_and_revoked(controller: Running, logged_in: Path) -> None:
    made = vedette("token", "create", "--name", "bo", "--role", "auditor", "--json")
    document = json.loads(made.stdout)
    arguments = (
        "login", controller.people_address, "--ca", str(controller.state / "ca.pem"),
        "--token-file", "-", "--name", "bo",
    )  # fmt: skip
    assert "as bo (auditor)" in vedette(*arguments, text=document["token"]).stdout
    refused = vedette("token", "list")
    assert refused.exit_code == 3
    assert "ListTokens needs the role admin" in refused.stderr
    assert vedette("context", "use", "default").exit_code == 0
    listed = vedette("token", "list").stdout
    assert document["id"] in listed
    assert document["token"] not in listed
    assert vedette("token", "revoke", document["id"]).exit_code == 0
    again = vedette("token", "revoke", document["id"])
    assert again.exit_code == 3
    assert "was revoked before" in again.stderr
    revoked = vedette(*arguments, text=document["token"])
    assert revoked.exit_code == 3
    assert "This token was revoked" in revoked.stderr
    create, refuse, revoke = acts("token.create", "role.refuse", "token.revoke")[:3][::-1]
    assert (create["who"], create["detail"]) == ("admin", "auditor for bo")
    assert (refuse["who"], refuse["subject"]) == ("bo", "ListTokens")
    assert (revoke["subject"], revoke["detail"]) == (document["id"], "auditor of bo")
    assert all(act["peer"].startswith("ipv4:127.0.0.1:") for act in (create, refuse, revoke))


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.COUNTERPARTY])
def test_the_ledger_is_for_admins_and_auditors(
    controller: Running, folder: Path, role: Role
) -> None:
    login(controller, role)
    assert vedette("audit", "list").exit_code == 3
    login(controller, Role.AUDITOR)
    assert "fleet.apply" in vedette("audit", "list").stdout


def test_the_ledger_is_read_in_parts(logged_in: Path) -> None:
    numbers = [act["number"] for act in json.loads(
        vedette("audit", "list", "--json", "--limit", "2").stdout)["acts"]]  # fmt: skip
    before = json.loads(
        vedette("audit", "list", "--json", "--limit", "1", "--before", str(numbers[-1])).stdout
    )["acts"]
    assert numbers == sorted(numbers, reverse=True)
    assert before[0]["number"] == numbers[-1] - 1


def test_an_agent_is_revoked_with_a_reason(controller: Running, logged_in: Path) -> None:
    site = controller.enrol(controller.join_token())
    without = vedette("agent", "revoke", site.agent)
    assert without.exit_code == 2
    assert "--reason" in without.stderr
    blank = vedette("agent", "revoke", site.agent, "--reason", " ")
    assert blank.exit_code == 2
    assert "Expected a reason" in blank.stderr
    done = vedette("agent", "revoke", site.agent, "--reason", "stolen")
    assert done.exit_code == 0
    assert "it was not connected" in done.stdout
    assert "REVOKED" in vedette("agent", "list").stdout
    assert vedette("agent", "revoke", "mars-1", "--reason", "x").exit_code == 2
    last = acts("agent.revoke")[0]
    assert (last["subject"], last["detail"], last["role"]) == (site.agent, "stolen", "admin")
    approve = vedette("agent", "approve", site.agent)
    assert approve.exit_code == 3
    assert "which is for good" in approve.stderr


def test_an_agent_that_needs_approval_is_approved(controller: Running, logged_in: Path) -> None:
    made = vedette(
        "agent", "token", "create", "--region", "fra", "--approve", "--out", "fra.join", "--json"
    )
    assert made.exit_code == 0
    join = json.loads((logged_in / "fra.join").read_text())

    class Token:
        token_id, token_secret = join["token_id"], join["token_secret"]

    site = controller.enrol(Token)
    assert "waits for approval" in vedette("agent", "list").stdout
    assert vedette("agent", "approve", site.agent).stdout == f"Agent {site.agent} is approved.\n"
    assert "waits for approval" not in vedette("agent", "list").stdout
    kinds = [act["action"] for act in acts("join_token.create", "agent.enrol", "agent.approve")]
    assert kinds[:3] == ["agent.approve", "agent.enrol", "join_token.create"]


def test_alarms_are_listed_until_they_are_cleared(controller: Running, logged_in: Path) -> None:
    site = controller.enrol(controller.join_token())
    assert site.agent not in vedette("agent", "alarm", "list").stdout
    for instance in ("one", "two", "one"):
        with connected(controller, site, instance=instance) as stream:
            stream.rest_or_refusal()
    listed = vedette("agent", "alarm", "list", "--json")
    assert listed.exit_code == 1
    (alarm,) = [a for a in json.loads(listed.stdout)["alarms"] if a["agent"] == site.agent]
    assert (alarm["kind"], alarm["count"]) == ("clone_instance", 1)
    (row,) = [a for a in json.loads(vedette("agent", "list", "--json").stdout)["agents"]
              if a["id"] == site.agent]  # fmt: skip
    assert row["alarms"] == 1
    assert "Cleared 1 alarms" in vedette("agent", "alarm", "clear", site.agent).stdout
    assert site.agent not in vedette("agent", "alarm", "list").stdout
    assert site.agent in vedette("agent", "alarm", "list", "--all").stdout


def test_a_secret_is_set_from_stdin_and_never_shown(controller: Running, logged_in: Path) -> None:
    controller.enrol(controller.join_token())
    shown = [
        vedette("secret", "set", "shop-token", text="canary-one-1\n"),
        vedette("secret", "set", "shop-token", text="canary-two-2\n"),
        vedette("secret", "list"),
        vedette("secret", "list", "--json"),
        vedette("audit", "list"),
    ]
    assert "shop-token is version 2" in shown[1].stdout
    assert not any("canary" in result.output for result in shown)
    assert vedette("secret", "delete", "shop-token").exit_code == 0
    assert vedette("secret", "delete", "shop-token").exit_code == 2
    assert "version 3" in vedette("secret", "set", "shop-token", text="canary-three").stdout
    kinds = [act["action"] for act in acts("secret.set", "secret.delete")][:4]
    assert kinds == ["secret.set", "secret.delete", "secret.set", "secret.set"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param("Bad Name", "x" * 8, "as the name of a secret", id="name"),
        pytest.param(
            "short", "x" * 7, "8 to 4096 characters, found 7", id="too short to be masked"
        ),
        pytest.param("long", "x" * 4097, "found 4097", id="too long"),
        pytest.param("bell", "x" * 8 + "\a", "without control characters", id="control"),
    ],
)
def test_a_bad_secret_is_refused_without_showing_it(
    logged_in: Path, name: str, value: str, message: str
) -> None:
    result = vedette("secret", "set", name, text=value)
    assert result.exit_code == 2
    assert message in result.stderr
    assert value not in result.output


def test_an_agent_that_enrols_later_lacks_what_was_set_for_agents_only(
    controller: Running, logged_in: Path
) -> None:
    vedette("secret", "set", "kept", text="for-everybody")
    vedette("secret", "set", "only", "--agents-only", text="for-those-here")
    late = controller.enrol(controller.join_token())
    listed = vedette("secret", "list", "--json")
    by_name = {s["name"]: s for s in json.loads(listed.stdout)["secrets"]}
    assert listed.exit_code == 1
    assert late.agent in by_name["kept"]["agents"]
    assert late.agent in by_name["only"]["lacking"]
    vedette("secret", "delete", "only")
    vedette("secret", "delete", "kept")
