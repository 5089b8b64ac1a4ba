"""Timestamps by authorities outside (RFC 3161): verified by a root that somebody has pinned, nothing believed."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from rfc3161_client import (
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# What a certificate that nobody signed may raise, besides what fails to verify.
_WRONG: Final = (
    VerificationError, ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)  # fmt: skip
# A query (DER) is a sequence of these: version 1 and the imprint, whose SHA-256 follows; a nonce; the wish for the
# certificate. It is shorter than 128 bytes, so that one byte says how long it is.
_IMPRINT: Final = bytes.fromhex("0201013031300d060960864801650304020105000420")
_WISH: Final = bytes.fromhex("0101ff")
_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_SHORT_MAX: Final = 127


class NotStamped(Exception):
    """No timestamp, and why, in a sentence for people."""


def stamped_at(
    roots: Sequence[x509.Certificate], data: bytes, response: bytes, *, nonce: int | None = None
) -> tuple[int, x509.Certificate]:
    """When an authority vouches that `data` existed, microseconds, and under which root. NotStamped if it does not.

    Checked are: status, signature, the chain up to the root at that time, the purpose (critical, timeStamping and
    nothing weaker), the imprint of `data`, and the nonce where one is given.
    """
    try:
        read = decode_timestamp_response(response)
    except (ValueError, TypeError) as error:
        raise NotStamped(f"expected a timestamp (RFC 3161), found another text: {error}") from error
    wrong = "no certificate is pinned"
    for root in roots:
        builder = VerifierBuilder().add_root_certificate(root)
        if nonce is not None:
            builder = builder.nonce(nonce)
        try:
            builder.build().verify_message(read, data)
            return _instant_us(read), root
        except _WRONG as error:
            wrong = str(error)
    raise NotStamped(f"expected a timestamp under the certificate that is pinned for it: {wrong}")


def said_at(response: bytes) -> int:
    """When a timestamp says that it was made, microseconds: not verified. NotStamped if it says nothing."""
    try:
        return _instant_us(decode_timestamp_response(response))
    except (ValueError, TypeError) as error:
        raise NotStamped(f"expected a timestamp (RFC 3161), found another text: {error}") from error


def query_of(data: bytes, nonce: int) -> bytes:
    """The query (RFC 3161, DER) that asks for a timestamp of `data` with that nonce, which is not negative."""
    digits = nonce.to_bytes(nonce.bit_length() // 8 + 1, "big")
    number = bytes([_INTEGER, len(digits)]) + digits
    inside = _IMPRINT + hashlib.sha256(data).digest() + number + _WISH
    return bytes([_SEQUENCE, len(inside)]) + inside


def nonce_of(query: bytes, data: bytes) -> int:
    """The nonce of a query (DER) for a timestamp of `data`. NotStamped if it asks for anything else."""
    before = 2 + len(_IMPRINT) + hashlib.sha256().digest_size
    nonce = int.from_bytes(query[before + 2 : -len(_WISH)], "big")
    if len(query) > _SHORT_MAX or query_of(data, nonce) != query:
        raise NotStamped(
            "expected a query about this head of the log, with a nonce and the wish for the certificate, found"
            " another one"
        )
    return nonce


def _instant_us(response: TimeStampResponse) -> int:
    return (response.tst_info.gen_time - _EPOCH) // dt.timedelta(microseconds=1)
