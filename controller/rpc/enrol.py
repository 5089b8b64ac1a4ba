"""EnrolService: machines become agents, and agents whose certificate has ended come back. No token of a person."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from controller.ports.storage import Worker
from controller.rpc.status import Context
from controller.services.agents.enrol import Application, Enrolment
from controller.services.agents.recover import Plea, Recovery
from vedette.v1 import enrol_pb2, enrol_pb2_grpc

_SECRET_CHARS_MAX: Final = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What others are told about this controller. The addresses are known once the ports are."""

    ca_pem: bytes
    version: str
    enrol_address: Callable[[], str]
    session_address: Callable[[], str]


@dataclass(frozen=True, slots=True)
class EnrolServicer(enrol_pb2_grpc.EnrolServiceServicer):
    """Turns a join token into an identity, and an evidence key into the next certificate."""

    worker: Worker
    enrolment: Enrolment
    recovery: Recovery
    whereabouts: Whereabouts

    async def Challenge(  # noqa: N802 - gRPC's name
        self, request: enrol_pb2.ChallengeRequest, context: Context
    ) -> enrol_pb2.ChallengeResponse:
        """A nonce to sign."""
        nonce = await self.worker.run(lambda: self.enrolment.challenge(request.token_id))
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
            peer=str(context.peer()),
        )
        enrolled = await self.worker.run(lambda: self.enrolment.enrol(application))
        log.info("agent.enrolled", extra={"agent": enrolled.agent, "region": enrolled.region})
        return enrol_pb2.EnrolResponse(
            agent=enrolled.agent,
            region=enrolled.region,
            certificate_chain=enrolled.chain_pem,
            session_address=self.whereabouts.session_address(),
        )

    async def ChallengeRecovery(  # noqa: N802 - gRPC's name
        self, request: enrol_pb2.ChallengeRecoveryRequest, context: Context
    ) -> enrol_pb2.ChallengeRecoveryResponse:
        """A nonce for an agent whose certificate has ended."""
        nonce = await self.worker.run(lambda: self.recovery.challenge(request.agent))
        return enrol_pb2.ChallengeRecoveryResponse(nonce=nonce)

    async def Recover(  # noqa: N802 - gRPC's name
        self, request: enrol_pb2.RecoverRequest, context: Context
    ) -> enrol_pb2.RecoverResponse:
        """The next certificate of an agent that signs with its evidence key."""
        plea = Plea(
            request.agent, request.nonce, request.csr, request.proof, str(context.peer())
        )  # fmt: skip
        chain = await self.worker.run(lambda: self.recovery.recover(plea))
        return enrol_pb2.RecoverResponse(certificate_chain=chain)
