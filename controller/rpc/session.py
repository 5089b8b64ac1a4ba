"""One stream to one agent: Hello and Welcome, frames in, acks and assignments out."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from controller.errors import BadInput, ControllerError, Rejected
from controller.ports.custody import Standing
from controller.ports.storage import Worker
from controller.rpc.assigning import Assigning
from controller.rpc.attesting import Attesting
from controller.rpc.outbox import Outbox
from controller.rpc.peer import Peer, check_expiry
from controller.rpc.reports import claimed, printable, report_of, unrunnable_of
from controller.rpc.seals import seal_answer, seal_tips
from controller.rpc.status import Context
from controller.rpc.tree_heads import TreeHeads
from controller.services.agents.admission import Admission, Admitted
from controller.services.agents.agents import Agents
from controller.services.agents.duties import Duties
from controller.services.evidence.seals import IncomingSeal
from controller.services.evidence.witnesses import IncomingCosignature, Unsigned
from controller.services.results.frames import Accepted, IncomingFrame
from controller.services.results.ingest import Ingest
from controller.services.results.quotas import OverQuota, Quotas
from vedette.shared.identity import is_epoch
from vedette.shared.limits import CONNECT_SECONDS_MAX
from vedette.v1 import session_pb2 as pb

# The certificate is looked at again after so many messages: TLS never does while a stream is open.
MESSAGES_PER_CHECK: Final = 256
FRAMES_UNDERWAY_MAX: Final = 64
VERSION_CHARS_MAX: Final = 64
REVISION_CHARS_MAX: Final = 64
INSTANCE_CHARS_MAX: Final = 64
PROTOCOL_MAX: Final = 1_000_000
STREAM_CHARS_MAX: Final = 128
REFUSAL_CHARS_MAX: Final = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What a session works with."""

    worker: Worker
    agents: Agents
    duties: Duties
    admission: Admission
    ingest: Ingest
    attesting: Attesting
    quotas: Quotas
    now_us: Callable[[], int]


class Session:
    """The controller's end of a stream. `run` serves it until either side is done."""

    def __init__(self, parts: SessionParts, peer: Peer, admitted: Admitted) -> None:
        self._parts = parts
        self._peer = peer
        self._record = admitted.record
        self._standing = admitted.standing
        self._outbox = Outbox(parts.now_us)
        self._ended: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        self._underway: set[asyncio.Task[None]] = set()
        self._streams: set[tuple[str, str]] = set()
        self._stale_assignment = asyncio.Event()
        self._assigning = Assigning(self.agent, self.region, parts.duties, parts.worker)
        self._heads = TreeHeads(parts.attesting.logbook, parts.worker)

    @property
    def agent(self) -> str:
        """Who is at the other end."""
        return self._record.id

    @property
    def region(self) -> str:
        """The region that the agent votes for."""
        return self._record.region

    def send(self, message: pb.ConnectResponse) -> None:
        """Send this when the stream can take it."""
        self._outbox.reply(message)

    def order(self, order: pb.ProbeOrder) -> None:
        """Ask for these runs when the stream can take it; what waits is asked for once."""
        self._outbox.order(order)

    def refresh_assignment(self) -> None:
        """The fleet changed: send what the agent has to probe now."""
        self._stale_assignment.set()

    def tell_head(self) -> None:
        """The log was signed: send the agent its head."""
        self._heads.changed.set()

    def seal_now(self) -> None:
        """Ask the agent for a seal out of turn."""
        self._outbox.seal_now()

    def end(self, error: ControllerError) -> None:
        """Close the stream at once; its agent is told why."""
        if not self._ended.done():
            self._ended.set_exception(error)

    async def run(self, context: Context) -> None:
        """Serve the stream. Raises our errors for what ends it early."""
        reader = asyncio.create_task(self._read(context))
        writer = asyncio.create_task(self._write(context))
        telling = (asyncio.create_task(self._assign()), asyncio.create_task(self._tell_heads()))
        tasks = {reader, writer, *telling}
        waiting: set[asyncio.Future[Any]] = {*tasks, self._ended}
        try:
            while not writer.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for finished in done:
                    finished.result()
        finally:
            underway = [*tasks, *self._underway]
            for task in underway:
                task.cancel()
            await asyncio.gather(*underway, return_exceptions=True)
            self._ended.cancel()
            self._parts.attesting.cosigning.left(self.agent)

    async def greet(self, context: Context) -> None:
        """Take the agent's Hello and answer with what is durable here."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                first = await _message(context)
        except TimeoutError as error:
            raise BadInput(
                f"Expected Hello within {CONNECT_SECONDS_MAX:.0f} s; nothing came."
            ) from error
        if first is None or not first.HasField("hello"):
            found = (first.WhichOneof("message") if first else None) or "nothing"
            raise BadInput(f"Expected Hello as the first message, found {found}.")
        hello = first.hello
        if not is_epoch(hello.epoch):
            raise BadInput("Expected an epoch of 1 to 32 letters and digits in Hello.")
        await self._parts.worker.run(lambda: self._note_hello(hello))
        runs = printable(hello.assignment_revision, REVISION_CHARS_MAX)
        self._assigning.greeted(hello.protocol, runs)
        self._heads.greeted(hello)
        # Once more, now that the stream can be cut: it may have been revoked since it was admitted.
        await self._check_peer()
        positions = await self._parts.ingest.durable(self.agent)
        self._streams.update((p.epoch, p.stream) for p in positions)
        tips = await self._parts.attesting.seals.tips(self.agent)
        welcome = pb.Welcome(
            agent=self.agent,
            region=self.region,
            durable=[pb.Position(epoch=p.epoch, stream=p.stream, seq=p.seq) for p in positions],
            tips=seal_tips(tips),
            takes_seals=True,
        )
        await context.write(pb.ConnectResponse(welcome=welcome))
        self._stale_assignment.set()
        log.info(
            "session.opened",
            extra={"agent": self.agent, "epoch": hello.epoch, "version": hello.version},
        )

    def _note_hello(self, hello: pb.Hello) -> None:
        self._parts.admission.hello(self._peer.claim, hello.instance[:INSTANCE_CHARS_MAX])
        self._parts.agents.hello(
            self.agent,
            version=printable(hello.version, VERSION_CHARS_MAX),
            assignment_revision=printable(hello.assignment_revision, REVISION_CHARS_MAX),
            protocol=min(hello.protocol, PROTOCOL_MAX),
            labels=claimed(hello.labels),
        )

    async def _read(self, context: Context) -> None:
        """Take messages until the agent has no more; then wait until all its frames are answered."""
        count = 0
        while (message := await _message(context)) is not None:
            received_us = self._parts.now_us()
            count += 1
            if count % MESSAGES_PER_CHECK == 0:
                await self._check_peer()
            await self._outbox.room()
            await self._take(message, received_us)
        while self._underway:
            await asyncio.wait(self._underway)
        self._outbox.close()

    async def _take(self, message: pb.ConnectRequest, received_us: int) -> None:
        kind = message.WhichOneof("message")
        if kind not in ("frame", "seal"):
            self._parts.quotas.message(self.agent)
        match kind:
            case "frame":
                await self._take_evidence(message.frame)
            case "seal":
                await self._take_evidence(message.seal)
            case "clock_probe":
                reply = pb.ClockReply(
                    agent_sent_us=message.clock_probe.agent_sent_us,
                    controller_received_us=received_us,
                )
                self._outbox.reply(pb.ConnectResponse(clock_reply=reply))
            case "health":
                await self._check_peer()
                await self._take_health(message.health)
            case "assignment_ack":
                await self._take_assignment_ack(message.assignment_ack)
            case "tree_head_ack":
                await self._take_head_ack(message.tree_head_ack)
            case "cosignature":
                await self._take_cosignature(message.cosignature)
            case "hello":
                raise BadInput("Expected Hello once, at the beginning; it came again.")
            case _:
                # A newer agent may say what this controller does not know yet.
                log.info("session.ignored", extra={"agent": self.agent})

    async def _take_evidence(self, message: pb.Frame | pb.Seal) -> None:
        if self._standing is not Standing.APPROVED:
            raise Rejected(f"Agent {self.agent} waits for approval: no line is taken from it yet.")
        while len(self._underway) >= FRAMES_UNDERWAY_MAX:
            await asyncio.wait(self._underway, return_when=asyncio.FIRST_COMPLETED)
        if isinstance(message, pb.Frame):
            over = self._over_quota(message)
            if over is not None:
                self._refuse_flood(message, over)
                return
            task = asyncio.create_task(self._ingest(message))
        else:
            # Only the agent's own stream waits.
            await asyncio.sleep(self._parts.quotas.seal_wait_us(self.agent) / 1e6)
            task = asyncio.create_task(self._seal(message))
        self._underway.add(task)
        task.add_done_callback(self._answered)

    def _over_quota(self, frame: pb.Frame) -> OverQuota | None:
        """What stands against taking a frame now, if anything does."""
        quotas = self._parts.quotas
        stream = (frame.epoch[:STREAM_CHARS_MAX], frame.stream[:STREAM_CHARS_MAX])
        if stream not in self._streams:
            if over := quotas.stream(self.agent):
                return over
            self._streams.add(stream)
        return quotas.frame(self.agent, frame.count, len(frame.lines))

    def _answered(self, task: asyncio.Task[None]) -> None:
        """A frame is done with. What went wrong with it ends the stream: its lines come again."""
        self._underway.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._ended.done():
            self._ended.set_exception(error)

    async def _ingest(self, frame: pb.Frame) -> None:
        """Hand over a frame; its lines are durable and evaluated when the answer comes."""
        incoming = IncomingFrame(
            epoch=frame.epoch,
            stream=frame.stream,
            first_seq=frame.first_seq,
            count=frame.count,
            lines=frame.lines,
            lost=frame.lost,
            is_backlog=frame.is_backlog,
        )
        answer = await self._parts.ingest.submit(self.agent, self.region, incoming)
        if isinstance(answer, Accepted):
            self._outbox.acknowledge(answer.epoch, answer.stream, answer.seq)
            return
        log.warning("frame.refused", extra={"agent": self.agent, "reason": answer.reason})
        refusal = pb.Refusal(
            epoch=answer.epoch,
            stream=answer.stream,
            first_seq=answer.first_seq,
            resend_from=answer.resend_from,
            reason=answer.reason,
        )
        self._outbox.reply(pb.ConnectResponse(refusal=refusal))

    def _refuse_flood(self, frame: pb.Frame, over: OverQuota) -> None:
        log.warning("frame.over_quota", extra={"agent": self.agent, "reason": over.reason})
        refusal = pb.Refusal(
            epoch=frame.epoch,
            stream=frame.stream,
            first_seq=frame.first_seq,
            resend_from=frame.first_seq,
            reason=over.reason,
            retry_after_us=over.retry_after_us,
        )
        self._outbox.reply(pb.ConnectResponse(refusal=refusal))

    async def _seal(self, seal: pb.Seal) -> None:
        """Hand over a seal; it is verified and durable when the answer comes."""
        incoming = IncomingSeal(seal.epoch, seal.stream, seal.number, seal.note)
        answer = await self._parts.attesting.seals.submit(self.agent, self._peer.address, incoming)
        if answer.reason:
            self._parts.quotas.seal_refused(self.agent)
            log.error("seal.refused", extra={"agent": self.agent, "reason": answer.reason})
        self._outbox.reply(seal_answer(answer))

    async def _take_health(self, health: pb.Health) -> None:
        await self._parts.worker.run(
            lambda: self._parts.agents.health(
                self.agent,
                spool_lines=min(health.spool_lines, 2**63 - 1),
                clock_offset_us=_optional(health, "clock_offset_us"),
                clock_error_us=_optional(health, "clock_error_us"),
                report=report_of(self.agent, health),
            )
        )

    async def _take_assignment_ack(self, ack: pb.AssignmentAck) -> None:
        revision = printable(ack.revision, REVISION_CHARS_MAX)
        unrunnable = unrunnable_of(ack.unrunnable)
        self._assigning.acknowledged(revision, needs_whole=ack.needs_whole)
        if ack.needs_whole:
            self._stale_assignment.set()
            return
        await self._parts.worker.run(
            lambda: self._parts.agents.assignment_stored(self.agent, revision, unrunnable)
        )
        for check, reason in unrunnable:
            extra = {"agent": self.agent, "check": check, "reason": reason}
            log.warning("check.unrunnable", extra=extra)

    async def _take_head_ack(self, ack: pb.TreeHeadAck) -> None:
        self._heads.acknowledged(ack)
        if ack.refusal:
            reason = printable(ack.refusal, REFUSAL_CHARS_MAX)
            log.error("log.refused", extra={"agent": self.agent, "reason": reason})
            await self._parts.worker.run(
                lambda: self._parts.attesting.logbook.refused(
                    self.agent, reason, self._peer.address
                )
            )

    async def _take_cosignature(self, message: pb.Cosignature) -> None:
        if self._standing is not Standing.APPROVED:
            return
        said = IncomingCosignature(message.size, message.public_key, message.line)
        agent, peer = self.agent, self._peer.address
        try:
            await self._parts.worker.run(
                lambda: self._parts.attesting.witnesses.take(agent, peer, said)
            )
        except Unsigned as error:
            log.error("cosignature.refused", extra={"agent": agent, "reason": str(error)})
        else:
            self._parts.attesting.cosigning.signed(agent, said.size)

    async def _check_peer(self) -> None:
        """The certificate that was good when the stream was opened must be so still."""
        peer = self._peer
        check_expiry(peer, self._parts.now_us())
        admitted = await self._parts.worker.run(lambda: self._parts.admission.admit(peer.claim))
        self._standing = admitted.standing

    async def _assign(self) -> None:
        """Put what the agent has to probe in the outbox, now and whenever it changes."""
        while True:
            await self._stale_assignment.wait()
            self._stale_assignment.clear()
            # It may hold secrets: who gets it is looked at once more.
            await self._check_peer()
            assignment = await self._assigning.due()
            if assignment is not None:
                self._outbox.assign(assignment)

    async def _tell_heads(self) -> None:
        """Put the head of the log in the outbox whenever there is a new one."""
        while True:
            await self._heads.changed.wait()
            head = await self._heads.due()
            if head is not None:
                self._outbox.reply(pb.ConnectResponse(tree_head=head))

    async def _write(self, context: Context) -> None:
        while messages := await self._outbox.next():
            for message in messages:
                await context.write(message)


async def _message(context: Context) -> pb.ConnectRequest | None:
    """The next message, or None when the agent will send no more."""
    message: Any = await context.read()
    return message if isinstance(message, pb.ConnectRequest) else None


def _optional(message: Any, field: str) -> int | None:
    return getattr(message, field) if message.HasField(field) else None
