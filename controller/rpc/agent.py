"""AgentService: agents, join tokens, approval, revocation, alarms."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from controller.custody import AgentStanding, Alarm, Standing
from controller.errors import Revoked
from controller.ports import AgentRecord, Worker
from controller.rpc.enrol import Whereabouts
from controller.rpc.gate import caller
from controller.rpc.sessions import Sessions
from controller.rpc.status import Context
from controller.services.admission import revoked_text
from controller.services.agents import Agents
from controller.services.duties import Duties
from controller.services.enrol import Enrolment
from controller.services.standings import Standings
from vedette.v1 import access_pb2 as pb
from vedette.v1 import access_pb2_grpc

_STANDINGS: Final[Mapping[Standing, "pb.AgentStanding.ValueType"]] = {
    Standing.PENDING: pb.AGENT_STANDING_PENDING,
    Standing.APPROVED: pb.AGENT_STANDING_APPROVED,
    Standing.REVOKED: pb.AGENT_STANDING_REVOKED,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AgentServicer(access_pb2_grpc.AgentServiceServicer):
    """Lists agents, hands out join tokens, approves and revokes."""

    worker: Worker
    agents: Agents
    enrolment: Enrolment
    standings: Standings
    duties: Duties
    sessions: Sessions
    whereabouts: Whereabouts

    async def ListAgents(  # noqa: N802 - gRPC's name
        self, request: pb.ListAgentsRequest, context: Context
    ) -> pb.ListAgentsResponse:
        """Every agent, by id."""
        connected = self.sessions.connected()
        return pb.ListAgentsResponse(agents=await self.worker.run(lambda: self._listed(connected)))

    def _listed(self, connected: frozenset[str]) -> list[pb.Agent]:
        standings, alarms = self.standings.all()
        found: list[pb.Agent] = []
        for record in self.agents.list():
            message = _agent(record, standings.get(record.id, AgentStanding(record.id)))
            message.connected = record.id in connected
            duty = self.duties.of(record.id, record.region)
            message.assignment_current = record.assignment_revision == duty.revision
            message.alarms = alarms.get(record.id, 0)
            found.append(message)
        return found

    async def CreateJoinToken(  # noqa: N802 - gRPC's name
        self, request: pb.CreateJoinTokenRequest, context: Context
    ) -> pb.CreateJoinTokenResponse:
        """What a join file is made of."""
        actor = caller().actor
        token = await self.worker.run(
            lambda: self.enrolment.create_join_token(
                request.region, request.ttl_us, actor, needs_approval=request.needs_approval
            )
        )
        log.info(
            "token.created", extra={"token": token.id, "region": request.region, "by": actor.name}
        )
        return pb.CreateJoinTokenResponse(
            token_id=token.id,
            token_secret=token.secret,
            expires_us=token.expires_us,
            ca_certificate=self.whereabouts.ca_pem,
            enrol_address=self.whereabouts.enrol_address(),
        )

    async def ApproveAgent(  # noqa: N802 - gRPC's name
        self, request: pb.ApproveAgentRequest, context: Context
    ) -> pb.ApproveAgentResponse:
        """The agent probes and votes from now on, and may recover again."""
        actor = caller().actor
        await self.worker.run(lambda: self.standings.approve(request.agent, actor))
        self.sessions.refresh_assignment(request.agent)
        log.info("agent.approved", extra={"agent": request.agent, "by": actor.name})
        return pb.ApproveAgentResponse()

    async def RevokeAgent(  # noqa: N802 - gRPC's name
        self, request: pb.RevokeAgentRequest, context: Context
    ) -> pb.RevokeAgentResponse:
        """The agent is refused from now on; its stream ends at once."""
        actor = caller().actor
        standing = await self.worker.run(
            lambda: self.standings.revoke(request.agent, request.reason, actor)
        )
        told = revoked_text(request.agent, standing.since_us, standing.reason)
        was_connected = self.sessions.cut(request.agent, Revoked(told))
        log.warning(
            "agent.revoked", extra={"agent": request.agent, "by": actor.name, "reason": told}
        )
        return pb.RevokeAgentResponse(revoked_us=standing.since_us, was_connected=was_connected)

    async def ListAlarms(  # noqa: N802 - gRPC's name
        self, request: pb.ListAlarmsRequest, context: Context
    ) -> pb.ListAlarmsResponse:
        """What makes identities doubtful, newest first."""
        found = await self.worker.run(
            lambda: self.standings.alarms(include_cleared=request.include_cleared)
        )
        return pb.ListAlarmsResponse(alarms=[_alarm(alarm) for alarm in found])

    async def ClearAlarms(  # noqa: N802 - gRPC's name
        self, request: pb.ClearAlarmsRequest, context: Context
    ) -> pb.ClearAlarmsResponse:
        """Somebody has seen to the alarms of an agent."""
        actor = caller().actor
        cleared = await self.worker.run(lambda: self.standings.clear_alarms(request.agent, actor))
        return pb.ClearAlarmsResponse(cleared=cleared)


def _agent(record: AgentRecord, standing: AgentStanding) -> pb.Agent:
    return pb.Agent(
        id=record.id,
        region=record.region,
        hostname=record.hostname,
        enrolled_us=record.enrolled_us,
        seen_us=record.seen_us,
        version=record.version,
        clock_offset_us=record.clock_offset_us,
        clock_error_us=record.clock_error_us,
        lines=record.lines,
        lost=record.lost,
        spool_lines=record.spool_lines,
        certificate_ends_us=record.certificate_ends_us,
        standing=_STANDINGS[standing.standing],
        standing_since_us=standing.since_us,
        standing_reason=standing.reason,
        recoveries=standing.recoveries,
    )


def _alarm(alarm: Alarm) -> pb.Alarm:
    return pb.Alarm(
        agent=alarm.agent,
        kind=alarm.kind.value,
        first_us=alarm.first_us,
        last_us=alarm.last_us,
        count=alarm.count,
        detail=alarm.detail,
        peer=alarm.peer,
        cleared_us=alarm.cleared_us,
    )
