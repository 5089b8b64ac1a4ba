"""One conversation with the controller, from Hello to whatever ends it."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from agent.errors import Fatal, Rejected, UnknownBase
from agent.link.call import Ended, SessionCall
from agent.link.log_witness import LogWitness
from agent.link.offset import MeasuredOffset
from agent.link.sending import Sending
from agent.link.wire import (
    TRIGGERS,
    Health,
    assignment_of,
    clock_message,
    cosignature_message,
    health_message,
    hello_message,
    incomplete_message,
    offered_head,
    positions,
    seal_positions,
    seen_message,
    stored_message,
    tips_of,
)
from agent.ports import SEALS_SUFFIX, Clock, Duties, Seals, Spool
from vedette.shared.limits import (
    ASSIGNED_MAX,
    ASSIGNMENTS_WAITING_MAX,
    BACKLOG_LINES_MIN,
    CLOCK_LOOK_SECONDS,
    CLOCK_PROBE_SECONDS,
    CONNECT_SECONDS_MAX,
    HEADS_WAITING_MAX,
    HEALTH_SECONDS,
)
from vedette.v1 import session_pb2 as pb

# The clock's questions are answered at least this often: longer silence means that nobody is there.
_SILENCE_SECONDS_MAX: Final = 2.5 * CLOCK_PROBE_SECONDS
_FIRST_PROBES: Final = 3
_FIRST_PROBE_SECONDS: Final = 0.25
_OFFSET_SECONDS_MAX: Final = 2.0
_SEAL_AGAIN_SECONDS: Final = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a conversation is about. `version`, `can_probe` and `instance` are told to the controller.

    `instance` is of this process: by it the controller tells two machines with one identity apart.
    `seals` knows what was sealed; without it nothing is. `log` remembers heads of the log; without it none is taken.
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
    seals: Seals | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    log: LogWitness | None = None


class Session:
    """A conversation over one call. `converse` runs it; `leave` ends it in good order."""

    def __init__(self, call: SessionCall, parts: Parts) -> None:
        self._call = call
        self._parts = parts
        self._sending = Sending(call, parts.spool, {}, has_seals=False)
        self._leaving = asyncio.Event()
        self._assigned: asyncio.Queue[pb.Assignment] = asyncio.Queue(ASSIGNMENTS_WAITING_MAX)
        self._heads: asyncio.Queue[pb.TreeHead] = asyncio.Queue(HEADS_WAITING_MAX)
        self._has_news = asyncio.Event()
        self._is_seal_wanted = asyncio.Event()
        self.is_drained = False

    @property
    def is_left(self) -> bool:
        """This side is ending it, of its own accord or because it was asked to."""
        return self._leaving.is_set()

    def tell(self) -> None:
        """Something about this agent changed: say so now."""
        self._has_news.set()

    def leave(self) -> None:
        """Send what there is, wait a little for acknowledgements, and close."""
        self._leaving.set()
        self._sending.leave()

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
                        self._sending.run(),
                        self._ask_clock(),
                        self._tell_health(),
                        self._adopt(),
                        self._witness(),
                        self._seal_when_asked(),
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
            labels=parts.labels,
            log_size=None if parts.log is None else parts.log.size,
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
        self._go_on_from(first.welcome)

    def _go_on_from(self, welcome: pb.Welcome) -> None:
        """Take what the controller holds as the place to send from; open an epoch if it cannot be."""
        spool, seals = self._parts.spool, self._parts.seals
        durable, tips = positions(welcome), tips_of(welcome)
        self._require_numbers(durable)
        reason = seals.difference(tips) if seals is not None and welcome.takes_seals else None
        if reason is not None:
            spool.open_epoch(reason)
        for (epoch, stream), tip in tips.items():
            durable[epoch, stream + SEALS_SUFFIX] = tip.number
        spool.acknowledge(durable)
        waiting = spool.waiting()
        if waiting > BACKLOG_LINES_MIN:
            spool.open_epoch(f"{waiting} lines wait, and follow behind live ones")
        self._sending = Sending(self._call, spool, durable, has_seals=welcome.takes_seals)
        if self._leaving.is_set():
            self._sending.leave()

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
            self._sending.acknowledged(positions(message.ack))
        elif kind == "clock_reply":
            reply = message.clock_reply
            self._parts.offset.exchanged(
                reply.agent_sent_us,
                received_there_us=reply.controller_received_us,
                sent_there_us=reply.controller_sent_us,
            )
        elif kind == "assignment":
            self._assign(message.assignment)
        elif kind == "probe_now" and message.probe_now.trigger in TRIGGERS:
            order = message.probe_now
            self._parts.duties.probe_now(list(order.checks), TRIGGERS[order.trigger])
        elif kind == "refusal":
            self._sending.refused(message.refusal)
        elif kind == "seal_ack":
            self._sending.acknowledged(seal_positions(message.seal_ack))
        elif kind == "seal_refusal":
            self._sending.seal_refused(message.seal_refusal)
        elif kind == "tree_head":
            # One that finds no room is offered again, in the next head.
            with contextlib.suppress(asyncio.QueueFull):
                self._heads.put_nowait(message.tree_head)
        elif kind == "seal_now":
            self._is_seal_wanted.set()
        elif kind == "drain":
            _log.info("link.drain", extra={"reason": message.drain.reason})
            self.is_drained = True
            self.leave()

    def _assign(self, assignment: pb.Assignment) -> None:
        """Have it adopted in its turn. Rejected if it is more than any agent is given."""
        count = len(assignment.checks) + len(assignment.secrets)
        if count > ASSIGNED_MAX:
            raise Rejected(
                f"The controller at {self._call.address} assigned {count} checks and secrets; this"
                f" vedette-agent takes {ASSIGNED_MAX} at most."
            )
        try:
            self._assigned.put_nowait(assignment)
        except asyncio.QueueFull as error:
            raise Rejected(
                f"The controller at {self._call.address} sends assignments more quickly than they can be"
                " adopted."
            ) from error

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
                health = Health(
                    parts.spool.depth(),
                    parts.duties.missed_slots,
                    parts.offset.reading(),
                    parts.offset.is_synced,
                    parts.offset.steps,
                    parts.duties.report(),
                )
                await self._call.write(health_message(health))
                await self._until_told(HEALTH_SECONDS)

    async def _until_told(self, seconds: float) -> None:
        """Wait so long, or until there is something that the controller should not wait for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._has_news.wait()
        self._has_news.clear()

    async def _adopt(self) -> None:
        """Store assignments and say so. The first waits for the clock: a line without an offset is void."""
        with contextlib.suppress(Ended):
            while True:
                message = await self._assigned.get()
                await self._until_measured()
                try:
                    unrunnable = await self._parts.duties.adopt(assignment_of(message))
                except UnknownBase as error:
                    _log.info("link.base_unknown", extra={"reason": str(error)})
                    await self._call.write(incomplete_message(self._parts.duties.revision))
                    continue
                except Fatal as error:
                    # It runs, but must not be acknowledged: a restart would not know it.
                    _log.warning("link.not_stored", extra={"reason": str(error)})
                    continue
                await self._call.write(stored_message(message.revision, list(unrunnable)))
                self._has_news.set()

    async def _witness(self) -> None:
        """Judge heads of the log, remember them, and say so; and sign them, where this agent does."""
        log = self._parts.log
        with contextlib.suppress(Ended):
            while log is not None:
                head = await self._heads.get()
                refusal = await log.see(offered_head(head))
                await self._call.write(seen_message(log.size, refusal))
                if log.cosigned is not None:
                    await self._call.write(cosignature_message(log.cosigned))

    async def _seal_when_asked(self) -> None:
        """Seal out of turn, but not more often than the disk should be troubled with it."""
        seals = self._parts.seals
        while seals is not None:
            await self._is_seal_wanted.wait()
            self._is_seal_wanted.clear()
            seals.ask()
            await asyncio.sleep(_SEAL_AGAIN_SECONDS)

    async def _until_measured(self) -> None:
        """Return when the clock's first answer is there, or does not come."""
        try:
            async with asyncio.timeout(_OFFSET_SECONDS_MAX):
                await self._parts.offset.is_measured.wait()
        except TimeoutError:
            _log.warning("link.clock_unanswered")
