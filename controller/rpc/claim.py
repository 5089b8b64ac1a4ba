"""ClaimService: claims for credits and their packs."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from controller.core.sla.claims.claim_document import claim_document
from controller.core.sla.claims.claims import MOVES, Claim, ClaimAction
from controller.errors import BadInput
from controller.ports.claims import ClaimFile
from controller.ports.storage import Worker
from controller.rpc.gate import caller
from controller.rpc.status import Context
from controller.services.contracts.claims import Asked, Claims
from vedette.v1 import claim_pb2 as pb
from vedette.v1 import claim_pb2_grpc

_PART_BYTES: Final = 8 * 1024 * 1024
_ACTIONS: Final = tuple(name for name in MOVES if name is not ClaimAction.SUPERSEDE)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClaimServicer(claim_pb2_grpc.ClaimServiceServicer):
    """Makes, lists, shows and moves claims."""

    worker: Worker
    claims: Claims

    async def CreateClaim(  # noqa: N802 - gRPC's name
        self, request: pb.CreateClaimRequest, context: Context
    ) -> pb.CreateClaimResponse:
        """A new draft."""
        actor = caller().actor
        asked = Asked(
            request.contract, request.period, request.objective or None, request.late, request.supersedes
        )  # fmt: skip
        made = await self.worker.run(lambda: self.claims.create(asked, actor))
        claim, files = await self.worker.run(lambda: self.claims.show(made.handle))
        log.info("claim.created", extra={"claim": claim.handle, "by": actor.name})
        return pb.CreateClaimResponse(claim_json=_json(claim), files=_files(files))

    async def ListClaims(  # noqa: N802 - gRPC's name
        self, request: pb.ListClaimsRequest, context: Context
    ) -> pb.ListClaimsResponse:
        """Every claim, the newest first."""
        found = await self.worker.run(lambda: self.claims.list(request.contract or None))
        return pb.ListClaimsResponse(claims_json=[_json(one) for one in found])

    async def GetClaim(  # noqa: N802 - gRPC's name
        self, request: pb.GetClaimRequest, context: Context
    ) -> pb.GetClaimResponse:
        """One claim."""
        claim, files = await self.worker.run(lambda: self.claims.show(request.handle))
        return pb.GetClaimResponse(claim_json=_json(claim), files=_files(files))

    async def GetClaimFile(  # noqa: N802 - gRPC's name
        self, request: pb.GetClaimFileRequest, context: Context
    ) -> pb.GetClaimFileResponse:
        """A part of a file of a pack."""
        offset = max(request.offset, 0)
        content = await self.worker.run(lambda: self.claims.file(request.handle, request.name))
        return pb.GetClaimFileResponse(content=content[offset : offset + _PART_BYTES])

    async def MoveClaim(  # noqa: N802 - gRPC's name
        self, request: pb.MoveClaimRequest, context: Context
    ) -> pb.MoveClaimResponse:
        """A claim after something was done to it."""
        actor, action = caller().actor, _action(request.action)
        claim = await self.worker.run(
            lambda: self.claims.move(
                request.handle,
                action,
                actor,
                reason=request.reason,
                amount=request.amount if request.HasField("amount") else None,
                late=request.late,
            )
        )
        log.info("claim.moved", extra={"claim": claim.handle, "to": claim.state, "by": actor.name})
        return pb.MoveClaimResponse(claim_json=_json(claim))


def _action(text: str) -> ClaimAction:
    found = next((one for one in _ACTIONS if one == text), None)
    if found is None:
        raise BadInput(f"Expected one of {', '.join(_ACTIONS)}, found {text!r}.")
    return found


def _json(claim: Claim) -> bytes:
    return msgspec.json.encode(claim_document(claim))


def _files(files: Sequence[ClaimFile]) -> list[pb.ClaimFile]:
    return [pb.ClaimFile(name=one.name, sha256=one.sha256, size=one.size) for one in files]
