"""apprise in a process of its own, sending to real servers, good and bad ones."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from controller.core.channels import EventName
from controller.core.wording import Level, Message
from controller.notify.courier import Courier
from controller.ports.deliveries import Outcome
from tests.fakes.webhook_target import Ill, WebhookTarget, webhook_target

MESSAGE = Message(
    event=EventName.OPENED,
    key="ops/outage/7",
    subject="OUT-12",
    at_us=1_750_000_000_123_456,
    level=Level.FAILURE,
    title="[OUT-12] P1 shop-home is down",
    text="Down in Zürich,\nsince now. <b>\\n :smile:",
    facts={},
)


@pytest.fixture
def target() -> Iterator[WebhookTarget]:
    with webhook_target() as started:
        yield started


@pytest.fixture
async def courier() -> AsyncIterator[Courier]:
    made = Courier(deadline_seconds=15.0)
    yield made
    await made.close()


def address(target: WebhookTarget, more: str = "") -> str:
    return f"json://127.0.0.1:{target.port}/people{more}"


def processes() -> set[str]:
    """Processes that send through apprise, by number."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"apprise_process" in (folder / "cmdline").read_bytes():
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                found |= {folder.name} if int(parent) == os.getpid() else set()
        except OSError:
            continue
    return found


async def test_apprise_gets_the_words_as_they_are(target: WebhookTarget, courier: Courier) -> None:
    assert await courier.send("ops", address(target), MESSAGE) == Outcome(is_delivered=True)
    (one,) = target.received
    assert one.path == "/people"
    assert one.json["title"] == "[OUT-12] P1 shop-home is down"
    assert one.json["message"] == "Down in Zürich,\nsince now. <b>\\n :smile:"
    assert one.json["type"] == "failure"


async def test_one_process_serves_one_message_after_another(
    target: WebhookTarget, courier: Courier
) -> None:
    await courier.send("ops", address(target), MESSAGE)
    first = processes()
    await courier.send("ops", address(target), MESSAGE)
    assert len(target.received) == 2
    assert processes() == first
    await courier.close()
    assert not processes() & first


async def test_a_refusal_is_a_failure_and_the_next_may_be_better(
    target: WebhookTarget, courier: Courier
) -> None:
    target.answers.append(500)
    outcome = await courier.send("ops", address(target), MESSAGE)
    assert not outcome.is_delivered
    assert "500" in outcome.error
    assert (await courier.send("ops", address(target), MESSAGE)).is_delivered


async def test_redirects_lead_nowhere_even_if_the_address_asks_for_them(
    target: WebhookTarget, courier: Courier
) -> None:
    with webhook_target() as inside:
        for more in ("", "?redirect=yes"):
            target.answers.append((302, {"Location": inside.url()}))
            assert not (await courier.send("ops", address(target, more), MESSAGE)).is_delivered
        assert inside.received == []


async def test_a_server_that_drips_is_left_at_the_deadline_and_its_process_ends(
    target: WebhookTarget,
) -> None:
    courier = Courier(deadline_seconds=4.0)
    target.answers.append(Ill.DRIPPING)
    outcome = await courier.send("ops", address(target), MESSAGE)
    assert outcome.error == "apprise did not finish within 4 s."
    assert processes() == set()


async def test_a_flood_fills_the_memory_of_nobody_here(
    target: WebhookTarget, courier: Courier
) -> None:
    target.answers.append(Ill.FLOODING)
    outcome = await courier.send("ops", address(target), MESSAGE)
    assert not outcome.is_delivered
    assert outcome.error
    assert (await courier.send("ops", address(target), MESSAGE)).is_delivered


async def test_a_channel_that_hangs_keeps_no_other_waiting(
    target: WebhookTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.notify.courier.APPRISE_PROCESSES_MAX", 2)
    courier = Courier(deadline_seconds=60.0)
    target.answers.append(Ill.DRIPPING)
    slow = [asyncio.create_task(courier.send("slow", address(target), MESSAGE)) for _ in range(3)]
    async with asyncio.timeout(30):
        await asyncio.to_thread(target.wait_for, 1)
        assert (await courier.send("ops", address(target), MESSAGE)).is_delivered
    assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    ended = await asyncio.gather(*slow, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)
    assert len(processes()) == 1
    await courier.close()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("json://169.254.169.254/latest", "169.254.169.254: link-local"),
        ("nothing", "apprise does not take this address"),
        ("slack://x", "apprise does not take this address"),
    ],
)
async def test_what_cannot_be_sent_is_said(courier: Courier, url: str, error: str) -> None:
    outcome = await courier.send("ops", url, MESSAGE)
    assert error in outcome.error


async def test_the_controllers_own_settings_are_not_handed_on(
    courier: Courier, target: WebhookTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEDETTE_DB", "postgresql://vedette:hunter2@db/vedette")
    await courier.send("ops", address(target), MESSAGE)
    (process,) = processes()
    assert b"hunter2" not in (Path("/proc") / process / "environ").read_bytes()
