"""How machines become agents and stay what they are: join tokens, enrolment, renewal, admission."""

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from controller.core.fleet import read_fleet
from controller.errors import BadInput, NotFound, Rejected
from controller.identity.authority import Authority, IssuedCertificate
from controller.identity.tokens import is_secret_of, new_secret
from controller.ports import AgentRecord, JoinToken, Storage, Transaction
from vedette.shared.durations import Duration
from vedette.shared.identity import is_id
from vedette.shared.limits import ID_CHARS_MAX, JOIN_TOKEN_TTL_US_MAX

PROOF_DOMAIN: Final = b"vedette.enrol/v1\n"
NONCE_BYTES: Final = 32
NONCE_TTL_US: Final = 60 * 1_000_000
# A second nonce does not replace the first: whoever sees a token id cannot disturb its owner so.
NONCES_PER_TOKEN_MAX: Final = 8
NONCE_TOKENS_MAX: Final = 4096
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


class Enrolment:
    """Join tokens in, identities out. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, authority: Authority, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._authority = authority
        self._now_us = now_us
        self._nonces: dict[str, dict[bytes, int]] = {}

    def create_join_token(self, region: str, ttl_us: int, created_by: str) -> NewJoinToken:
        """A one-use token for a machine that will vote for `region`."""
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
        secret, expires_us = new_secret(), self._now_us() + ttl_us
        with self._storage.transaction() as tx:
            _require_region(tx, region)
            tx.put_join_token(JoinToken(secret.id, secret.sha256, region, expires_us, created_by))
        return NewJoinToken(secret.id, secret.secret, expires_us)

    def challenge(self, token_id: str) -> bytes:
        """A nonce for the owner of the token: good for a minute, and once."""
        with self._storage.transaction() as tx:
            self._usable(tx.join_token(token_id))
        now = self._now_us()
        self._forget_old_nonces(now)
        own = self._nonces.setdefault(token_id, {})
        if len(own) >= NONCES_PER_TOKEN_MAX or len(self._nonces) > NONCE_TOKENS_MAX:
            raise Rejected(
                "Too many enrolments were begun and not finished; try again in a minute."
            )
        nonce = secrets.token_bytes(NONCE_BYTES)
        own[nonce] = now + NONCE_TTL_US
        return nonce

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
            self._take_nonce(application.token_id, application.nonce)
            _require_proof(application)
            agent = f"{token.region}-{_next_number(tx, token.region)}"
            issued = self._issue(agent, application.csr)
            if not tx.use_join_token(token.id, agent):
                raise Rejected("This join token was used already; ask for a new one.")
            tx.put_agent(self._record(agent, token.region, application, issued))
        return Enrolled(agent, token.region, issued.chain_pem)

    def renew(self, agent: str, csr: bytes) -> IssuedCertificate:
        """The next certificate of `agent`. Its serial is pending until it is used first."""
        with self._storage.transaction() as tx:
            record = _require_agent(tx, agent)
            issued = self._issue(agent, csr)
            tx.put_agent(replace(record, pending_serial=issued.serial))
        return issued

    def admit(self, agent: str, serial: str, certificate_ends_us: int) -> AgentRecord:
        """The agent that shows this certificate; a pending serial becomes the active one.

        Rejected if the serial is neither: the agent was replaced, or this is a copy of its keys.
        """
        with self._storage.transaction() as tx:
            record = tx.agent(agent)
            if record is None:
                raise Rejected(f"There is no agent {agent} here; enrol it with a new join file.")
            if serial == record.pending_serial:
                record = replace(
                    record,
                    active_serial=serial,
                    pending_serial=None,
                    certificate_ends_us=certificate_ends_us,
                )
                tx.put_agent(record)
            elif serial != record.active_serial:
                raise Rejected(
                    f"The certificate of agent {agent} was replaced by a newer one: if this machine"
                    " is not a stale copy, enrol it again with a new join file."
                )
        return record

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

    def _take_nonce(self, token_id: str, nonce: bytes) -> None:
        expires_us = self._nonces.get(token_id, {}).pop(nonce, None)
        if expires_us is None or expires_us <= self._now_us():
            raise Rejected("This challenge was answered already or is too old; try to join again.")

    def _forget_old_nonces(self, now_us: int) -> None:
        for token_id, own in list(self._nonces.items()):
            live = {nonce: ends for nonce, ends in own.items() if ends > now_us}
            if live:
                self._nonces[token_id] = live
            else:
                del self._nonces[token_id]

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


def _require_agent(tx: Transaction, agent: str) -> AgentRecord:
    record = tx.agent(agent)
    if record is None:
        raise NotFound(f"There is no agent {agent}.")
    return record


def _require_proof(application: Application) -> None:
    for name, key in (
        ("evidence", application.evidence_key),
        ("sealing", application.sealing_key),
    ):
        if len(key) != _KEY_BYTES:
            raise BadInput(f"Expected a {name} key of {_KEY_BYTES} bytes, found {len(key)}.")
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
