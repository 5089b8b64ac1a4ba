"""When a certificate is renewed, and how: a new key every time."""

from typing import Final

import grpc

from agent.errors import Rejected
from agent.link.channel import translated
from agent.link.credential import Credential, key_pem, new_request
from vedette.shared.limits import RPC_SECONDS_MAX
from vedette.v1 import session_pb2, session_pb2_grpc

_SPREAD: Final = 0.1


def renewal_due_us(credential: Credential, chance: float) -> int:
    """Half of the certificate's life, give or take a tenth of it: `chance` in [0, 1) says where.

    The spread keeps a fleet that joined together from renewing together.
    """
    life = credential.ends_us - credential.starts_us
    return credential.starts_us + int(life * (0.5 - _SPREAD + 2 * _SPREAD * chance))


async def renewed(channel: grpc.aio.Channel, address: str) -> Credential:
    """A new certificate over a new key, same identity. AgentError if the controller gives none."""
    key, csr = new_request()
    stub = session_pb2_grpc.SessionServiceStub(channel)
    try:
        answer = await stub.Renew(session_pb2.RenewRequest(csr=csr), timeout=RPC_SECONDS_MAX)
    except grpc.aio.AioRpcError as error:
        raise translated(error, address) from error
    try:
        return Credential.of_pem(key_pem(key) + answer.certificate_chain)
    except ValueError as error:
        raise Rejected(
            f"The controller at {address} renewed this agent's certificate over another key ({error})."
        ) from error
