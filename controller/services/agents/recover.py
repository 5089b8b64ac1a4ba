"""Recovery: an agent whose certificate has ended gets the next one, against a signature of its evidence key."""

import datetime as dt
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from controller.errors import Rejected, Revoked
from controller.identity.authority import Authority
from controller.ports.agents import AgentRecord
from controller.ports.custody import MACHINE, Actor, AgentStanding, Alarm, AlarmKind, Standing
from controller.ports.storage import Storage, Transaction
from controller.services.agents.admission import revoked_text
from controller.services.agents.nonces import Nonces
from vedette.shared.limits import RECOVERIES_MAX, RECOVERY_PERIOD_US

PROOF_DOMAIN: Final = b"vedette.recover/v1\n"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plea:
    """What an agent shows to get its next certificate (RecoverRequest), and where it calls from."""

    agent: str
    nonce: bytes
    csr: bytes
    proof: bytes
    peer: str = ""

    @property
    def proved(self) -> bytes:
        """The bytes that the evidence key must have signed."""
        digest = hashlib.sha256(self.csr).digest()
        return PROOF_DOMAIN + self.nonce + digest + self.agent.encode()


class Recovery:
    """Challenges and recovers. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, authority: Authority, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._authority = authority
        self._now_us = now_us
        self._nonces = Nonces(now_us)

    def challenge(self, agent: str) -> bytes:
        """A nonce for the owner of the agent's evidence key: good for a minute, and once."""
        with self._storage.transaction() as tx:
            _known(tx, agent)
        return self._nonces.give(agent)

    def recover(self, plea: Plea) -> bytes:
        """The next certificate with its issuer (PEM); its serial is pending until it is used first.

        Rejected if the agent can still renew, was revoked, or recovered too often; the last is an alarm.
        """
        now_us = self._now_us()
        is_too_often = False
        chain = b""
        with self._storage.transaction() as tx:
            record = _known(tx, plea.agent)
            self._nonces.take(plea.agent, plea.nonce)
            _require_proof(plea, record)
            standing = tx.standing(plea.agent)
            if standing.standing is Standing.REVOKED:
                raise Revoked(revoked_text(plea.agent, standing.since_us, standing.reason))
            if record.certificate_ends_us > now_us:
                raise Rejected(
                    f"The certificate of agent {plea.agent} is still good: connect with it, and renew it."
                )
            counted = _counted(standing, now_us)
            if counted.recoveries > RECOVERIES_MAX:
                is_too_often = True
                detail = f"more than {RECOVERIES_MAX} recoveries in 30 days"
                tx.raise_alarm(
                    Alarm(
                        plea.agent, AlarmKind.RECOVERY, now_us, now_us, 1, detail, plea.peer
                    )
                )  # fmt: skip
            else:
                now = _EPOCH + dt.timedelta(microseconds=now_us)
                issued = self._authority.agent(plea.agent, plea.csr, now)
                tx.put_agent(replace(record, pending_serial=issued.serial))
                tx.put_standing(counted)
                actor = Actor(plea.agent, MACHINE, plea.peer)
                nth = f"{counted.recoveries} of {RECOVERIES_MAX} in 30 days"
                tx.record(actor.act(now_us, "agent.recover", plea.agent, nth))
                chain = issued.chain_pem
        # Raised outside: the alarm must not be rolled back with the refusal.
        if is_too_often:
            raise Rejected(
                f"Agent {plea.agent} recovered more than {RECOVERIES_MAX} times in 30 days: an admin lets"
                f" it go on with `vedette agent approve {plea.agent}`."
            )
        log.info("agent.recovered", extra={"agent": plea.agent, "peer": plea.peer})
        return chain


def _known(tx: Transaction, agent: str) -> AgentRecord:
    record = tx.agent(agent)
    if record is None:
        raise Rejected(f"There is no agent {agent[:80]} here; enrol it with a new join file.")
    return record


def _require_proof(plea: Plea, record: AgentRecord) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(record.evidence_key).verify(plea.proof, plea.proved)
    except (InvalidSignature, ValueError) as error:
        raise Rejected(
            "The proof does not match: expected the signature of this agent's evidence key over the"
            " challenge, the certificate request and the agent's id."
        ) from error


def _counted(standing: AgentStanding, now_us: int) -> AgentStanding:
    """One recovery more; counting starts again when the period is over."""
    is_over = now_us - standing.recoveries_since_us >= RECOVERY_PERIOD_US
    if is_over:
        return replace(standing, recoveries=1, recoveries_since_us=now_us)
    return replace(standing, recoveries=standing.recoveries + 1)
