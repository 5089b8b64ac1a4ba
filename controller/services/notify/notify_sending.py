"""Sending: what is due goes out, to each channel a few at a time, so that one that hangs stops nobody else."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from controller.errors import ControllerError
from controller.ports.deliveries import Outcome, Transport
from controller.ports.storage import Worker
from controller.services.notify.deliveries import Parcel
from controller.services.notify.notify import Router
from vedette.shared.limits import NOTIFY_AT_ONCE_MAX, NOTIFY_LOOK_SECONDS

log = logging.getLogger(__name__)


class Due(Protocol):
    """The outbox, as sending needs it."""

    def claim(self, room: Callable[[str], int]) -> Sequence[Parcel]:
        """What is to be sent now, noted as being on its way; of each channel at most what it has room for."""
        ...

    def settle(self, outcomes: Mapping[int, Outcome]) -> None:
        """Note how attempts went, by the number of the delivery."""
        ...


class Sender:
    """Routes and sends until it is cancelled. What is on its way then is sent again by the next controller."""

    def __init__(self, worker: Worker, router: Router, outbox: Due, transport: Transport) -> None:
        self._worker = worker
        self._router = router
        self._outbox = outbox
        self._transport = transport
        self._under_way: Counter[str] = Counter()
        self._unnoted: dict[int, tuple[Parcel, Outcome]] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Look every second, and at once when something went out."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._wake.clear()
                    if not await self._look(group):
                        await self._rest()
        finally:
            with contextlib.suppress(ControllerError):
                # What has arrived need not be sent again by the next controller.
                await self._note()
            await self._transport.close()

    async def try_out(self, parcel: Parcel) -> Outcome:
        """Send a message that is not kept, once; how it went."""
        return await self._transport.send(parcel.channel, parcel.values, parcel.message)

    async def _look(self, group: asyncio.TaskGroup) -> bool:
        """Note how it went, tell of what is new, send what is due; True if there may be more at once."""
        try:
            await self._note()
            is_more = await self._worker.run(self._router.route)
            parcels = await self._worker.run(lambda: self._outbox.claim(self._room))
        except ControllerError as error:
            # A database that is away for a moment. What went out is noted later, and not sent again.
            log.error("notify.delayed", extra={"reason": str(error)})
            return False
        except Exception:
            # A fault of ours in telling must not end judging; no secret is at hand here.
            log.exception("notify.defect")
            return False
        for parcel in parcels:
            self._under_way[parcel.channel.id] += 1
            group.create_task(self._send(parcel))
        return is_more

    async def _note(self) -> None:
        noted = dict(self._unnoted)
        if not noted:
            return
        outcomes = {number: outcome for number, (_, outcome) in noted.items()}
        await self._worker.run(lambda: self._outbox.settle(outcomes))
        for number, (parcel, _) in noted.items():
            del self._unnoted[number]
            self._under_way[parcel.channel.id] -= 1

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(NOTIFY_LOOK_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send(self, parcel: Parcel) -> None:
        try:
            outcome = await self._transport.send(parcel.channel, parcel.values, parcel.message)
        except Exception as error:  # noqa: BLE001 - no message may end the controller
            # What the exception says may hold what a secret stands for.
            kind = type(error).__name__
            log.error("notify.defect", extra={"delivery": parcel.number, "kind": kind})
            outcome = Outcome(error=f"The controller failed by a fault of its own ({kind}).")
        self._unnoted[parcel.number] = parcel, outcome
        self._wake.set()

    def _room(self, channel: str) -> int:
        """How many more may be under way to a channel."""
        return NOTIFY_AT_ONCE_MAX - self._under_way[channel]
