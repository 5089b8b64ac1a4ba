"""Timestamps of the log's checkpoints by authorities outside (RFC 3161): asked for, verified, and nothing believed.

An authority counts by the root certificate that was pinned for it here, never by one that it sends along.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from controller.core.stamps import NotStamped, stamped_at
from vedette.shared.limits import STAMP_BYTES_MAX, STAMP_SECONDS_MAX

_QUERY: Final = "application/timestamp-query"


@dataclass(frozen=True, slots=True)
class Authority:
    """Who vouches for time: where it is asked, and the roots that its certificates must lead to."""

    name: str
    url: str
    roots: Sequence[x509.Certificate]


@dataclass(frozen=True, slots=True)
class Stamp:
    """A verified timestamp: query and response, exact bytes (DER), the instant that it vouches for, and the root (DER)."""

    query: bytes
    response: bytes
    at_us: int
    root: bytes


async def stamped(authority: Authority, data: bytes) -> Stamp:
    """A timestamp of `data` by the authority. NotStamped says what went wrong, whatever it sends."""
    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    query = request.as_bytes()
    try:
        async with asyncio.timeout(STAMP_SECONDS_MAX):
            answer = await _answer(authority.url, query)
    except TimeoutError as error:
        raise NotStamped(f"it did not answer within {STAMP_SECONDS_MAX:.0f} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NotStamped(f"it could not be asked: {str(error) or type(error).__name__}") from error
    at_us, root = stamped_at(authority.roots, data, answer, nonce=request.nonce)
    return Stamp(query, answer, at_us, root.public_bytes(Encoding.DER))


async def _answer(url: str, query: bytes) -> bytes:
    async with (
        httpx.AsyncClient(follow_redirects=False, timeout=STAMP_SECONDS_MAX) as client,
        client.stream("POST", url, content=query, headers={"Content-Type": _QUERY}) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise NotStamped(f"expected status 200, found {answer.status_code}")
        found = b""
        async for part in answer.aiter_bytes():
            found += part
            if len(found) > STAMP_BYTES_MAX:
                raise NotStamped(f"expected at most {STAMP_BYTES_MAX} bytes, found more")
        return found
