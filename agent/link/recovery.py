"""Coming back after a long absence: the next certificate against a signature of the evidence key.

Mutual TLS refuses a certificate that has ended, so this goes to the address where the agent enrolled.
"""

import hashlib
from typing import Final

import grpc

from agent.errors import Rejected
from agent.link.channel import open_channel, translated
from agent.link.credential import Credential, key_pem, new_request
from agent.link.identity import Identity
from vedette.shared.limits import CONNECT_SECONDS_MAX
from vedette.v1 import enrol_pb2, enrol_pb2_grpc

PROOF_DOMAIN: Final = b"vedette.recover/v1\n"


async def recovered(identity: Identity) -> Credential:
    """A new certificate over a new key, same identity. AgentError if the controller gives none."""
    agent, address = identity.facts.agent, identity.facts.enrol_address
    if not address:
        raise Rejected(
            f"The certificate of agent {agent} has ended, and it joined before agents learnt to recover:"
            " join again with a new join file and an empty state directory."
        )
    evidence = identity.evidence_key()
    key, csr = new_request()
    async with open_channel(address, identity.ca_pem) as channel:
        stub = enrol_pb2_grpc.EnrolServiceStub(channel)
        try:
            challenge = await stub.ChallengeRecovery(
                enrol_pb2.ChallengeRecoveryRequest(agent=agent), timeout=CONNECT_SECONDS_MAX
            )
            proved = PROOF_DOMAIN + challenge.nonce + hashlib.sha256(csr).digest() + agent.encode()
            answer = await stub.Recover(
                enrol_pb2.RecoverRequest(
                    agent=agent, nonce=challenge.nonce, csr=csr, proof=evidence.sign(proved)
                ),
                timeout=CONNECT_SECONDS_MAX,
            )
        except grpc.aio.AioRpcError as error:
            raise translated(error, address) from error
    try:
        return Credential.of_pem(key_pem(key) + answer.certificate_chain)
    except ValueError as error:
        raise Rejected(
            f"The controller at {address} recovered agent {agent} with a certificate over another key"
            f" ({error})."
        ) from error
