"""SessionService: the agents' listener. Who calls is read from the certificate, on every call."""

import datetime as dt
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

from controller.errors import ControllerError
from controller.rpc.peer import Peer, peer_of
from controller.rpc.session import Session, SessionParts
from controller.rpc.sessions import Sessions
from controller.rpc.status import Context, translated
from controller.services.agents.admission import Admitted
from vedette.v1 import session_pb2 as pb
from vedette.v1 import session_pb2_grpc

_SERVICE: Final = "/vedette.v1.SessionService/"

log = logging.getLogger(__name__)


class SessionServicer(session_pb2_grpc.SessionServiceServicer):
    """Serves agents' streams and renews their certificates."""

    def __init__(self, parts: SessionParts, sessions: Sessions, organisation: str) -> None:
        self._parts = parts
        self._sessions = sessions
        self._organisation = organisation

    async def Connect(  # type: ignore[override]  # noqa: N802 - generated for sync servers; gRPC's name
        self, _requests: AsyncIterator[pb.ConnectRequest], context: Context
    ) -> None:
        """One stream, from Hello to its end."""
        async with translated(context, f"{_SERVICE}Connect", has_deadline=False):
            peer, admitted = await self._admitted(context)
            session = Session(self._parts, peer, admitted)
            self._sessions.open(session)
            reason = "closed"
            try:
                await session.greet(context)
                await session.run(context)
            except ControllerError as error:
                reason = str(error)
                raise
            finally:
                self._sessions.close(session)
                log.info("session.closed", extra={"agent": peer.agent, "reason": reason})

    async def Renew(  # noqa: N802 - gRPC's name
        self, request: pb.RenewRequest, context: Context
    ) -> Any:
        """The next certificate of the caller, over a new key."""
        async with translated(context, f"{_SERVICE}Renew", has_deadline=True):
            peer, _ = await self._admitted(context)
            issued = await self._parts.worker.run(
                lambda: self._parts.admission.renew(peer.agent, request.csr)
            )
            ends = dt.datetime.fromtimestamp(issued.ends_us // 1_000_000, dt.UTC)
            log.info("agent.renewed", extra={"agent": peer.agent, "until": ends.isoformat()})
            return pb.RenewResponse(certificate_chain=issued.chain_pem)

    async def _admitted(self, context: Context) -> tuple[Peer, Admitted]:
        shown = {key: list(values) for key, values in context.auth_context().items()}
        address = str(context.peer())
        peer = peer_of(shown, self._organisation, self._parts.now_us(), address)
        # Admitting writes: an agent that calls without end is sent away before.
        self._parts.quotas.message(peer.agent)
        admitted = await self._parts.worker.run(lambda: self._parts.admission.admit(peer.claim))
        return peer, admitted
