"""Joining: a join file in, an identity out; or one sentence, and nothing changed."""

import hashlib
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.config import POLICY_FILE
from agent.errors import BadInput, Fatal, Rejected
from agent.files import write_synced
from agent.link.channel import open_channel, translated
from agent.link.credential import Credential, key_pem, new_request
from agent.link.identity import Facts, Identity, NewIdentity, commit, require_none, staged
from agent.link.join_file import JoinFile
from vedette.shared.identity import is_id
from vedette.shared.limits import CONNECT_SECONDS_MAX
from vedette.v1 import enrol_pb2, enrol_pb2_grpc

PROOF_DOMAIN: Final = b"vedette.enrol/v1\n"


@dataclass(frozen=True, slots=True)
class _Keys:
    """The three keys, made here; the private halves never leave this machine."""

    tls: EllipticCurvePrivateKey
    csr: bytes
    evidence: Ed25519PrivateKey
    sealing: X25519PrivateKey

    @classmethod
    def new(cls) -> "_Keys":
        tls, csr = new_request()
        return cls(tls, csr, Ed25519PrivateKey.generate(), X25519PrivateKey.generate())

    def request(self, join: JoinFile, nonce: bytes) -> enrol_pb2.EnrolRequest:
        sealing = self.sealing.public_key().public_bytes_raw()
        proved = PROOF_DOMAIN + nonce + hashlib.sha256(self.csr).digest() + sealing
        return enrol_pb2.EnrolRequest(
            token_id=join.token_id,
            token_secret=join.token_secret,
            nonce=nonce,
            csr=self.csr,
            evidence_key=self.evidence.public_key().public_bytes_raw(),
            sealing_key=sealing,
            proof=self.evidence.sign(proved),
            hostname=socket.gethostname()[:255],
        )


async def join(join_file: JoinFile, state: Path, policy: bytes | None = None) -> Identity:
    """Enrol this machine and keep the identity, and the site's `policy` if there is one, in `state`.

    AgentError says in one sentence why it could not be done; `state` is then as it was before.
    """
    require_none(state)
    policy_path = state / POLICY_FILE
    if policy is not None and policy_path.exists():
        raise BadInput(
            f"{policy_path} is there already: add the networks to it, and leave --allow out."
        )
    with staged(state) as staging:
        keys = _Keys.new()
        answer = await _enrolled(join_file, keys)
        new = _identity_of(answer, join_file, keys)
        try:
            if policy is not None:
                write_synced(policy_path, policy)
            return commit(staging, state, new)
        except OSError as error:
            if policy is not None:
                policy_path.unlink(missing_ok=True)
            raise Fatal(
                f"The identity could not be written to {state} ({error.strerror or error}), and the join "
                "token is spent: make room, and ask for a new join file."
            ) from error


async def _enrolled(join_file: JoinFile, keys: _Keys) -> enrol_pb2.EnrolResponse:
    address = join_file.address
    async with open_channel(address, join_file.ca_certificate.encode()) as channel:
        stub = enrol_pb2_grpc.EnrolServiceStub(channel)
        try:
            challenge = await stub.Challenge(
                enrol_pb2.ChallengeRequest(token_id=join_file.token_id),
                timeout=CONNECT_SECONDS_MAX,
            )
            return await stub.Enrol(
                keys.request(join_file, challenge.nonce), timeout=CONNECT_SECONDS_MAX
            )
        except grpc.aio.AioRpcError as error:
            raise translated(error, address) from error


def _identity_of(answer: enrol_pb2.EnrolResponse, join_file: JoinFile, keys: _Keys) -> NewIdentity:
    """What the controller assigned, checked: it is about to be trusted for good."""
    tls_pem = key_pem(keys.tls)
    try:
        credential = Credential.of_pem(tls_pem + answer.certificate_chain)
    except ValueError as error:
        raise Rejected(
            f"The controller at {join_file.address} answered with a certificate that does not fit this "
            f"agent's key ({error}): its version does not fit this vedette-agent."
        ) from error
    for name, value in (("agent id", answer.agent), ("region", answer.region)):
        if not is_id(value):
            raise Rejected(
                f"The controller at {join_file.address} assigned the {name} {value!r}, which is none."
            )
    facts = Facts(
        agent=answer.agent,
        region=answer.region,
        session_address=answer.session_address,
        enrol_address=join_file.address,
    )
    return NewIdentity(
        facts,
        join_file.ca_certificate.encode(),
        credential,
        key_pem(keys.evidence),
        key_pem(keys.sealing),
    )
