"""Channels to the controller, and what their failures mean: translated here, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import grpc

from agent.errors import AgentError, Rejected, Revoked, Unreachable
from agent.link.credential import Credential
from vedette.shared.identity import REVOKED_METADATA
from vedette.shared.limits import CONNECT_SECONDS_MAX, FRAME_BYTES_MAX

_CLOSE_SECONDS: Final = 0.5
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 64 * FRAME_BYTES_MAX),
    ("grpc.max_send_message_length", 2 * FRAME_BYTES_MAX),
    # Our own backoff decides when to try again; gRPC must not wait on top of it.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_http_proxy", 0),
)
_Code = grpc.StatusCode
# Saying it again would get the same answer.
_REFUSED: Final = frozenset({
    _Code.INVALID_ARGUMENT, _Code.NOT_FOUND, _Code.ALREADY_EXISTS, _Code.PERMISSION_DENIED,
    _Code.UNAUTHENTICATED, _Code.FAILED_PRECONDITION, _Code.OUT_OF_RANGE, _Code.UNIMPLEMENTED,
})  # fmt: skip
# Another moment may get another one.
_FAILED: Final = frozenset({
    _Code.OK, _Code.CANCELLED, _Code.UNKNOWN, _Code.RESOURCE_EXHAUSTED, _Code.ABORTED,
    _Code.INTERNAL, _Code.DATA_LOSS,
})  # fmt: skip


@asynccontextmanager
async def open_channel(
    address: str, ca_pem: bytes, credential: Credential | None = None
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to `address` that trusts `ca_pem` only and shows `credential`, closed at the end."""
    tls = grpc.ssl_channel_credentials(
        ca_pem,
        credential.key_pem if credential else None,
        credential.chain_pem if credential else None,
    )
    channel = grpc.aio.secure_channel(address, tls, _OPTIONS)
    try:
        yield channel
    finally:
        await asyncio.shield(channel.close(_CLOSE_SECONDS))


def translated(error: grpc.aio.AioRpcError, address: str) -> AgentError:
    """What a failed call means for this agent, in a sentence."""
    code, details = error.code(), (error.details() or "").strip()
    if any(key == REVOKED_METADATA for key, _ in error.trailing_metadata() or ()):
        return Revoked(f"The controller at {address} refused: {_sentence(details)}")
    if code in _REFUSED:
        return Rejected(f"The controller at {address} refused: {_sentence(details or code.name)}")
    if code in _FAILED:
        return Unreachable(f"The controller at {address} failed: {_sentence(details or code.name)}")
    if code is _Code.DEADLINE_EXCEEDED:
        return Unreachable(
            f"The controller at {address} did not answer within {CONNECT_SECONDS_MAX:.0f} s."
        )
    return _unavailable(details, address)


def _unavailable(details: str, address: str) -> AgentError:
    """UNAVAILABLE has many reasons, told apart by gRPC's words for them alone."""
    if "CERTIFICATE_VERIFY_FAILED" in details:
        return Rejected(
            f"What answers at {address} does not show a certificate of the CA that this agent was given: "
            "it is another controller, or the join file is another controller's."
        )
    if "Hostname Verification" in details or "not in peer certificate" in details:
        return Rejected(
            f"The controller at {address} shows a certificate for other names: use an address that it is "
            "made for, or give `vedette init` this one."
        )
    if "WRONG_VERSION_NUMBER" in details:
        return Rejected(
            f"What answers at {address} does not speak TLS: check the address and port."
        )
    for words, reason in (
        ("Connection refused", "nothing listens there"),
        ("address lookup failed", "the name cannot be resolved"),
        ("Domain name not found", "the name cannot be resolved"),
        ("No route to host", "there is no route to it"),
        ("Network is unreachable", "there is no route to it"),
        ("Socket closed", "it closed the connection"),
        ("handshake", "the TLS handshake failed"),
    ):
        if words in details:
            return Unreachable(f"The controller at {address} cannot be reached: {reason}.")
    return Unreachable(
        f"The controller at {address} cannot be reached: {_sentence(details or 'no reason given')}"
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
