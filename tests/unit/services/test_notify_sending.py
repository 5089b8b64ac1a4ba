"""Sending: a channel that hangs stops nobody else, and nothing is forgotten when something breaks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from controller.core.channels import Channel
from controller.core.wording import Message
from controller.ports.deliveries import Outcome
from controller.services.notify.deliveries import Outbox, Parcel
from controller.services.notify.notify_sending import Sender
from tests.fakes.storage import FakeStorage, InlineWorker
from tests.fakes.telling import FakeTransport
from tests.unit.services.outbox_scene import Scene, channel
from vedette.shared.limits import NOTIFY_AT_ONCE_MAX


class Settling:
    """An outbox that says when something was noted."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.noted = asyncio.Event()

    def claim(self, room: Callable[[str], int]) -> Sequence[Parcel]:
        return self._outbox.claim(room)

    def settle(self, outcomes: Mapping[int, Outcome]) -> None:
        self._outbox.settle(outcomes)
        self.noted.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until that holds, looking whenever something was noted."""
        async with asyncio.timeout(20):
            while not holds():
                await self.noted.wait()
                self.noted.clear()


@asynccontextmanager
async def sending(scene: Scene, transport: FakeTransport) -> AsyncIterator[Settling]:
    """A sender that runs until the block ends."""
    outbox = Settling(scene.outbox)
    task = asyncio.create_task(Sender(InlineWorker(), scene.router, outbox, transport).run())
    try:
        yield outbox
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def delivered(scene: Scene, count: int) -> Callable[[], bool]:
    """So many messages arrived."""
    return lambda: sum(state.endswith(" delivered") for state in scene.states()) == count


async def test_what_happens_is_sent_and_noted() -> None:
    scene, transport = Scene(channel("all")), FakeTransport()
    async with sending(scene, transport) as outbox:
        scene.happens("opened")
        scene.happens("closed")
        await outbox.until(delivered(scene, 2))
    assert [message.event for _, message in transport.sent] == ["outage.opened", "outage.closed"]
    assert transport.is_closed


async def test_a_channel_that_hangs_takes_its_own_room_and_no_more() -> None:
    scene, transport = Scene(channel("hangs"), channel("works")), FakeTransport()
    transport.hanging = {"hangs"}
    async with sending(scene, transport) as outbox:
        for number in range(1, 11):
            scene.happens("opened", number)
        await outbox.until(delivered(scene, 10))
        assert sum(name == "hangs" for name, _ in transport.sent) == NOTIFY_AT_ONCE_MAX
        transport.gate.set()
        await outbox.until(delivered(scene, 20))


async def test_what_is_on_its_way_when_the_controller_stops_is_sent_again() -> None:
    scene, transport = Scene(channel("all")), FakeTransport()
    transport.hanging = {"all"}
    async with sending(scene, transport):
        scene.happens("opened")
        await transport.until(1)
    assert scene.states() == ["outage.opened sending"]
    scene.restart()
    transport.hanging = set()
    async with sending(scene, transport) as outbox:
        await outbox.until(delivered(scene, 1))
    assert [message.key for _, message in transport.sent] == ["all/outage/1"] * 2


async def test_a_database_that_is_away_delays_and_repeats_nothing() -> None:
    storage = FakeStorage()
    scene, transport = Scene(channel("all"), storage=storage), FakeTransport()
    transport.hanging = {"all"}
    async with sending(scene, transport) as outbox:
        scene.happens("opened")
        await transport.until(1)
        storage.is_full = True
        transport.gate.set()
        await storage.failed.wait()
        storage.is_full = False
        await outbox.until(delivered(scene, 1))
    assert len(transport.sent) == 1


class Defective(FakeTransport):
    """Raises what no transport should, with what nobody should see in it."""

    async def send(self, channel: Channel, values: object, message: Message) -> Outcome:
        self.sent.append((channel.id, message))
        raise RuntimeError(f"cannot post to {values}")


async def test_a_fault_of_ours_in_one_message_ends_nothing_and_shows_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(channel("all"))
    async with sending(scene, Defective()) as outbox:
        scene.happens("opened")
        await outbox.until(lambda: any(one.error for one in scene.deliveries()))
    (one,) = scene.deliveries()
    assert one.error == "The controller failed by a fault of its own (RuntimeError)."
    assert "value of path" not in caplog.text


async def test_a_fault_of_ours_in_routing_ends_nothing_and_is_told_of(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, transport = Scene(channel("all")), FakeTransport()
    good, faults = scene.router.route, [KeyError("what nobody foresaw")]

    def route() -> bool:
        if faults:
            raise faults.pop()
        return good()

    monkeypatch.setattr(scene.router, "route", route)
    scene.happens("opened")
    async with sending(scene, transport) as outbox:
        await outbox.until(delivered(scene, 1))
    assert "notify.defect" in caplog.text
