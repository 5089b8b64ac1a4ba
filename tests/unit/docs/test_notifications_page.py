"""docs/notifications.md: its channels plan, its body is what is sent, its receiver verifies, its bounds are ours."""

import json
import re
import time
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.core.channels import Choice, EventName
from controller.core.fleet import read_fleet
from controller.core.head_messages import head_message
from controller.core.notices import DeliveryState
from controller.core.sla.notices.notices import notice_message
from controller.core.wording import OutageFacts, OutageNews, outage_message
from controller.notify.signature import message_id, signed_headers
from controller.notify.webhook import payload
from controller.services.fleet.apply import checked_fleet
from tests.command_lines import command_lines, problem_of
from tests.fakes.webhook_target import KEY, SECRET
from tests.unit.core.sla.noticing import Noticing
from vedette.shared.checkpoint import Checkpoint
from vedette.shared.limits import NOTIFY_AT_ONCE_MAX, NOTIFY_ATTEMPTS_MAX, NOTIFY_SECONDS_MAX
from vedette.shared.note import signed_note

PAGE: Final = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text()
FLEET: Final = """version: 1
regions: [{id: fra}, {id: nyc}]
services: [{id: shop, criticality: critical}]
checks: [{id: shop-home, service: shop, http: {url: "https://shop.example/"}}]
contracts:
  - {id: acme-gold, effective_from: 0, scope: {checks: [shop-home]}, objectives: [{id: a, target: "99"}]}
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_channels_of_the_page_are_taken() -> None:
    (text,) = blocks("yaml")
    fleet = checked_fleet((FLEET + text).encode(), "fleet.yaml")
    assert list(fleet.channels) == ["ops", "shop-team", "itsm", "contracts", "acme-audit"]
    assert fleet.channels["itsm"].secret_names == {"itsm-key"}


def test_the_body_on_the_page_is_what_is_sent() -> None:
    (text,) = blocks("json")
    shown = json.loads(text)
    facts: dict[str, Any] = shown["data"]["outage"]
    own = {key: facts[key] for key in OutageFacts.__struct_fields__ if key in facts}
    outage = OutageFacts(**{**own, "kinds": [(kind, 1) for kind in own["kinds"]], "region": ""})
    news = OutageNews(
        event=EventName(shown["type"]),
        handle=facts["handle"],
        revision=facts["revision"],
        sequence=42,
        recorded_us=1_767_225_621_500_000,
        service=facts["service"],
        severity=facts["severity"],
        outage=outage,
    )
    assert json.loads(payload(outage_message(news, "itsm/outage/42"))) == shown


GRADED: Final = (
    FLEET.partition("contracts:")[0]
    + """contracts:
  - id: acme-gold
    title: ACME web shop, gold
    party: ACME GmbH
    effective_from: 0
    scope: {checks: [shop-home]}
    period: {tz: Europe/Warsaw}
    objectives: [{id: availability, target: "99.9"}]
    grades: [{below: "95", action: warn}]
"""
)


def test_the_message_of_a_grade_on_the_page_is_what_is_said() -> None:
    shown = PAGE.partition("```\n[acme-gold]")[2].partition("```")[0]
    scene = Noticing(read_fleet(GRADED.encode(), "fleet.yaml"), name="acme-gold")
    scene.was_down("2026-06-02T00:00:00Z", "2026-06-02T02:00:00Z")
    (notice,) = scene.grades("2026-06-02T02:00:00Z")
    message = notice_message(notice, "contracts", 0)
    assert f"{message.title}\n\n{message.text}\n" == f"[acme-gold]{shown}"
    assert "`contract` (`id`, `title`, `party`, `level`)" in PAGE
    assert tuple(message.facts["contract"]) == ("id", "title", "party", "level")


def test_the_receiver_on_the_page_verifies() -> None:
    (text,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(text, "the page", "exec"), names)
    is_genuine = names["is_genuine"]
    body, now = b'{"type":"channel.test"}', int(time.time())
    headers = dict(signed_headers([KEY], message_id("k", 1), now, body))
    assert is_genuine(SECRET, headers, body)
    assert not is_genuine(SECRET, headers, body + b" ")
    assert not is_genuine(SECRET, headers | {"webhook-id": "msg_0"}, body)
    old = dict(signed_headers([KEY], message_id("k", 1), now - 3600, body))
    assert not is_genuine(SECRET, old, body)


def test_every_event_stands_on_the_page() -> None:
    choices = [*msgspec.json.schema(Choice)["enum"], EventName.FLAPPING, EventName.STEADY]
    missing = [name for name in choices if f"`{name}`" not in PAGE]
    assert not missing
    assert {f"outage.{kind}" for kind in ("opened", "closed")} <= set(choices)


@pytest.mark.parametrize(
    "words",
    [
        f"after {NOTIFY_ATTEMPTS_MAX} attempts",
        f"at most {NOTIFY_AT_ONCE_MAX} messages at once",
        f"left after {NOTIFY_SECONDS_MAX:.0f} s",
        "--state held --state suppressed",
    ],
)
def test_the_bounds_on_the_page_are_those_of_the_code(words: str) -> None:
    assert words in PAGE


def test_states_that_are_named_exist() -> None:
    named = set(re.findall(r"--state (\w+)", PAGE))
    assert named <= {state.value for state in DeliveryState}


def test_every_command_on_the_page_exists() -> None:
    lines = list(command_lines(PAGE))
    assert not [f"{line}: {problem}" for line in lines if (problem := problem_of(line))]
    assert len(lines) >= 8


def test_the_head_of_the_log_on_the_page_is_what_is_told() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
    text = Checkpoint("example.net/log", 812, sha256(b"812 leaves").digest()).text()
    note = signed_note(text, "example.net/log", key)
    signed_us = 1_782_856_807_000_000
    message = head_message(note, key="acme-audit/log/812", at_us=signed_us, signed_us=signed_us)
    assert f"```\n{message.title}\n\n{message.text}\n```" in PAGE, message.text
