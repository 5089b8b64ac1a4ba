"""AgentService: agents, join tokens, approval, revocation, labels, modes, alarms, notices."""

import logging
from dataclasses import dataclass

from controller.errors import Revoked
from controller.ports.custody import AgentStanding
from controller.ports.postings import AgentReport
from controller.ports.storage import Worker
from controller.rpc.agent_messages import (
    Seen,
    agent_message,
    alarm_message,
    mode_of,
    notice_message,
)
from controller.rpc.enrol import Whereabouts
from controller.rpc.gate import caller
from controller.rpc.sessions import Sessions
from controller.rpc.status import Context
from controller.services.agents.admission import revoked_text
from controller.services.agents.agents import Agents
from controller.services.agents.duties import Duties
from controller.services.agents.enrol import Enrolment
from controller.services.agents.postings import Postings
from controller.services.agents.standings import Standings
from vedette.v1 import access_pb2 as pb
from vedette.v1 import access_pb2_grpc

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AgentServicer(access_pb2_grpc.AgentServiceServicer):
    """Lists agents, hands out join tokens, approves, revokes, labels, drains."""

    worker: Worker
    agents: Agents
    enrolment: Enrolment
    standings: Standings
    postings: Postings
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
        overview = self.postings.overview()
        found: list[pb.Agent] = []
        for record in self.agents.list():
            name = record.id
            message = agent_message(
                Seen(
                    record,
                    standings.get(name, AgentStanding(name)),
                    overview.reports.get(name, AgentReport(name)),
                    overview.postings.get(name),
                    overview.silent.get(name),
                )
            )
            message.connected = name in connected
            duty = self.duties.of(name, record.region)
            message.assignment_current = record.assignment_revision == duty.revision
            message.alarms = alarms.get(name, 0)
            found.append(message)
        return found

    async def GetAgent(  # noqa: N802 - gRPC's name
        self, request: pb.GetAgentRequest, context: Context
    ) -> pb.GetAgentResponse:
        """Everything that is known of one agent."""
        connected = self.sessions.connected()
        return await self.worker.run(lambda: self._shown(request.agent, connected))

    def _shown(self, agent: str, connected: frozenset[str]) -> pb.GetAgentResponse:
        record = self.agents.get(agent)
        listed = next(one for one in self._listed(connected) if one.id == record.id)
        report, duty = self.postings.report(agent), self.duties.of(agent, record.region)
        posting = self.postings.overview().postings.get(agent)
        return pb.GetAgentResponse(
            agent=listed,
            claimed=report.claimed,
            place=posting.place if posting else 0,
            others=self.postings.others(agent),
            assignment_revision=record.assignment_revision,
            assigned_revision=duty.revision,
            checks=len(duty.assignment.checks),
            anchors=len(duty.anchors),
            policy=report.policy,
            refused=report.refused,
            refused_orders=report.refused_orders,
            unrunnable=[
                pb.RefusedCheck(check=check, reason=reason) for check, reason in report.unrunnable
            ],
            unrunnable_count=report.unrunnable_count,
            missed_slots=report.missed_slots,
            spool_bytes=report.spool_bytes,
            clock_steps=report.clock_steps,
            protocol=report.protocol,
        )

    async def LabelAgent(  # noqa: N802 - gRPC's name
        self, request: pb.LabelAgentRequest, context: Context
    ) -> pb.LabelAgentResponse:
        """Labels of an agent, by which checks select it from now on."""
        actor, changes, remove = caller().actor, dict(request.set), list(request.remove)
        labels = await self.worker.run(
            lambda: self.postings.label(request.agent, changes, remove, actor)
        )
        self.sessions.refresh_assignment(request.agent)
        return pb.LabelAgentResponse(labels=labels)

    async def SetAgentMode(  # noqa: N802 - gRPC's name
        self, request: pb.SetAgentModeRequest, context: Context
    ) -> pb.SetAgentModeResponse:
        """The agent probes from now on, or does not."""
        actor, mode = caller().actor, mode_of(request.mode)
        others = await self.worker.run(
            lambda: self.postings.set_mode(request.agent, mode, request.reason, actor)
        )
        self.sessions.refresh_assignment(request.agent)
        fields = {"agent": request.agent, "mode": mode.value, "by": actor.name}
        log.info("agent.mode", extra=fields)
        is_connected = request.agent in self.sessions.connected()
        return pb.SetAgentModeResponse(others=others, connected=is_connected)

    async def ListNotices(  # noqa: N802 - gRPC's name
        self, request: pb.ListNoticesRequest, context: Context
    ) -> pb.ListNoticesResponse:
        """What people should know of agents, newest first."""
        found = await self.worker.run(
            lambda: self.postings.notices(include_ended=request.include_ended)
        )
        return pb.ListNoticesResponse(notices=[notice_message(one) for one in found])

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
        return pb.ListAlarmsResponse(alarms=[alarm_message(alarm) for alarm in found])

    async def ClearAlarms(  # noqa: N802 - gRPC's name
        self, request: pb.ClearAlarmsRequest, context: Context
    ) -> pb.ClearAlarmsResponse:
        """Somebody has seen to the alarms of an agent."""
        actor = caller().actor
        cleared = await self.worker.run(lambda: self.standings.clear_alarms(request.agent, actor))
        return pb.ClearAlarmsResponse(cleared=cleared)
