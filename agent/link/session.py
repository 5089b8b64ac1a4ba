"""One conversation with the controller, from Hello to whatever ends it."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from agent.errors import Fatal, Rejected
from agent.link.call import Ended, SessionCall
from agent.link.offset import MeasuredOffset
from agent.link.window import Window
from agent.link.wire import (
    TRIGGERS,
    assignment_of,
    clock_message,
    frame_message,
    health_message,
    hello_message,
    positions,
    stored_message,
)
from agent.ports import Clock, Duties, Spool
from vedette.shared.limits import (
    CLOCK_LOOK_SECONDS,
    CLOCK_PROBE_SECONDS,
    CONNECT_SECONDS_MAX,
    FRAME_BYTES_MAX,
    HEALTH_SECONDS,
)
from vedette.v1 import session_pb2 as pb

# The clock's questions are answered at least this often: longer silence means that nobody is there.
_SILENCE_SECONDS_MAX: Final = 2.5 * CLOCK_PROBE_SECONDS
_FIRST_PROBES: Final = 3
_FIRST_PROBE_SECONDS: Final = 0.25
_OFFSET_SECONDS_MAX: Final = 2.0
_LEAVE_SECONDS_MAX: Final = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a conversation is about. `version`, `can_probe` and `instance` are told to the controller.

    `instance` is of this process: by it the controller tells two machines with one identity apart.
    """

    agent: str
    region: str
    spool: Spool
    duties: Duties
    offset: MeasuredOffset
    clock: Clock
    version: str
    can_probe: tuple[str, ...]
    instance: str = field(default_factory=lambda: secrets.token_hex(8))


class Session:
    """A conversation over one call. `converse` runs it; `leave` ends it in good order."""

    def __init__(self, call: SessionCall, parts: Parts) -> None:
        self._call = call
        self._parts = parts
        self._window = Window({})
        self._moved = asyncio.Event()
        self._leaving = asyncio.Event()
        self._assigned: asyncio.Queue[pb.Assignment] = asyncio.Queue()
        self.is_drained = False

    @property
    def is_left(self) -> bool:
        """This side is ending it, of its own accord or because it was asked to."""
        return self._leaving.is_set()

    def leave(self) -> None:
        """Send what there is, wait a little for acknowledgements, and close."""
        self._leaving.set()
        self._moved.set()

    async def converse(self, welcomed: Callable[[], None]) -> None:
        """Talk until either side is done. AgentError says why it ended otherwise.

        `welcomed` is called when the controller has accepted this agent.
        """
        await self._greet()
        welcomed()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(part)
                    for part in (
                        self._send(),
                        self._ask_clock(),
                        self._tell_health(),
                        self._adopt(),
                    )
                ]
                await self._listen()
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        finally:
            self._call.cancel()

    async def _greet(self) -> None:
        parts = self._parts
        hello = hello_message(
            version=parts.version,
            epoch=parts.spool.epoch,
            revision=parts.duties.revision,
            can_probe=parts.can_probe,
            instance=parts.instance,
        )
        with contextlib.suppress(Ended):
            await self._call.write(hello)
        first = await self._call.read(CONNECT_SECONDS_MAX)
        if first is None or first.WhichOneof("message") != "welcome":
            raise Rejected(
                f"The controller at {self._call.address} did not begin with a welcome: its version does not fit "
                "this vedette-agent."
            )
        here, there = (parts.agent, parts.region), (first.welcome.agent, first.welcome.region)
        if here != there:
            # Its lines would name another agent or region, and none of them would be taken.
            raise Rejected(
                f"The controller at {self._call.address} takes agent {here[0]} of region {here[1]} for "
                f"agent {there[0]} of region {there[1]}: join again with a new join file."
            )
        durable = positions(first.welcome)
        self._window = Window(durable)
        parts.spool.acknowledge(durable)
        self._require_numbers(durable)

    def _require_numbers(self, durable: dict[tuple[str, str], int]) -> None:
        """A controller that holds more than was ever numbered here has seen this agent's future.

        The state directory is then an old copy, and its next numbers were used for other lines.
        """
        spool = self._parts.spool
        for (epoch, stream), seq in durable.items():
            if epoch == spool.epoch and seq >= spool.next_seq(stream):
                spool.open_epoch(
                    f"the controller holds {seq} lines of {stream}, {spool.next_seq(stream) - 1} were "
                    "written here"
                )

    async def _listen(self) -> None:
        while (message := await self._call.read(_SILENCE_SECONDS_MAX)) is not None:
            self._take(message)

    def _take(self, message: pb.ConnectResponse) -> None:
        kind = message.WhichOneof("message")
        if kind == "ack":
            durable = positions(message.ack)
            for key, seq in durable.items():
                self._window.acknowledge(key, seq)
            self._parts.spool.acknowledge(durable)
            self._moved.set()
        elif kind == "clock_reply":
            reply = message.clock_reply
            self._parts.offset.exchanged(
                reply.agent_sent_us,
                received_there_us=reply.controller_received_us,
                sent_there_us=reply.controller_sent_us,
            )
        elif kind == "assignment":
            self._assigned.put_nowait(message.assignment)
        elif kind == "probe_now" and message.probe_now.trigger in TRIGGERS:
            order = message.probe_now
            self._parts.duties.probe_now(list(order.checks), TRIGGERS[order.trigger])
        elif kind == "refusal":
            self._refused(message.refusal)
        elif kind == "drain":
            _log.info("link.drain", extra={"reason": message.drain.reason})
            self.is_drained = True
            self.leave()

    def _refused(self, refusal: pb.Refusal) -> None:
        key = (refusal.epoch, refusal.stream)
        is_given_up = self._window.refuse(key, refusal.first_seq, refusal.resend_from)
        fields = {
            "stream": refusal.stream,
            "epoch": refusal.epoch,
            "first_seq": refusal.first_seq,
            "resend_from": refusal.resend_from,
            "given_up": is_given_up,
            "reason": refusal.reason,
        }
        _log.warning("link.refused", extra=fields)
        self._moved.set()

    async def _send(self) -> None:
        """Send what is durable, as soon as it is and as far as the window reaches."""
        spool, window = self._parts.spool, self._window
        with contextlib.suppress(Ended):
            while True:
                self._moved.clear()
                if not window.is_full:
                    rewinds = window.rewinds
                    batches = spool.read(window.sent, FRAME_BYTES_MAX)
                    for frame in window.frames(batches):
                        await self._call.write(frame_message(frame))
                    if batches or window.rewinds != rewinds:
                        continue
                if self._leaving.is_set():
                    await self._close()
                    return
                await self._until_moved(is_reading=not window.is_full)

    async def _until_moved(self, *, is_reading: bool) -> None:
        """Wait for an answer of the controller, or, if there is room, for something to send."""
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._moved.wait())]
        if is_reading:
            waits.append(asyncio.create_task(self._parts.spool.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(_LEAVE_SECONDS_MAX):
                while not self._window.is_empty:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            _log.info("link.left_unacknowledged")
        await self._call.finish()
        await asyncio.sleep(_LEAVE_SECONDS_MAX)
        self._call.cancel()

    async def _ask_clock(self) -> None:
        offset = self._parts.offset
        with contextlib.suppress(Ended):
            asked = 0
            while True:
                if offset.is_wanted.is_set():
                    offset.is_wanted.clear()
                    asked = 0
                await self._call.write(clock_message(self._parts.clock.wall_us()))
                asked += 1
                is_first = asked < _FIRST_PROBES
                await self._until_wanted(_FIRST_PROBE_SECONDS if is_first else CLOCK_PROBE_SECONDS)
                await offset.save()

    async def _until_wanted(self, seconds: float) -> None:
        """Wait so long, or until the clock turns out to have been set: then it is measured at once."""
        offset, loop = self._parts.offset, asyncio.get_running_loop()
        end = loop.time() + seconds
        while not offset.look() and (left := end - loop.time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, CLOCK_LOOK_SECONDS)):
                    await offset.is_wanted.wait()

    async def _tell_health(self) -> None:
        parts = self._parts
        await self._until_measured()
        with contextlib.suppress(Ended):
            while True:
                await self._call.write(
                    health_message(
                        parts.spool.depth(), parts.duties.missed_slots, parts.offset.reading()
                    )
                )
                await asyncio.sleep(HEALTH_SECONDS)

    async def _adopt(self) -> None:
        """Store assignments and say so. The first waits for the clock: a line without an offset is void."""
        with contextlib.suppress(Ended):
            while True:
                message = await self._assigned.get()
                while not self._assigned.empty():
                    message = self._assigned.get_nowait()
                await self._until_measured()
                try:
                    unrunnable = await self._parts.duties.adopt(assignment_of(message))
                except Fatal as error:
                    # It runs, but must not be acknowledged: a restart would not know it.
                    _log.warning("link.not_stored", extra={"reason": str(error)})
                    continue
                await self._call.write(stored_message(message.revision, list(unrunnable)))

    async def _until_measured(self) -> None:
        """Return when the clock's first answer is there, or does not come."""
        try:
            async with asyncio.timeout(_OFFSET_SECONDS_MAX):
                await self._parts.offset.is_measured.wait()
        except TimeoutError:
            _log.warning("link.clock_unanswered")
