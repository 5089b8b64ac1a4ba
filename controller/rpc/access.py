"""AccessService: people's tokens, and the ledger of what was done."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from controller.errors import BadInput
from controller.identity.roles import Role
from controller.ports.people import PersonToken
from controller.ports.storage import Worker
from controller.rpc.enrol import Whereabouts
from controller.rpc.gate import caller
from controller.rpc.status import Context
from controller.services.people.access import Access
from controller.services.people.ledger import Ledger
from vedette.v1 import access_pb2, access_pb2_grpc

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AccessServicer(access_pb2_grpc.AccessServiceServicer):
    """Tells callers who they are, and admins and auditors who may do and did what."""

    worker: Worker
    access: Access
    ledger: Ledger
    whereabouts: Whereabouts

    async def WhoAmI(  # noqa: N802 - gRPC's name
        self, request: access_pb2.WhoAmIRequest, context: Context
    ) -> access_pb2.WhoAmIResponse:
        """Name and role of the caller."""
        person = caller()
        return access_pb2.WhoAmIResponse(
            name=person.name,
            role=person.role.value,
            expires_us=person.expires_us,
            controller_version=self.whereabouts.version,
            contracts=person.contracts,
        )

    async def CreateToken(  # noqa: N802 - gRPC's name
        self, request: access_pb2.CreateTokenRequest, context: Context
    ) -> access_pb2.CreateTokenResponse:
        """A token for a person, shown once."""
        role, actor = _role(request.role), caller().actor
        text, expires_us = await self.worker.run(
            lambda: self.access.create_token(
                request.name, role, request.ttl_us, actor, contracts=request.contracts
            )
        )
        token_id = text.split("_")[1]
        log.info("token.created", extra={"token": token_id, "role": role, "by": actor.name})
        return access_pb2.CreateTokenResponse(id=token_id, token=text, expires_us=expires_us)

    async def ListTokens(  # noqa: N802 - gRPC's name
        self, request: access_pb2.ListTokensRequest, context: Context
    ) -> access_pb2.ListTokensResponse:
        """Every token that was made, without secrets."""
        tokens = await self.worker.run(self.access.tokens)
        return access_pb2.ListTokensResponse(tokens=_tokens(tokens))

    async def RevokeToken(  # noqa: N802 - gRPC's name
        self, request: access_pb2.RevokeTokenRequest, context: Context
    ) -> access_pb2.RevokeTokenResponse:
        """The token is refused from the next call on."""
        actor = caller().actor
        await self.worker.run(lambda: self.access.revoke_token(request.id, actor))
        log.info("token.revoked", extra={"token": request.id, "by": actor.name})
        return access_pb2.RevokeTokenResponse()

    async def ListAudit(  # noqa: N802 - gRPC's name
        self, request: access_pb2.ListAuditRequest, context: Context
    ) -> access_pb2.ListAuditResponse:
        """A part of the ledger, newest first."""
        before = min(request.before, 2**62) or None
        acts = await self.worker.run(lambda: self.ledger.acts(before, request.limit or None))
        return access_pb2.ListAuditResponse(
            acts=[
                access_pb2.Act(
                    number=act.number,
                    at_us=act.at_us,
                    who=act.who,
                    role=act.role,
                    action=act.action,
                    subject=act.subject,
                    detail=act.detail,
                    peer=act.peer,
                )
                for act in acts
            ]
        )


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        names = ", ".join(role.value for role in Role)
        raise BadInput(f"Expected a role ({names}), found {text[:40]!r}.") from error


def _tokens(tokens: Sequence[PersonToken]) -> list[access_pb2.PersonToken]:
    return [
        access_pb2.PersonToken(
            id=token.id,
            name=token.name,
            role=token.role,
            created_us=token.created_us,
            expires_us=token.expires_us,
            revoked_us=token.revoked_us,
            contracts=token.contracts,
        )
        for token in tokens
    ]
