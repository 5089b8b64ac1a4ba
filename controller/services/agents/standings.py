"""What agents may do: approving, revoking, and the alarms about them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from controller.errors import BadInput, NotFound, Rejected
from controller.ports.agents import AgentRecord
from controller.ports.custody import Actor, AgentStanding, Alarm, Standing
from controller.ports.storage import Storage, Transaction
from controller.services.agents.secrets import Secrets
from vedette.shared.limits import REASON_CHARS_MAX


class Standings:
    """Approves and revokes. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, secrets: Secrets, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._secrets = secrets
        self._now_us = now_us

    def approve(self, agent: str, by: Actor) -> AgentStanding:
        """Let an agent probe and vote, with the secrets that can be given to it; it may recover again."""
        now = self._now_us()
        with self._storage.transaction() as tx:
            record, standing = _known(tx, agent)
            if standing.standing is Standing.REVOKED:
                raise Rejected(
                    f"Agent {agent} was revoked, which is for good: enrol its machine again with a new"
                    " join file."
                )
            if standing.standing is Standing.PENDING:
                self._secrets.give(tx, record)
                standing = AgentStanding(agent, Standing.APPROVED, now, by.name)
            standing = replace(standing, recoveries=0, recoveries_since_us=now)
            tx.put_standing(standing)
            tx.record(by.act(now, "agent.approve", agent))
        return standing

    def revoke(self, agent: str, reason: str, by: Actor) -> AgentStanding:
        """Refuse an agent from now on, for good. One that was revoked before stays as it is."""
        reason = reason.strip()
        if not reason or len(reason) > REASON_CHARS_MAX or not reason.isprintable():
            raise BadInput(
                f"Expected a reason of 1 to {REASON_CHARS_MAX} printable characters: it stands in the"
                " ledger, and the site is told."
            )
        now = self._now_us()
        with self._storage.transaction() as tx:
            _, standing = _known(tx, agent)
            if standing.standing is Standing.REVOKED:
                return standing
            standing = replace(
                standing, standing=Standing.REVOKED, since_us=now, by=by.name, reason=reason
            )
            tx.put_standing(standing)
            self._secrets.take_back(tx, agent)
            tx.record(by.act(now, "agent.revoke", agent, reason))
        return standing

    def all(self) -> tuple[Mapping[str, AgentStanding], Mapping[str, int]]:
        """Every standing that was noted, and the number of open alarms, both by agent."""
        with self._storage.transaction() as tx:
            standings, alarms = tx.standings(), tx.alarms()
        open_alarms: dict[str, int] = {}
        for alarm in alarms:
            if alarm.cleared_us is None:
                open_alarms[alarm.agent] = open_alarms.get(alarm.agent, 0) + 1
        return standings, open_alarms

    def alarms(self, *, include_cleared: bool = False) -> Sequence[Alarm]:
        """Alarms that nobody has cleared (or all), newest first."""
        with self._storage.transaction() as tx:
            return [a for a in tx.alarms() if include_cleared or a.cleared_us is None]

    def clear_alarms(self, agent: str, by: Actor) -> int:
        """Note that somebody has seen to the alarms of an agent; how many there were."""
        now = self._now_us()
        with self._storage.transaction() as tx:
            _known(tx, agent)
            cleared = tx.clear_alarms(agent, now)
            if cleared:
                tx.record(by.act(now, "alarm.clear", agent, f"{cleared} alarms"))
        return cleared


def _known(tx: Transaction, agent: str) -> tuple[AgentRecord, AgentStanding]:
    record = tx.agent(agent)
    if record is None:
        raise NotFound(f"There is no agent {agent[:80]}.")
    return record, tx.standing(agent)
