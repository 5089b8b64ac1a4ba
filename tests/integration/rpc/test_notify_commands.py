"""`vedette notify` against a controller that runs, and servers that take its messages or do not."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from controller.identity.roles import Role
from tests.fakes.webhook_target import SECRET, WebhookTarget, webhook_target
from tests.integration.rpc.running import (
    FLEET,
    Running,
    Site,
    connected,
    frame,
    line,
    now_us,
    refused,
    running,
)
from tests.integration.rpc.test_command_line import folder, login, vedette
from vedette.v1 import notify_pb2, notify_pb2_grpc

__all__ = ["folder"]  # a fixture

EVERY_SECOND = FLEET.replace(b"every: 60s, timeout: 5s, http", b"every: 1s, timeout: 500ms, http")
CHANNELS = """\
notify:
  - {{id: itsm, webhook: {{url: "{url}", secret: "${{secret:hook}}"}}, on: [outage.opened, outage.closed]}}
  - {{id: gone, webhook: {{url: "{gone}", secret: "${{secret:hook}}"}}}}
"""


@dataclass
class Posted:
    """A controller with two sites, and the servers of its channels."""

    controller: Running
    itsm: WebhookTarget
    gone: WebhookTarget
    sites: tuple[Site, Site]
    lines: int = 0

    def see(self, *outcomes: str) -> None:
        """Both sites see these, one after another, now."""
        at_us = now_us()
        for site in self.sites:
            with connected(self.controller, site) as stream:
                lines = [
                    line(site, self.lines + n, at_us=at_us + n * 1000, outcome=outcome)
                    for n, outcome in enumerate(outcomes, 1)
                ]
                stream.send(frame=frame(lines, self.lines + 1))
                stream.until("ack")
        self.lines += len(outcomes)


@pytest.fixture(scope="module")
def posted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Posted]:
    with (
        webhook_target() as itsm,
        webhook_target() as gone,
        running(tmp_path_factory.mktemp("controller")) as controller,
    ):
        channels = CHANNELS.format(url=itsm.url(), gone=gone.url()).encode()
        assert not controller.apply(EVERY_SECOND + channels).problems
        sites = tuple(controller.enrol(controller.join_token(region)) for region in ("fra", "nyc"))
        yield Posted(controller, itsm, gone, (sites[0], sites[1]))


@pytest.fixture
def admin(posted: Posted, folder: Path) -> Posted:
    assert login(posted.controller).exit_code == 0
    assert vedette("secret", "set", "hook", text=SECRET).exit_code == 0
    return posted


def document(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(vedette(*arguments, "--json").stdout)
    return found


def test_a_channel_is_tried_out(admin: Posted) -> None:
    before = len(admin.itsm.received)
    taken = vedette("notify", "test", "itsm")
    assert (taken.exit_code, taken.stdout) == (0, "Channel itsm took the message.\n")
    (message,) = admin.itsm.received[before:]
    assert message.is_signed
    assert message.event == "channel.test"
    admin.itsm.answers.append(503)
    failed = vedette("notify", "test", "itsm")
    assert failed.exit_code == 1
    assert failed.stdout == ("Channel itsm did not take the message: 127.0.0.1 answered 503.\n")
    act = json.loads(vedette("audit", "list", "--json", "--limit", "1").stdout)["acts"][0]
    assert (act["action"], act["subject"]) == ("notify.test", "channel itsm")


def test_what_cannot_be_tried_out_is_said(admin: Posted) -> None:
    unknown = vedette("notify", "test", "opsy")
    assert unknown.exit_code == 2
    assert "There is no channel 'opsy' in the fleet file (gone, itsm)." in unknown.stderr
    assert vedette("secret", "delete", "hook").exit_code == 0
    without = vedette("notify", "test", "itsm")
    assert without.exit_code == 2
    assert "There is no secret hook: `vedette secret set hook`." in without.stderr
    vedette("secret", "set", "hook", "--agents-only", text=SECRET)
    sealed = vedette("notify", "test", "itsm")
    assert "Secret hook is kept for agents only: set it again" in sealed.stderr
    vedette("secret", "set", "hook", text="not a webhook's key")
    wrong = vedette("notify", "test", "itsm")
    assert wrong.exit_code == 1
    assert "expected as key of a webhook whsec_ and base64 of 24 to 64 random bytes" in wrong.stdout


def test_what_was_told_is_listed_shown_and_repeated(admin: Posted) -> None:
    admin.gone.answers += [410, 410]
    count = len(admin.itsm.received)
    admin.see("up", "up", "down", "down", "down")
    admin.itsm.wait_for(count + 1)
    admin.see("up", "up", "up")
    messages = admin.itsm.wait_for(count + 2)[count:]
    assert [one.event for one in messages] == ["outage.opened", "outage.closed"]
    admin.gone.wait_for(2)
    subject = messages[0].headers["vedette-subject"]

    dead = _until_dead(subject, 2)
    assert {one["event"] for one in dead} == {"outage.opened", "outage.closed"}
    listed = vedette("notify", "list", "--about", subject, "--channel", "itsm")
    assert listed.exit_code == 0
    assert "outage.opened" in listed.stdout
    assert "delivered" in listed.stdout
    number = str(min(one["number"] for one in dead))
    shown = vedette("notify", "show", number).stdout
    assert f"[{subject}] P2 home is down" in shown
    assert "127.0.0.1 answered 410: it wants no more of these." in shown

    alarmed = vedette("doctor")
    assert alarmed.exit_code == 1
    assert "2 messages to channel gone were given up: nobody there was told." in alarmed.stdout

    again = vedette("notify", "retry", number)
    assert (again.exit_code, again.stdout) == (0, f"Delivery {number} is sent again.\n")
    admin.gone.wait_for(3)
    (last,) = _until_dead(subject, 1)
    assert vedette("notify", "drop", str(last["number"])).exit_code == 0
    assert vedette("notify", "list", "--dead").exit_code == 0
    assert vedette("doctor").exit_code == 0
    assert document("notify", "show", str(last["number"]))["state"] == "dropped"


def _until_dead(subject: str, count: int) -> list[dict[str, Any]]:
    """The dead letters about a subject, once there are so many."""
    found: list[dict[str, Any]] = []
    for _ in range(1000):
        found = document("notify", "list", "--dead", "--about", subject)["deliveries"]
        if len(found) == count:
            break
    assert len(found) == count
    return found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "999999"), "There is no delivery 999999."),
        (("retry", "999999"), "There is no delivery 999999."),
        (("drop", "999999"), "There is no delivery 999999."),
    ],
)
def test_a_number_that_there_is_not_is_said(
    admin: Posted, words: tuple[str, ...], message: str
) -> None:
    result = vedette("notify", *words)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("show", "-1"), ("show", "0"), ("show", str(2**64)), ("list", "--limit", "0"),
        ("list", "--state", "x"), ("list", "--before", str(2**64)),
    ],
)  # fmt: skip
def test_what_cannot_be_a_number_or_a_state_is_refused(
    admin: Posted, words: tuple[str, ...]
) -> None:
    result = vedette("notify", *words)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_numbers_beyond_what_a_database_counts_are_not_there(admin: Posted) -> None:
    if not document("notify", "list")["deliveries"]:
        count = len(admin.itsm.received)
        admin.see("up", "up", "down", "down", "down")
        admin.itsm.wait_for(count + 1)
    with admin.controller.people() as channel:
        stub = notify_pb2_grpc.NotifyServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.GetDelivery(
                notify_pb2.GetDeliveryRequest(number=2**64 - 1), **admin.controller.call()
            )
        assert refused(caught)[0] is grpc.StatusCode.NOT_FOUND
        request = notify_pb2.ListDeliveriesRequest(before=2**64 - 1, limit=1)
        assert len(stub.ListDeliveries(request, **admin.controller.call()).deliveries) == 1


def test_auditors_read_and_change_nothing(posted: Posted, folder: Path) -> None:
    login(posted.controller, Role.AUDITOR)
    assert vedette("notify", "list").exit_code == 0
    for words in (("retry", "1"), ("drop", "1"), ("test", "itsm")):
        result = vedette("notify", *words)
        assert result.exit_code == 3
        assert "needs the role" in result.stderr
    login(posted.controller, Role.COUNTERPARTY)
    assert vedette("notify", "list").exit_code == 3
