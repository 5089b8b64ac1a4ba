"""A controller that does what a test says: a real gRPC server over real TLS on loopback.

It keeps lines in memory, acknowledges and refuses as it is told, and remembers what it heard.
"""

import asyncio
import datetime as dt
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from controller.identity.authority import Authority, new_issuing, new_root
from vedette.shared.note import parsed_note
from vedette.shared.seal import parsed_seal
from vedette.v1 import enrol_pb2, enrol_pb2_grpc, session_pb2, session_pb2_grpc

Key = tuple[str, str]
HOST: Final = "127.0.0.1"
AGENT: Final = "fra-1"
REGION: Final = "fra"
WAIT_SECONDS_MAX: Final = 30.0


class FakeAuthority:
    """A CA of one test, and the certificates that it gives."""

    def __init__(self) -> None:
        now = _now()
        root = new_root("test", now)
        self.authority = Authority(root.certificate, new_issuing(root, "test", now), "test")
        self.ca_pem = self.authority.root_pem
        self.age = dt.timedelta(0)

    def server(self, *names: str) -> tuple[bytes, bytes]:
        return self.authority.server(names, _now())

    def agent(self, csr: bytes, agent: str = AGENT) -> bytes:
        """A chain over the key in `csr`, made `age` ago."""
        return self.authority.agent(agent, csr, _now() - self.age).chain_pem


@dataclass
class Heard:
    """What came in one stream."""

    hello: session_pb2.Hello
    serial: int
    frames: list[session_pb2.Frame] = field(default_factory=list)
    assignment_acks: list[session_pb2.AssignmentAck] = field(default_factory=list)
    health: list[session_pb2.Health] = field(default_factory=list)
    is_open: bool = True


class FakeController(session_pb2_grpc.SessionServiceServicer, enrol_pb2_grpc.EnrolServiceServicer):
    """One controller. Its memory survives `stop` and `start`, as a database would."""

    def __init__(self, authority: FakeAuthority | None = None) -> None:
        self.authority = authority or FakeAuthority()
        self.names: tuple[str, ...] = ("localhost", HOST)
        self.port = 0
        self.enrol_port = 0
        self.lines: dict[Key, dict[int, bytes]] = {}
        self.durable: dict[Key, int] = {}
        self.lost: dict[Key, int] = {}
        self.doubled = 0
        self.takes_seals = True
        self.notes: dict[Key, dict[int, bytes]] = {}
        self.refuses_seal: Callable[[session_pb2.Seal], str] = lambda _: ""
        self.streams: list[Heard] = []
        self.assignment: session_pb2.Assignment | None = None
        self.tokens: dict[str, str] = {}
        self.token_error: tuple[grpc.StatusCode, str] | None = None
        self.enrolled: list[enrol_pb2.EnrolRequest] = []
        self.renewed = 0
        self.calls = 0
        self.clock_ahead_us = 0
        self.region = REGION
        self.refused_at_the_door: tuple[Any, ...] | None = None
        self.recovered = 0
        self.refuses_recovery: tuple[grpc.StatusCode, str] | None = None
        self.is_acking = True
        self.refuses: Callable[[session_pb2.Frame], session_pb2.Refusal | None] = lambda _: None
        self.answers_with: Callable[[], bytes] | None = None
        self._changed = asyncio.Condition()
        self._server: grpc.aio.Server | None = None
        self._writers: list[Callable[[session_pb2.ConnectResponse], Any]] = []
        self._nonces: set[bytes] = set()

    # --- running it

    async def start(self) -> None:
        """Listen; on the same ports as before, if there were any."""
        chain, key = self.authority.server(*self.names)
        server = self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        session_pb2_grpc.add_SessionServiceServicer_to_server(self, server)
        enrol_pb2_grpc.add_EnrolServiceServicer_to_server(self, server)
        pair = [(key, chain)]
        mutual = grpc.ssl_server_credentials(pair, self.authority.ca_pem, True)
        one_sided = grpc.ssl_server_credentials(pair)
        self.port = server.add_secure_port(f"{HOST}:{self.port}", mutual)
        self.enrol_port = server.add_secure_port(f"{HOST}:{self.enrol_port}", one_sided)
        await server.start()

    async def stop(self) -> None:
        """Die at once: open streams are cut."""
        assert self._server is not None
        await self._server.stop(0)
        self._writers.clear()
        for heard in self.streams:
            heard.is_open = False

    async def until(self, claim: Callable[[], object]) -> None:
        """Return when `claim` is true; it is looked at whenever something was heard."""
        async with asyncio.timeout(WAIT_SECONDS_MAX), self._changed:
            await self._changed.wait_for(lambda: bool(claim()))

    async def tell(self, message: session_pb2.ConnectResponse) -> None:
        """Say something on every open stream."""
        for write in list(self._writers):
            await write(message)

    async def assign(
        self, *definitions: bytes, secrets: Sequence[tuple[str, int, bytes]] = ()
    ) -> str:
        """Assign these checks; gives the revision."""
        checks = [
            session_pb2.AssignedCheck(definition=d, digest=hashlib.sha256(d).hexdigest())
            for d in definitions
        ]
        revision = hashlib.sha256(b"".join(definitions)).hexdigest()
        sealed = [session_pb2.SealedSecret(name=n, version=v, sealed=s) for n, v, s in secrets]
        self.assignment = session_pb2.Assignment(revision=revision, checks=checks, secrets=sealed)
        await self.tell(session_pb2.ConnectResponse(assignment=self.assignment))
        return revision

    def numbers(self, epoch: str, stream: str) -> list[int]:
        """The numbers of the lines that are held."""
        return sorted(self.lines.get((epoch, stream), {}))

    async def release(self) -> None:
        """Acknowledge from now on, and what was held back at once."""
        self.is_acking = True
        for key in list(self.durable):
            await self.tell(session_pb2.ConnectResponse(ack=self._ack(key)))

    # --- the session

    async def Connect(  # type: ignore[override] # noqa: N802 # the stubs do not know read and write
        self, request_iterator: Any, context: Any
    ) -> None:
        lock = asyncio.Lock()

        async def write(message: session_pb2.ConnectResponse) -> None:
            async with lock:
                await context.write(message)

        self.calls += 1
        await self._notify()
        if self.refused_at_the_door is not None:
            await context.abort(*self.refused_at_the_door)
        first = await context.read()
        shown = x509.load_pem_x509_certificate(context.auth_context()["x509_pem_cert"][0])
        heard = Heard(first.hello, shown.serial_number)
        welcome = session_pb2.Welcome(
            agent=AGENT,
            region=self.region,
            durable=self._positions(),
            tips=self._tips(),
            takes_seals=self.takes_seals,
        )
        await write(session_pb2.ConnectResponse(welcome=welcome))
        self._writers.append(write)
        self.streams.append(heard)
        await self._notify()
        if self.assignment is not None:
            await write(session_pb2.ConnectResponse(assignment=self.assignment))
        try:
            while isinstance(message := await context.read(), session_pb2.ConnectRequest):
                await self._take(message, heard, write)
                await self._notify()
        finally:
            heard.is_open = False
            if write in self._writers:
                self._writers.remove(write)
            await asyncio.shield(self._notify())

    async def _take(self, message: session_pb2.ConnectRequest, heard: Heard, write: Any) -> None:
        kind = message.WhichOneof("message")
        if kind == "frame":
            heard.frames.append(message.frame)
            answer = self._frame(message.frame)
            if answer is not None:
                await write(answer)
        elif kind == "clock_probe":
            now = time.time_ns() // 1000 + self.clock_ahead_us
            reply = session_pb2.ClockReply(
                agent_sent_us=message.clock_probe.agent_sent_us,
                controller_received_us=now,
                controller_sent_us=now,
            )
            await write(session_pb2.ConnectResponse(clock_reply=reply))
        elif kind == "seal":
            await write(self._seal(message.seal))
        elif kind == "assignment_ack":
            heard.assignment_acks.append(message.assignment_ack)
        elif kind == "health":
            heard.health.append(message.health)

    def _frame(self, frame: session_pb2.Frame) -> session_pb2.ConnectResponse | None:
        key = (frame.epoch, frame.stream)
        refusal = self.refuses(frame)
        durable = self.durable.get(key, 0)
        lines = frame.lines.splitlines(keepends=True)
        assert len(lines) == frame.count
        if refusal is None and frame.first_seq > durable + 1 + frame.lost:
            refusal = session_pb2.Refusal(resend_from=durable + 1, reason="a gap")
        if refusal is not None:
            refusal.epoch, refusal.stream = frame.epoch, frame.stream
            refusal.first_seq = frame.first_seq
            return session_pb2.ConnectResponse(refusal=refusal)
        held = self.lines.setdefault(key, {})
        self.lost[key] = self.lost.get(key, 0) + max(0, frame.first_seq - 1 - durable)
        for seq, line in enumerate(lines, frame.first_seq):
            self.doubled += seq in held
            assert held.setdefault(seq, line) == line, "one number, two lines"
        self.durable[key] = max(durable, frame.first_seq + frame.count - 1)
        return session_pb2.ConnectResponse(ack=self._ack(key)) if self.is_acking else None

    def _seal(self, seal: session_pb2.Seal) -> session_pb2.ConnectResponse:
        """Keep a seal whose lines are here; a number has one note only."""
        assert self.takes_seals
        key = (seal.epoch, seal.stream)
        covered = parsed_seal(parsed_note(seal.note).text.decode())
        assert (covered.number, covered.name.epoch, covered.name.stream) == (seal.number, *key)
        assert covered.payload.last <= self.durable.get(key, 0), "a seal came before its lines"
        reason = self.refuses_seal(seal)
        if reason:
            refusal = session_pb2.SealRefusal(
                epoch=seal.epoch, stream=seal.stream, number=seal.number, reason=reason
            )
            return session_pb2.ConnectResponse(seal_refusal=refusal)
        kept = self.notes.setdefault(key, {})
        assert kept.setdefault(seal.number, seal.note) == seal.note, "one number, two notes"
        place = session_pb2.Position(epoch=key[0], stream=key[1], seq=seal.number)
        return session_pb2.ConnectResponse(seal_ack=session_pb2.SealAck(durable=[place]))

    def _tips(self) -> list[session_pb2.SealTip]:
        return [
            session_pb2.SealTip(
                epoch=epoch,
                stream=stream,
                number=max(kept),
                sha256=hashlib.sha256(kept[max(kept)]).hexdigest(),
            )
            for (epoch, stream), kept in self.notes.items()
        ]

    def _ack(self, key: Key) -> session_pb2.Ack:
        position = session_pb2.Position(epoch=key[0], stream=key[1], seq=self.durable[key])
        return session_pb2.Ack(durable=[position])

    def _positions(self) -> list[session_pb2.Position]:
        return [
            session_pb2.Position(epoch=epoch, stream=stream, seq=seq)
            for (epoch, stream), seq in self.durable.items()
        ]

    async def Renew(self, request: session_pb2.RenewRequest, context: Any) -> Any:  # noqa: N802
        self.renewed += 1
        await self._notify()
        return session_pb2.RenewResponse(certificate_chain=self.authority.agent(request.csr))

    # --- enrolment

    async def Challenge(self, request: enrol_pb2.ChallengeRequest, context: Any) -> Any:  # noqa: N802
        if self.token_error is not None:
            await context.abort(*self.token_error)
        nonce = hashlib.sha256(str(len(self._nonces)).encode()).digest()
        self._nonces.add(nonce)
        return enrol_pb2.ChallengeResponse(nonce=nonce)

    async def Enrol(self, request: enrol_pb2.EnrolRequest, context: Any) -> Any:  # noqa: N802
        if self.tokens.pop(request.token_id, None) != request.token_secret:
            reason = "This join token was used already; ask for a new one."
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, reason)
        assert request.nonce in self._nonces
        proved = b"vedette.enrol/v1\n" + request.nonce + hashlib.sha256(request.csr).digest()
        Ed25519PublicKey.from_public_bytes(request.evidence_key).verify(
            request.proof, proved + request.sealing_key
        )
        self.enrolled.append(request)
        chain = self.answers_with() if self.answers_with else self.authority.agent(request.csr)
        return enrol_pb2.EnrolResponse(
            agent=AGENT,
            region=REGION,
            certificate_chain=chain,
            session_address=f"{HOST}:{self.port}",
        )

    async def ChallengeRecovery(  # noqa: N802
        self, request: enrol_pb2.ChallengeRecoveryRequest, context: Any
    ) -> Any:
        assert request.agent == AGENT
        return enrol_pb2.ChallengeRecoveryResponse(nonce=b"n" * 32)

    async def Recover(self, request: enrol_pb2.RecoverRequest, context: Any) -> Any:  # noqa: N802
        self.calls += 1
        await self._notify()
        if self.refuses_recovery is not None:
            await context.abort(*self.refuses_recovery)
        proved = b"vedette.recover/v1\n" + b"n" * 32 + hashlib.sha256(request.csr).digest()
        Ed25519PublicKey.from_public_bytes(self.enrolled[-1].evidence_key).verify(
            request.proof, proved + AGENT.encode()
        )
        self.recovered += 1
        return enrol_pb2.RecoverResponse(certificate_chain=self.authority.agent(request.csr))

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
