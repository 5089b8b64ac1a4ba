"""The people's services that are about agents and access, and enrolment; the same listener serves all."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from controller.ports import AgentRecord, Worker
from controller.rpc.gate import caller
from controller.rpc.sessions import Sessions
from controller.rpc.status import Context
from controller.services.agents import Agents
from controller.services.apply import Fleets
from controller.services.enrol import Application, Enrolment
from vedette.v1 import access_pb2, access_pb2_grpc, enrol_pb2, enrol_pb2_grpc

_SECRET_CHARS_MAX: Final = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What others are told about this controller. The addresses are known once the ports are."""

    ca_pem: bytes
    version: str
    enrol_address: Callable[[], str]
    session_address: Callable[[], str]


class EnrolServicer(enrol_pb2_grpc.EnrolServiceServicer):
    """Turns a join token into an identity."""

    def __init__(self, worker: Worker, enrolment: Enrolment, whereabouts: Whereabouts) -> None:
        self._worker = worker
        self._enrolment = enrolment
        self._whereabouts = whereabouts

    async def Challenge(  # noqa: N802 - gRPC's name
        self, request: enrol_pb2.ChallengeRequest, context: Context
    ) -> enrol_pb2.ChallengeResponse:
        """A nonce to sign."""
        nonce = await self._worker.run(lambda: self._enrolment.challenge(request.token_id))
        return enrol_pb2.ChallengeResponse(nonce=nonce)

    async def Enrol(  # noqa: N802 - gRPC's name
        self, request: enrol_pb2.EnrolRequest, context: Context
    ) -> enrol_pb2.EnrolResponse:
        """An identity for the machine that calls."""
        application = Application(
            token_id=request.token_id,
            token_secret=request.token_secret[:_SECRET_CHARS_MAX],
            nonce=request.nonce,
            csr=request.csr,
            evidence_key=request.evidence_key,
            sealing_key=request.sealing_key,
            proof=request.proof,
            hostname=request.hostname,
        )
        enrolled = await self._worker.run(lambda: self._enrolment.enrol(application))
        log.info("agent.enrolled", extra={"agent": enrolled.agent, "region": enrolled.region})
        return enrol_pb2.EnrolResponse(
            agent=enrolled.agent,
            region=enrolled.region,
            certificate_chain=enrolled.chain_pem,
            session_address=self._whereabouts.session_address(),
        )


class AccessServicer(access_pb2_grpc.AccessServiceServicer):
    """Tells callers who they are."""

    def __init__(self, whereabouts: Whereabouts) -> None:
        self._whereabouts = whereabouts

    async def WhoAmI(  # noqa: N802 - gRPC's name
        self, request: access_pb2.WhoAmIRequest, context: Context
    ) -> access_pb2.WhoAmIResponse:
        """Name and role of the caller."""
        person = caller()
        return access_pb2.WhoAmIResponse(
            name=person.name,
            role=person.role.value,
            expires_us=person.expires_us,
            controller_version=self._whereabouts.version,
        )


@dataclass(frozen=True, slots=True)
class AgentServicer(access_pb2_grpc.AgentServiceServicer):
    """Lists agents and hands out join tokens."""

    worker: Worker
    agents: Agents
    enrolment: Enrolment
    fleets: Fleets
    sessions: Sessions
    whereabouts: Whereabouts

    async def ListAgents(  # noqa: N802 - gRPC's name
        self, request: access_pb2.ListAgentsRequest, context: Context
    ) -> access_pb2.ListAgentsResponse:
        """Every agent, by id."""
        connected = self.sessions.connected()

        def listed() -> list[access_pb2.Agent]:
            return [
                _agent_message(
                    record,
                    connected=record.id in connected,
                    current=record.assignment_revision
                    == self.fleets.assignment_for(record.region).revision,
                )
                for record in self.agents.list()
            ]

        return access_pb2.ListAgentsResponse(agents=await self.worker.run(listed))

    async def CreateJoinToken(  # noqa: N802 - gRPC's name
        self, request: access_pb2.CreateJoinTokenRequest, context: Context
    ) -> access_pb2.CreateJoinTokenResponse:
        """What a join file is made of."""
        person = caller()
        token = await self.worker.run(
            lambda: self.enrolment.create_join_token(request.region, request.ttl_us, person.name)
        )
        log.info(
            "token.created", extra={"token": token.id, "region": request.region, "by": person.name}
        )
        return access_pb2.CreateJoinTokenResponse(
            token_id=token.id,
            token_secret=token.secret,
            expires_us=token.expires_us,
            ca_certificate=self.whereabouts.ca_pem,
            enrol_address=self.whereabouts.enrol_address(),
        )


def _agent_message(record: AgentRecord, *, connected: bool, current: bool) -> access_pb2.Agent:
    return access_pb2.Agent(
        id=record.id,
        region=record.region,
        hostname=record.hostname,
        enrolled_us=record.enrolled_us,
        seen_us=record.seen_us,
        connected=connected,
        version=record.version,
        clock_offset_us=record.clock_offset_us,
        clock_error_us=record.clock_error_us,
        lines=record.lines,
        lost=record.lost,
        spool_lines=record.spool_lines,
        certificate_ends_us=record.certificate_ends_us,
        assignment_current=current,
    )
