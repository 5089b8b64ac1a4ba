"""The controller's certificate authority: a root, an issuing CA under it, and the certificates of both sides.

Keys are P-256, because gRPC for Python refuses Ed25519 certificates. The root signs once and can be
taken offline; the issuing CA signs the server's certificate and those of the agents. An agent's name
is what the controller assigns: whatever stands in its request is ignored, except the key.
"""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from controller.errors import BadInput, Fatal
from vedette.shared.identity import agent_uri

ROOT_LIFE: Final = dt.timedelta(days=3652)
ISSUING_LIFE: Final = dt.timedelta(days=365)
SERVER_LIFE: Final = dt.timedelta(days=30)
AGENT_LIFE: Final = dt.timedelta(hours=24)
# A peer's clock may be a little behind: certificates begin a moment before they are made.
BACKDATED: Final = dt.timedelta(minutes=5)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @staticmethod
    def pem_of(certificate: x509.Certificate) -> bytes:
        """A certificate as it is stored."""
        return certificate.public_bytes(Encoding.PEM)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate, PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key, PKCS #8 PEM, not encrypted."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate for an agent, with its issuer; `serial` in hexadecimal."""

    chain_pem: bytes
    serial: str
    ends_us: int


def serial_text(certificate: x509.Certificate) -> str:
    """The serial number as it is stored and compared."""
    return f"{certificate.serial_number:x}"


def ends_us(certificate: x509.Certificate) -> int:
    """When the certificate stops to be valid, microseconds since the Unix epoch."""
    return (certificate.not_valid_after_utc - _EPOCH) // dt.timedelta(microseconds=1)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate (DER) in hexadecimal: what people compare and write in an annex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def credential_from_pem(certificate_pem: bytes, key_pem: bytes, where: str) -> Credential:
    """The credential in these two files. Fatal if they cannot be read or do not belong together."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = load_pem_private_key(key_pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Fatal(f"Expected a PEM certificate and its key at {where}; they are damaged.") from (
            error
        )
    if not isinstance(key, ec.EllipticCurvePrivateKey) or (
        key.public_key() != certificate.public_key()
    ):
        raise Fatal(f"The key at {where} does not belong to the certificate beside it.")
    return Credential(certificate, key)


def new_root(organisation: str, now: dt.datetime) -> Credential:
    """A self-signed root for `organisation`, valid for ten years."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(organisation, "Vedette root CA")
    builder = _builder(name, name, key.public_key(), now, ROOT_LIFE)
    builder = _ca_extensions(builder, key.public_key(), path_length=1)
    return Credential(builder.sign(key, hashes.SHA256()), key)


def new_issuing(root: Credential, organisation: str, now: dt.datetime) -> Credential:
    """An issuing CA under `root`, valid for a year."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(organisation, "Vedette issuing CA")
    builder = _builder(name, root.certificate.subject, key.public_key(), now, ISSUING_LIFE)
    builder = _ca_extensions(builder, key.public_key(), path_length=0)
    builder = builder.add_extension(_issued_by(root.certificate), critical=False)
    return Credential(builder.sign(root.key, hashes.SHA256()), key)


class Authority:
    """The issuing CA at work. `organisation` is the trust domain of the names that it gives."""

    def __init__(self, root: x509.Certificate, issuing: Credential, organisation: str) -> None:
        self.root_pem = root.public_bytes(Encoding.PEM)
        self.organisation = organisation
        self._issuing = issuing

    def adopt(self, issuing: Credential) -> bool:
        """Issue with this CA from now on; False if it is the one at work already."""
        if issuing.certificate == self._issuing.certificate:
            return False
        self._issuing = issuing
        return True

    def has_issued(self, certificate: x509.Certificate) -> bool:
        """The certificate was signed by this issuing CA, and not by a former one."""
        try:
            certificate.verify_directly_issued_by(self._issuing.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def server(self, names: Sequence[str], now: dt.datetime) -> tuple[bytes, bytes]:
        """(chain PEM, key PEM) of a new server certificate for these host names and addresses."""
        if not names:
            raise ValueError("a server certificate needs at least one name")
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._leaf(key.public_key(), names[0], now, SERVER_LIFE)
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
        ).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )  # fmt: skip
        leaf = Credential(builder.sign(self._issuing.key, hashes.SHA256()), key)
        return leaf.certificate_pem + self._issuing.certificate_pem, leaf.key_pem

    def agent(self, agent: str, csr_der: bytes, now: dt.datetime) -> IssuedCertificate:
        """A client certificate for `agent` over the key in its request.

        BadInput if the request is damaged, not signed by its own key, or not over P-256.
        """
        builder = self._leaf(_key_of(csr_der), agent, now, AGENT_LIFE)
        uri = x509.UniformResourceIdentifier(agent_uri(self.organisation, agent))
        builder = builder.add_extension(
            x509.SubjectAlternativeName([uri]), critical=False
        ).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )  # fmt: skip
        certificate = builder.sign(self._issuing.key, hashes.SHA256())
        chain = certificate.public_bytes(Encoding.PEM) + self._issuing.certificate_pem
        return IssuedCertificate(chain, serial_text(certificate), ends_us(certificate))

    def _leaf(
        self, key: ec.EllipticCurvePublicKey, title: str, now: dt.datetime, life: dt.timedelta
    ) -> x509.CertificateBuilder:
        issuer = self._issuing.certificate
        # A certificate that outlives its issuer would be refused without a word.
        life = min(life, issuer.not_valid_after_utc - now)
        if life <= dt.timedelta(0):
            raise Fatal(
                f"The issuing CA ended on {issuer.not_valid_after_utc:%Y-%m-%d}; make a new one"
                " with the root key before any certificate can be issued."
            )
        return (
            _builder(_name(self.organisation, title), issuer.subject, key, now, life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(_issued_by(issuer), critical=False)
        )


def _key_of(csr_der: bytes) -> ec.EllipticCurvePublicKey:
    try:
        request = x509.load_der_x509_csr(csr_der)
        key = request.public_key()
        is_signed = request.is_signature_valid
    except (ValueError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise BadInput("Expected a PKCS #10 certificate request (DER); it is damaged.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadInput("Expected a certificate request over a P-256 key; it is over another kind.")
    if not is_signed:
        raise BadInput("Expected a certificate request signed by its own key; it is not.")
    return key


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    life: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
    )


def _ca_extensions(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePublicKey, *, path_length: int
) -> x509.CertificateBuilder:
    return (
        builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=path_length), critical=True
        )
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(organisation: str, title: str) -> x509.Name:
    # X.520 allows 64 characters in these fields; identity stands in the SAN, so cutting loses nothing.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, title[:64]),
        ]
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
