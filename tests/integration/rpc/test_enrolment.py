"""Enrolment and access over real storage: every refusal has its own sentence."""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from controller.errors import BadInput, NotFound, Rejected, Unauthenticated
from controller.identity.authority import Authority, new_issuing, new_root
from controller.identity.files import StateDirectory
from controller.identity.roles import Role
from controller.identity.tokens import new_secret
from controller.identity.vault import Vault
from controller.ports.custody import Actor
from controller.ports.fleet import FleetRevision
from controller.ports.people import PersonToken
from controller.services.agents.admission import Admission, Claim
from controller.services.agents.enrol import Application, Enrolment
from controller.services.agents.nonces import NONCES_PER_OWNER_MAX
from controller.services.agents.secrets import Secrets
from controller.services.people.access import ADMIN_TOKEN_TTL_US, Access
from controller.storage.database import SqlStorage, open_storage

SECOND = 1_000_000
ADMIN = Actor("ada", "admin", "ipv4:192.0.2.1:1")
FLEET = b"""version: 1
regions: [{id: fra}, {id: nyc}, {id: fra-1}]
services: [{id: shop}]
checks: []
"""


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 6, 11, tzinfo=dt.UTC)

    def us(self) -> int:
        return int(self.now.timestamp()) * SECOND

    def forward(self, **by: float) -> None:
        self.now += dt.timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[SqlStorage]:
    storage = open_storage(f"sqlite:///{tmp_path}/vedette.db")
    with storage.transaction() as tx:
        tx.put_fleet(FleetRevision(1, FLEET, "fleet.yaml", 1, "admin"), [])
    yield storage
    storage.close()


@pytest.fixture
def authority(clock: Clock) -> Authority:
    root = new_root("acme", clock.now)
    return Authority(root.certificate, new_issuing(root, "acme", clock.now), "acme")


@pytest.fixture
def secrets(storage: SqlStorage, clock: Clock, tmp_path: Path) -> Secrets:
    return Secrets(storage, Vault(StateDirectory(tmp_path)), clock.us)


@pytest.fixture
def enrolment(
    storage: SqlStorage, clock: Clock, authority: Authority, secrets: Secrets
) -> Enrolment:
    return Enrolment(storage, authority, clock.us, secrets)


@pytest.fixture
def admission(storage: SqlStorage, clock: Clock, authority: Authority) -> Admission:
    return Admission(storage, authority, clock.us)


class Machine:
    """A site with its keys."""

    def __init__(self) -> None:
        self.evidence = Ed25519PrivateKey.generate()
        self.sealing_key = b"s" * 32
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        self.csr = signed.public_bytes(Encoding.DER)

    def application(self, token_id: str, secret: str, nonce: bytes) -> Application:
        proved = (
            b"vedette.enrol/v1\n" + nonce + hashlib.sha256(self.csr).digest() + self.sealing_key
        )
        return Application(
            token_id=token_id,
            token_secret=secret,
            nonce=nonce,
            csr=self.csr,
            evidence_key=self.evidence.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw),
            sealing_key=self.sealing_key,
            proof=self.evidence.sign(proved),
            hostname="probe.example",
        )


def ready(enrolment: Enrolment, region: str = "fra") -> Application:
    """An application that would be accepted."""
    token = enrolment.create_join_token(region, 600 * SECOND, ADMIN)
    return Machine().application(token.id, token.secret, enrolment.challenge(token.id))


def test_agents_are_numbered_in_their_region(enrolment: Enrolment) -> None:
    agents = [enrolment.enrol(ready(enrolment, region)).agent for region in ("fra", "fra", "nyc")]
    assert agents == ["fra-1", "fra-2", "nyc-1"]


def test_regions_whose_names_look_like_agents_do_not_collide(enrolment: Enrolment) -> None:
    agents = [enrolment.enrol(ready(enrolment, region)).agent for region in ("fra-1", "fra")]
    assert agents == ["fra-1-1", "fra-1"]


def test_a_token_serves_once(enrolment: Enrolment) -> None:
    token = enrolment.create_join_token("fra", 600 * SECOND, ADMIN)
    nonces = [enrolment.challenge(token.id) for _ in range(2)]
    first, second = (Machine().application(token.id, token.secret, nonce) for nonce in nonces)
    enrolment.enrol(first)
    with pytest.raises(Rejected, match=r"used already, by agent fra-1"):
        enrolment.enrol(second)
    with pytest.raises(Rejected, match="used already"):
        enrolment.challenge(token.id)


def test_an_expired_token_is_refused(enrolment: Enrolment, clock: Clock) -> None:
    application = ready(enrolment)
    clock.forward(minutes=10)
    with pytest.raises(Rejected, match="has expired"):
        enrolment.enrol(application)
    with pytest.raises(Rejected, match="has expired"):
        enrolment.challenge(application.token_id)


def test_a_foreign_token_is_refused(enrolment: Enrolment) -> None:
    with pytest.raises(Rejected, match="does not know this join token"):
        enrolment.challenge("0123456789abcdef")
    with pytest.raises(Rejected, match="does not know this join token"):
        enrolment.enrol(Machine().application("0123456789abcdef", "s", b"n" * 32))


def test_a_wrong_secret_is_refused_and_leaves_the_token_unused(enrolment: Enrolment) -> None:
    application = ready(enrolment)
    with pytest.raises(Rejected, match="secret of this join token is wrong"):
        enrolment.enrol(dataclasses.replace(application, token_secret="x" * 43))
    assert enrolment.enrol(application).agent == "fra-1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"proof": b"\0" * 64}, "proof does not match", id="a forged proof"),
        pytest.param({"proof": b""}, "proof does not match", id="no proof"),
        pytest.param({"sealing_key": b"t" * 32}, "proof does not match", id="another sealing key"),
        pytest.param({"evidence_key": b"\1" * 32}, "proof does not match", id="another key"),
        pytest.param({"evidence_key": b"k"}, "evidence key of 32 bytes", id="a short key"),
        pytest.param(
            {"sealing_key": b"\0" * 32}, "X25519 key as sealing key", id="a key of no use"
        ),
        pytest.param({"sealing_key": b""}, "sealing key of 32 bytes", id="no sealing key"),
        pytest.param({"nonce": b"n" * 32}, "challenge was answered", id="a made-up nonce"),
        pytest.param({"hostname": "a\nb"}, "printable", id="a host name with a newline"),
        pytest.param({"hostname": "a" * 256}, "at most 255", id="a long host name"),
    ],
)
def test_a_bad_application_leaves_the_token_unused(
    enrolment: Enrolment, change: dict[str, bytes | str], message: str
) -> None:
    application = ready(enrolment)
    changed = dataclasses.replace(application, **change)  # type: ignore[arg-type]  # names its own fields
    with pytest.raises((Rejected, BadInput), match=message):
        enrolment.enrol(changed)
    again = enrolment.challenge(application.token_id)
    enrolment.enrol(Machine().application(application.token_id, application.token_secret, again))


def test_a_nonce_serves_once_and_for_a_minute(enrolment: Enrolment, clock: Clock) -> None:
    application = ready(enrolment)
    clock.forward(seconds=61)
    with pytest.raises(Rejected, match="too old"):
        enrolment.enrol(application)


def test_challenges_cannot_be_piled_up(enrolment: Enrolment, clock: Clock) -> None:
    token = enrolment.create_join_token("fra", 600 * SECOND, ADMIN)
    for _ in range(NONCES_PER_OWNER_MAX):
        enrolment.challenge(token.id)
    with pytest.raises(Rejected, match="again in a minute"):
        enrolment.challenge(token.id)
    clock.forward(seconds=61)
    assert len(enrolment.challenge(token.id)) == 32


@pytest.mark.parametrize(
    ("region", "ttl_us", "message"),
    [
        pytest.param("mars", 60 * SECOND, r"fra, fra-1, nyc\), found 'mars'", id="no such region"),
        pytest.param("fra", 0, "more than 0s", id="no time"),
        pytest.param("fra", 25 * 3600 * SECOND, "at most 1d", id="too much time"),
        pytest.param("r" * 60, 60 * SECOND, "at most 56 characters", id="no room for a number"),
    ],
)
def test_a_join_token_for_nothing_is_refused(
    enrolment: Enrolment, region: str, ttl_us: int, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        enrolment.create_join_token(region, ttl_us, ADMIN)


def test_a_renewed_certificate_takes_over_on_first_use(
    enrolment: Enrolment, admission: Admission, storage: SqlStorage
) -> None:
    enrolment.enrol(ready(enrolment))
    with storage.transaction() as tx:
        first = tx.agents()[0].active_serial
    issued = admission.renew("fra-1", Machine().csr)
    admission.admit(Claim("fra-1", first, 1))  # the old one is good until the new one is used
    record = admission.admit(Claim("fra-1", issued.serial, issued.ends_us)).record
    assert (record.active_serial, record.pending_serial) == (issued.serial, None)
    assert record.certificate_ends_us == issued.ends_us
    with pytest.raises(Rejected, match="replaced by a newer one"):
        admission.admit(Claim("fra-1", first, 1))


def test_only_the_newest_candidate_can_take_over(
    enrolment: Enrolment, admission: Admission
) -> None:
    enrolment.enrol(ready(enrolment))
    lost = admission.renew("fra-1", Machine().csr)
    admission.renew("fra-1", Machine().csr)
    with pytest.raises(Rejected, match="replaced"):
        admission.admit(Claim("fra-1", lost.serial, lost.ends_us))


def test_an_agent_that_never_enrolled_is_not_admitted(
    enrolment: Enrolment, admission: Admission
) -> None:
    with pytest.raises(Rejected, match="no agent fra-9"):
        admission.admit(Claim("fra-9", "1", 1))
    with pytest.raises(NotFound, match="no agent fra-9"):
        admission.renew("fra-9", Machine().csr)


def test_a_token_names_its_person(storage: SqlStorage, clock: Clock) -> None:
    access = Access(storage, clock.us)
    text, expires_us = access.create_token("ada", Role.OPERATOR, ADMIN_TOKEN_TTL_US)
    person = access.authenticate(text)
    assert (person.name, person.role, person.expires_us) == ("ada", Role.OPERATOR, expires_us)


def test_tokens_that_are_not_good_are_refused(storage: SqlStorage, clock: Clock) -> None:
    access = Access(storage, clock.us)
    text, _ = access.create_token("ada", Role.ADMIN, ADMIN_TOKEN_TTL_US)
    other, _ = access.create_token("bob", Role.ADMIN, 2 * ADMIN_TOKEN_TTL_US)
    with pytest.raises(Unauthenticated, match="form vdt_"):
        access.authenticate("letmein")
    with pytest.raises(Unauthenticated, match="not known here"):
        access.authenticate(text[:-43] + other[-43:])
    with pytest.raises(Unauthenticated, match="not known here"):
        access.authenticate("vdt_" + "0" * 16 + "_" + "a" * 43)
    clock.forward(hours=24)
    with pytest.raises(Unauthenticated, match="has expired"):
        access.authenticate(text)
    revoked = new_secret()
    with storage.transaction() as tx:
        tx.put_person_token(
            PersonToken(revoked.id, revoked.sha256, "bob", "admin", 2**62, 0, revoked_us=1)
        )
    with pytest.raises(Unauthenticated, match="was revoked"):
        access.authenticate(revoked.person_text)


@pytest.mark.parametrize(
    ("name", "ttl_us", "message"),
    [
        ("", 1, "a name"),
        ("a\nb", 1, "a name"),
        ("x" * 101, 1, "a name"),
        ("ada", 0, "time to live"),
    ],
)
def test_a_bad_token_is_not_made(
    storage: SqlStorage, clock: Clock, name: str, ttl_us: int, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        Access(storage, clock.us).create_token(name, Role.ADMIN, ttl_us)
