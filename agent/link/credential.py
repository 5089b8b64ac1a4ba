"""The three keys of an agent, and the certificate over one of them."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_p256_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from vedette.shared.identity import organisation_of_uri

_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey | X25519PrivateKey


@dataclass(frozen=True, slots=True)
class Credential:
    """A TLS key and the certificate chain over it. They live in one file, so that they change together."""

    key_pem: bytes
    chain_pem: bytes

    @classmethod
    def of_pem(cls, data: bytes) -> "Credential":
        """The credential in a file of ours. ValueError if key and certificate do not belong together."""
        key_pem, mark, rest = data.partition(_CERTIFICATE)
        credential = cls(key_pem, mark + rest)
        key = load_pem_private_key(key_pem, None)
        if key.public_key() != credential.certificate.public_key():
            raise ValueError("the certificate is over another key")
        return credential

    @property
    def pem(self) -> bytes:
        """The file's content: key first, then leaf and issuer."""
        return self.key_pem + self.chain_pem

    @property
    def certificate(self) -> x509.Certificate:
        """The agent's own certificate. ValueError if there is none."""
        return x509.load_pem_x509_certificates(self.chain_pem)[0]

    @property
    def organisation(self) -> str:
        """The organisation that the certificate's name belongs to. ValueError if it has no such name."""
        extensions = self.certificate.extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for uri in names.get_values_for_type(x509.UniformResourceIdentifier):
            if (organisation := organisation_of_uri(uri)) is not None:
                return organisation
        raise ValueError("the certificate names no agent")

    @property
    def starts_us(self) -> int:
        """When it begins to be valid."""
        return _micros(self.certificate.not_valid_before_utc)

    @property
    def ends_us(self) -> int:
        """When it stops to be valid."""
        return _micros(self.certificate.not_valid_after_utc)


def key_pem(key: PrivateKey) -> bytes:
    """A private key as it is stored: PKCS #8 PEM, not encrypted, so the file's mode is what protects it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_request() -> tuple[EllipticCurvePrivateKey, bytes]:
    """A new TLS key and a certificate request over it (DER). The name in it means nothing."""
    key = new_p256_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vedette-agent")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return key, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _micros(instant: dt.datetime) -> int:
    return int(instant.timestamp()) * 1_000_000
