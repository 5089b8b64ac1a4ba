"""How machines become agents: join tokens in, identities out."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from controller.core.fleet import read_fleet
from controller.errors import BadInput, Rejected
from controller.identity.authority import Authority, IssuedCertificate
from controller.identity.tokens import is_secret_of, new_secret
from controller.ports.agents import AgentRecord, JoinToken
from controller.ports.custody import MACHINE, Actor, AgentStanding, Standing
from controller.ports.storage import Storage, Transaction
from controller.services.agents.nonces import Nonces
from vedette.shared.durations import Duration
from vedette.shared.identity import is_id
from vedette.shared.limits import ID_CHARS_MAX, JOIN_TOKEN_TTL_US_MAX
from vedette.shared.sealing import SealLabel, sealed

PROOF_DOMAIN: Final = b"vedette.enrol/v1\n"
HOSTNAME_CHARS_MAX: Final = 255
_KEY_BYTES: Final = 32
_NUMBER_CHARS_MAX: Final = 7
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class NewJoinToken:
    """What a join file is made of. The secret is not kept."""

    id: str
    secret: str = field(repr=False)
    expires_us: int


@dataclass(frozen=True, slots=True)
class Application:
    """What a machine shows to become an agent (EnrolRequest)."""

    token_id: str
    token_secret: str = field(repr=False)
    nonce: bytes
    csr: bytes
    evidence_key: bytes
    sealing_key: bytes
    proof: bytes
    hostname: str
    peer: str = ""

    @property
    def proved(self) -> bytes:
        """The bytes that the evidence key must have signed."""
        return PROOF_DOMAIN + self.nonce + hashlib.sha256(self.csr).digest() + self.sealing_key


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The identity that was assigned."""

    agent: str
    region: str
    chain_pem: bytes


class Giving(Protocol):
    """Whoever gives secrets to agents that may use them from now on."""

    def give(self, tx: Transaction, agent: AgentRecord) -> None:
        """Seal for `agent` what it may have."""
        ...


class Enrolment:
    """Join tokens in, identities out. Synchronous: runs in the storage thread."""

    def __init__(
        self,
        storage: Storage,
        authority: Authority,
        now_us: Callable[[], int],
        secrets: Giving,
    ) -> None:
        self._storage = storage
        self._authority = authority
        self._now_us = now_us
        self._secrets = secrets
        self._nonces = Nonces(now_us)

    def create_join_token(
        self, region: str, ttl_us: int, by: Actor, *, needs_approval: bool = False
    ) -> NewJoinToken:
        """A one-use token for a machine that will vote for `region`, once it is approved if it needs that."""
        if not 0 < ttl_us <= JOIN_TOKEN_TTL_US_MAX:
            raise BadInput(
                f"Expected a time to live of more than 0s and at most"
                f" {Duration(JOIN_TOKEN_TTL_US_MAX)}, found {Duration(max(ttl_us, 0))}."
            )
        if len(region) > ID_CHARS_MAX - _NUMBER_CHARS_MAX:
            raise BadInput(
                f"Expected a region id of at most {ID_CHARS_MAX - _NUMBER_CHARS_MAX} characters:"
                " agents are named after it."
            )
        secret, now = new_secret(), self._now_us()
        expires_us = now + ttl_us
        token = JoinToken(
            secret.id, secret.sha256, region, expires_us, by.name, needs_approval=needs_approval
        )
        with self._storage.transaction() as tx:
            _require_region(tx, region)
            tx.put_join_token(token)
            kind = "needs approval" if needs_approval else "approved at once"
            tx.record(by.act(now, "join_token.create", secret.id, f"region {region}, {kind}"))
        return NewJoinToken(secret.id, secret.secret, expires_us)

    def challenge(self, token_id: str) -> bytes:
        """A nonce for the owner of the token: good for a minute, and once."""
        with self._storage.transaction() as tx:
            self._usable(tx.join_token(token_id))
        return self._nonces.give(token_id)

    def enrol(self, application: Application) -> Enrolled:
        """Consume the token and issue the first certificate, in one transaction."""
        with self._storage.transaction() as tx:
            token = tx.join_token(application.token_id)
            if token is not None and not is_secret_of(
                application.token_secret, token.secret_sha256
            ):
                raise Rejected(
                    "The secret of this join token is wrong: the join file is damaged or forged."
                )
            token = self._usable(token)
            self._nonces.take(application.token_id, application.nonce)
            _require_proof(application)
            agent = f"{token.region}-{_next_number(tx, token.region)}"
            issued = self._issue(agent, application.csr)
            if not tx.use_join_token(token.id, agent):
                raise Rejected("This join token was used already; ask for a new one.")
            record = self._record(agent, token.region, application, issued)
            tx.put_agent(record)
            self._stand(tx, record, token, application.peer)
        return Enrolled(agent, token.region, issued.chain_pem)

    def _stand(self, tx: Transaction, record: AgentRecord, token: JoinToken, peer: str) -> None:
        """What the new agent may do, and the ledger's entry."""
        now = self._now_us()
        actor = Actor(record.id, MACHINE, peer)
        detail = f"host {record.hostname or '-'}, token {token.id} of {token.created_by}"
        tx.record(actor.act(now, "agent.enrol", record.id, detail))
        standing = Standing.PENDING if token.needs_approval else Standing.APPROVED
        tx.put_standing(AgentStanding(record.id, standing, now, token.created_by))
        if standing is Standing.APPROVED:
            self._secrets.give(tx, record)

    def _usable(self, token: JoinToken | None) -> JoinToken:
        if token is None:
            raise Rejected(
                "This controller does not know this join token: it was made by another controller,"
                " or the join file is damaged."
            )
        if token.used_by is not None:
            raise Rejected(
                f"This join token was used already, by agent {token.used_by}; ask for a new one"
                " with `vedette agent token create`."
            )
        if token.expires_us <= self._now_us():
            raise Rejected(
                "This join token has expired; ask for a new one with `vedette agent token create`."
            )
        return token

    def _issue(self, agent: str, csr: bytes) -> IssuedCertificate:
        return self._authority.agent(agent, csr, _EPOCH + dt.timedelta(microseconds=self._now_us()))

    def _record(
        self, agent: str, region: str, application: Application, issued: IssuedCertificate
    ) -> AgentRecord:
        return AgentRecord(
            id=agent,
            region=region,
            hostname=application.hostname,
            enrolled_us=self._now_us(),
            evidence_key=application.evidence_key,
            sealing_key=application.sealing_key,
            active_serial=issued.serial,
            pending_serial=None,
            certificate_ends_us=issued.ends_us,
        )


def _require_region(tx: Transaction, region: str) -> None:
    fleet = tx.fleet()
    known = sorted(read_fleet(fleet.text, fleet.file_name).regions) if fleet else []
    if region not in known:
        names = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
        raise BadInput(
            f"Expected a region of the fleet file ({names or 'none is applied yet'}), found"
            f" {region!r}."
        )


def _require_proof(application: Application) -> None:
    for name, key in (
        ("evidence", application.evidence_key),
        ("sealing", application.sealing_key),
    ):
        if len(key) != _KEY_BYTES:
            raise BadInput(f"Expected a {name} key of {_KEY_BYTES} bytes, found {len(key)}.")
    try:
        sealed("", application.sealing_key, SealLabel("", "", 0))
    except ValueError as error:
        raise BadInput("Expected an X25519 key as sealing key; nothing can be sealed to it.") from (
            error
        )
    hostname = application.hostname
    if len(hostname) > HOSTNAME_CHARS_MAX or not hostname.isprintable():
        raise BadInput(
            f"Expected a host name of at most {HOSTNAME_CHARS_MAX} printable characters."
        )
    try:
        Ed25519PublicKey.from_public_bytes(application.evidence_key).verify(
            application.proof, application.proved
        )
    except (InvalidSignature, ValueError) as error:
        raise Rejected(
            "The proof does not match: expected the evidence key's signature over the challenge,"
            " the certificate request and the sealing key."
        ) from error


def _next_number(tx: Transaction, region: str) -> int:
    pattern = re.compile(re.escape(region) + r"-([0-9]{1,6})")
    taken = [
        int(match[1])
        for agent in tx.agents()
        if agent.region == region and (match := pattern.fullmatch(agent.id))
    ]
    number = max(taken, default=0) + 1
    if not is_id(f"{region}-{number}"):
        raise Rejected(f"Region {region} has no numbers left for agents.")
    return number
