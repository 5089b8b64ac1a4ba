"""The composition: the only place that knows which concrete class stands behind each port."""

import asyncio
import logging
import random
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.capture.failure import FailureCapture
from agent.config import (
    ASSIGNMENT_FILE,
    CLOCK_FILE,
    SPOOL_DIRECTORY,
    claimed_labels,
    policy_stamp,
    site_policy,
)
from agent.core.accounts import SlotAccount
from agent.core.backoff import Backoff
from agent.core.gate import Gate
from agent.core.policy import Policy
from agent.errors import AgentError
from agent.link.cosigning import Cosigner, annex_line, witness_name
from agent.link.identity import Identity
from agent.link.log_witness import LOG_DIRECTORY, LogWitness
from agent.link.offset import MeasuredOffset
from agent.link.session import Parts
from agent.link.stream import Link
from agent.ports import Clock
from agent.probers.anchors import NetworkAnchors
from agent.probers.network.admission import Admission
from agent.probers.registry import probers_of
from agent.runtime.anchors import AnchorRounds, Voice
from agent.runtime.assignments import StoredAssignment
from agent.runtime.clock import SystemClock
from agent.runtime.executor import Executor
from agent.runtime.kernel_clock import kernel_clock
from agent.runtime.keyring import Keyring, secretive
from agent.runtime.pipeline import Pipeline, Who
from agent.runtime.site import SitePolicy
from agent.spool.queue import DiskSpool
from agent.spool.sealer import Sealer, Signer, Witness
from vedette.shared.limits import (
    LAUNCH_LAG_US_MAX,
    RECONNECT_SECONDS_MAX,
    RECONNECT_SECONDS_MIN,
    SEAL_EVERY_SECONDS,
)

_LEAVE_SECONDS_MAX: Final = 6.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What may be chosen when an agent is started. `is_witness`: it signs the heads of the log that it takes."""

    state: Path
    version: str
    spool_bytes_max: int
    seal_every_seconds: float = SEAL_EVERY_SECONDS
    is_witness: bool = False
    clock: Clock = field(default_factory=SystemClock)


class Agent:
    """One agent, put together. `run` lasts until a signal, or until it cannot go on (Fatal)."""

    def __init__(self, options: Options) -> None:
        self._identity = Identity.load(options.state)
        self._identity.require_in_service()
        facts = self._identity.facts
        clock = options.clock
        user_agent = f"vedette-agent/{options.version} ({facts.agent})"
        state = options.state
        self._site = SitePolicy(lambda: site_policy(state), lambda: policy_stamp(state))
        gate = Gate(self._site.policy)
        self._admission = Admission(
            self._site.policy, meter=lambda address: gate.connect(address, clock.monotonic_us())
        )
        keyring = Keyring(facts.agent, self._identity.sealing_key())
        open_probers = probers_of(self._admission, user_agent)
        probers = secretive(open_probers, keyring)
        executor = Executor(probers, clock)
        self._offset = MeasuredOffset(
            clock, options.state / CLOCK_FILE, is_synced=lambda: kernel_clock().is_synced
        )
        self._spool = DiskSpool.open(
            options.state / SPOOL_DIRECTORY, bytes_max=options.spool_bytes_max
        )
        account = SlotAccount(LAUNCH_LAG_US_MAX)
        self._anchors = AnchorRounds(
            Voice(facts.agent, facts.region, self._spool, clock, self._offset),
            NetworkAnchors(open_probers, _endpoint(facts.session_address)),
        )
        self._pipeline = Pipeline(
            Who(facts.agent, facts.region),
            executor,
            self._spool,
            clock=clock,
            offset=self._offset,
            stored=StoredAssignment(options.state / ASSIGNMENT_FILE),
            capture=FailureCapture(probers, self._admission, user_agent),
            keyring=keyring,
            account=account,
            gate=gate,
            anchors=self._anchors,
        )
        self._sealer = self._sealer_of(options, account)
        parts = Parts(
            agent=facts.agent,
            region=facts.region,
            spool=self._spool,
            duties=self._pipeline,
            offset=self._offset,
            clock=clock,
            version=options.version,
            can_probe=tuple(sorted(executor.kinds)),
            seals=self._sealer,
            labels=claimed_labels(state),
            log=LogWitness(
                state / LOG_DIRECTORY, self._identity.organisation(), self._cosigner_of(options)
            ),
        )
        self._link = Link(
            self._identity,
            parts,
            waits=Backoff(RECONNECT_SECONDS_MIN, RECONNECT_SECONDS_MAX),
            chance=random.random,
        )
        self._stopping = asyncio.Event()
        self._site.changed = self._enforce

    def _sealer_of(self, options: Options, account: SlotAccount) -> Sealer:
        return Sealer(
            self._spool,
            options.state / SPOOL_DIRECTORY,
            Signer(
                self._identity.organisation(),
                self._identity.facts.agent,
                self._identity.evidence_key(),
            ),
            Witness(
                account,
                self._pipeline.in_force,
                options.clock,
                self._offset,
                lambda: self._offset.is_synced,
            ),
            every_seconds=options.seal_every_seconds,
        )

    def _cosigner_of(self, options: Options) -> Cosigner | None:
        if not options.is_witness:
            return None
        name = witness_name(self._identity.organisation(), self._identity.facts.agent)
        cosigner = Cosigner.opened(options.state, name, options.clock)
        _log.info("witness.ready", extra={"annex": annex_line(cosigner.verifier)})
        return cosigner

    def reread_policy(self) -> None:
        """The site's owner may have changed its policy: look now."""
        self._site.reread()

    def _enforce(self, policy: Policy) -> None:
        self._admission.policy = policy
        self._pipeline.enforce(policy)
        self._link.tell()

    def stop(self) -> None:
        """Finish what is under way, send what can be sent, and end."""
        self._stopping.set()

    async def run(self) -> None:
        """Probe, keep and send until `stop`."""
        facts = self._identity.facts
        fields = {"agent": facts.agent, "region": facts.region, "epoch": self._spool.epoch}
        _log.info("agent.started", extra=fields)
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._spool.run())
                sealing = group.create_task(self._sealer.run())
                probing = group.create_task(self._pipeline.run())
                looking = group.create_task(self._watch())
                linking = group.create_task(self._link.run())
                await self._stopping.wait()
                _log.info("agent.stopping")
                for task in (probing, looking):
                    task.cancel()
                await asyncio.wait([probing, looking])
                self._sealer.stop()
                await asyncio.wait([sealing])
                self._link.leave()
                await asyncio.wait([linking], timeout=_LEAVE_SECONDS_MAX)
                linking.cancel()
                keeping.cancel()
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        finally:
            await self._offset.save(is_last=True)
            await self._spool.close()
        _log.info("agent.stopped")

    async def _watch(self) -> None:
        """Look after the site's policy and this agent's own network."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._site.run())
            group.create_task(self._anchors.run())


def _endpoint(address: str) -> tuple[str, int]:
    """Host and port of where the controller is."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _first(errors: BaseExceptionGroup) -> BaseException:
    """The error that ended the process: one of ours if there is one, for it has a sentence."""
    ours, others = errors.split(AgentError)
    found: BaseException | None = ours or others
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert found is not None
    return found


async def run_agent(options: Options) -> None:
    """Run an agent until SIGTERM or SIGINT. AgentError says why it could not go on."""
    agent = Agent(options)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, agent.stop)
    loop.add_signal_handler(signal.SIGHUP, agent.reread_policy)
    await agent.run()
