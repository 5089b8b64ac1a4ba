"""A site with an agent on it, as tests need one: joined, with a spool, a link, and results to send."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from agent.core.accounts import SlotAccount
from agent.link.enrol import join
from agent.link.identity import Identity
from agent.link.join_file import JoinFile
from agent.link.offset import MeasuredOffset
from agent.link.session import Parts
from agent.link.stream import Link
from agent.ports import Assignment, SiteReport, Unrunnable
from agent.runtime.clock import SystemClock
from agent.spool.queue import DiskSpool
from agent.spool.sealer import Sealer, Signer, Witness
from tests.fakes.controller import AGENT, HOST, REGION, FakeController
from vedette.shared.result import Outcome, ResultLine, Trigger, encode_line


class AtOnce:
    """Waits that are over."""

    def wait_seconds(self, failures: int, chance: float) -> float:
        return 0.01


@dataclass
class Duties:
    """What the controller asked for."""

    revision: str = ""
    missed_slots: int = 3
    adopted: list[Assignment] = field(default_factory=list)
    orders: list[tuple[list[str], Trigger]] = field(default_factory=list)
    ordered: asyncio.Event = field(default_factory=asyncio.Event)

    async def adopt(self, assignment: Assignment) -> Sequence[Unrunnable]:
        self.adopted.append(assignment)
        self.revision = assignment.revision
        return [Unrunnable("odd", "this agent cannot run tcp probes")]

    def report(self) -> SiteReport:
        return SiteReport("public addresses", refused={"policy_port": 2})

    def probe_now(self, checks: Sequence[str], trigger: Trigger) -> None:
        self.orders.append((list(checks), trigger))
        self.ordered.set()


@dataclass
class Machine:
    """A running link over a real spool."""

    spool: DiskSpool
    link: Link
    duties: Duties
    offset: MeasuredOffset
    identity: Identity
    sealer: Sealer
    running: list[asyncio.Task[None]]

    def write(self, count: int, stream: str = "shop", pad: int = 0) -> None:
        """Append result lines as the pipeline does."""
        for _ in range(count):
            seq = self.spool.next_seq(stream)
            self.spool.append(stream, seq, result_line(self.spool.epoch, stream, seq, pad))

    @property
    def key(self) -> tuple[str, str]:
        return (self.spool.epoch, "shop")


def result_line(epoch: str, stream: str, seq: int, pad: int = 0) -> bytes:
    return encode_line(
        ResultLine(
            agent=AGENT,
            epoch=epoch,
            stream=stream,
            seq=seq,
            check="home",
            region=REGION,
            at=seq,
            outcome=Outcome.UP,
            detail="x" * pad or None,
        )
    )


def join_file_for(controller: FakeController, token: str = "t1") -> JoinFile:
    controller.tokens[token] = "secret"
    return JoinFile(
        version=1,
        address=f"{HOST}:{controller.enrol_port}",
        token_id=token,
        token_secret="secret",
        ca_certificate=controller.authority.ca_pem.decode(),
    )


@asynccontextmanager
async def machine(
    controller: FakeController, state: Path, *, port: int | None = None
) -> AsyncIterator[Machine]:
    """An agent's link to `controller` (through `port`, if given), running until the end of the block."""
    if not (state / "identity").exists():
        await join(join_file_for(controller), state)
    identity = Identity.load(state)
    if port is not None:
        identity.facts = msgspec.structs.replace(identity.facts, session_address=f"{HOST}:{port}")
    clock, duties = SystemClock(), Duties()
    spool = DiskSpool.open(state / "spool")
    offset = MeasuredOffset(clock)
    signer = Signer(identity.organisation(), AGENT, identity.evidence_key())
    witness = Witness(SlotAccount(0), dict, clock, offset)
    sealer = Sealer(spool, state / "spool", signer, witness)
    parts = Parts(AGENT, REGION, spool, duties, offset, clock, "9.9", ("http",), seals=sealer)
    link = Link(identity, parts, waits=AtOnce(), chance=lambda: 0.5)
    running = [asyncio.create_task(spool.run()), asyncio.create_task(link.run())]
    try:
        yield Machine(spool, link, duties, offset, identity, sealer, running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await spool.close()
