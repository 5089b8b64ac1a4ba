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
from rfc3161_client._rust import parse_timestamp_request

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# What a certificate that nobody signed may raise, besides what fails to verify.
_WRONG: Final = (
    VerificationError, ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)  # fmt: skip
_SHA256: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


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


def nonce_of(query: bytes, data: bytes) -> int:
    """The nonce of a query (DER) for a timestamp of `data`. NotStamped if it asks for anything else."""
    try:
        read = parse_timestamp_request(query)
        asked = read.message_imprint
        is_whole = read.as_bytes() == query and read.cert_req
    except (ValueError, TypeError) as error:
        raise NotStamped(f"expected a query for a timestamp (RFC 3161): {error}") from error
    if not is_whole or read.nonce is None:
        raise NotStamped("expected a query that asks for the certificate and has a nonce")
    if asked.hash_algorithm != _SHA256 or asked.message != hashlib.sha256(data).digest():
        raise NotStamped(
            "expected a query about this head of the log, found one about something else"
        )
    return read.nonce


def _instant_us(response: TimeStampResponse) -> int:
    return (response.tst_info.gen_time - _EPOCH) // dt.timedelta(microseconds=1)
