"""Who may speak as an agent: serial, standing and instance, looked at on every call and every so many messages.

One serial is active and one may be pending. Anything else under an agent's name is a stale copy or a thief:
it is refused, and an alarm is kept.
"""

import datetime as dt
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from controller.errors import NotFound, Rejected, Revoked
from controller.identity.authority import Authority, IssuedCertificate
from controller.ports.agents import AgentRecord
from controller.ports.custody import Alarm, AlarmKind, Standing
from controller.ports.storage import Storage, Transaction

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FORMER_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Claim:
    """What a connection shows: the agent, its certificate, and where it comes from."""

    agent: str
    serial: str
    certificate_ends_us: int
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """An agent that may speak, and what it may do."""

    record: AgentRecord
    standing: Standing


class _Processes:
    """The processes of one agent that said hello: the present one, and those that it replaced."""

    def __init__(self) -> None:
        self.present = ""
        self.former: deque[str] = deque(maxlen=_FORMER_MAX)


class Admission:
    """Admits agents and renews their certificates. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, authority: Authority, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._authority = authority
        self._now_us = now_us
        self._processes: dict[str, _Processes] = {}

    def admit(self, claim: Claim) -> Admitted:
        """The agent that shows this certificate; a pending serial becomes the active one.

        Rejected if the serial is neither: the agent was replaced, or this is a copy of its keys. Revoked
        says that it need not come again.
        """
        is_known = True
        with self._storage.transaction() as tx:
            record = tx.agent(claim.agent)
            if record is None:
                raise Rejected(
                    f"There is no agent {claim.agent} here; enrol it with a new join file."
                )
            standing = tx.standing(claim.agent)
            if standing.standing is Standing.REVOKED:
                raise Revoked(revoked_text(claim.agent, standing.since_us, standing.reason))
            if claim.serial == record.pending_serial:
                record = replace(
                    record,
                    active_serial=claim.serial,
                    pending_serial=None,
                    certificate_ends_us=claim.certificate_ends_us,
                )
                tx.put_agent(record)
            elif claim.serial != record.active_serial:
                is_known = False
                shown = f"a certificate with serial {claim.serial}, which was replaced"
                self._raise_alarm(tx, claim, AlarmKind.CLONE_SERIAL, shown)
        # Raised outside: the alarm must not be rolled back with the refusal.
        if not is_known:
            raise Rejected(
                f"The certificate of agent {claim.agent} was replaced by a newer one: if this machine"
                " is not a stale copy, enrol it again with a new join file."
            )
        return Admitted(record, standing.standing)

    def hello(self, claim: Claim, instance: str) -> None:
        """Note which process of the agent speaks. Rejected if another one has taken its place.

        A process that was replaced is dead, unless two machines hold one identity: then it comes again.
        """
        if not instance:
            return
        known = self._processes.setdefault(claim.agent, _Processes())
        if instance in known.former:
            with self._storage.transaction() as tx:
                detail = "two machines hold this identity and take turns"
                self._raise_alarm(tx, claim, AlarmKind.CLONE_INSTANCE, detail)
            raise Rejected(
                f"Another machine runs as agent {claim.agent} with the same keys: stop one of them. If"
                " it is not yours, revoke the agent and join again with a new join file."
            )
        if instance != known.present:
            if known.present:
                known.former.append(known.present)
            known.present = instance

    def renew(self, agent: str, csr: bytes) -> IssuedCertificate:
        """The next certificate of `agent`. Its serial is pending until it is used first."""
        now = _EPOCH + dt.timedelta(microseconds=self._now_us())
        with self._storage.transaction() as tx:
            record = tx.agent(agent)
            if record is None:
                raise NotFound(f"There is no agent {agent}.")
            issued = self._authority.agent(agent, csr, now)
            tx.put_agent(replace(record, pending_serial=issued.serial))
        return issued

    def _raise_alarm(self, tx: Transaction, claim: Claim, kind: AlarmKind, detail: str) -> None:
        now = self._now_us()
        tx.raise_alarm(Alarm(claim.agent, kind, now, now, 1, detail, claim.peer))


def revoked_text(agent: str, since_us: int, reason: str) -> str:
    """What a revoked agent is told."""
    since = _EPOCH + dt.timedelta(microseconds=since_us)
    return f"Agent {agent} was revoked at {since:%Y-%m-%dT%H:%M:%SZ}: {reason}"
