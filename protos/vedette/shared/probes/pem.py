"""PEM text: whether it can be read, before a check is taken."""

import re
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"
_SECRET: Final = re.compile(r"\$\{secret:[^}]*\}")


def certificates_problem(text: str) -> tuple[str, str] | None:
    """(expected, found) if `text` is not certificates in PEM. A secret's name is taken as it is."""
    if _SECRET.search(text):
        return None
    if CERTIFICATE not in text:
        return f"certificates in PEM ({CERTIFICATE})", "other text"
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return "certificates in PEM", "PEM that cannot be read"
    return None


def key_problem(certificate: str, key: str) -> tuple[str, str] | None:
    """(expected, found) if `key` is not the unencrypted private key, in PEM, of `certificate`."""
    if _SECRET.search(certificate) or _SECRET.search(key):
        return None
    if "PRIVATE KEY-----" not in key:
        return "a private key in PEM (-----BEGIN PRIVATE KEY-----)", "other text"
    try:
        private = load_pem_private_key(key.encode(), None)
        leaf = x509.load_pem_x509_certificates(certificate.encode())[0]
        is_pair = private.public_key() == leaf.public_key()
    except TypeError:
        return "a private key without a passphrase", "an encrypted one"
    except (ValueError, UnsupportedAlgorithm):
        return "a private key in PEM", "PEM that cannot be read"
    return None if is_pair else ("the private key of the certificate", "the key of another")
