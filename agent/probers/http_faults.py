"""What the libraries' exceptions mean, where no step of ours has said it more exactly before.

Every step translates what it foresees. This is the net below them: each exception that httpx, httptools,
ssl, h2, zlib, brotli, dnspython or the system can raise has exactly one kind.
"""

import socket
import ssl
import zlib
from collections.abc import Mapping
from typing import Final

import brotli
import dns.exception
import h2.exceptions
import httptools
import httpx

from agent.probers.network.fault import Fault, fault_of, resolution_fault
from vedette.shared.failure import Failure

_KINDS: Final[Mapping[type[BaseException], Failure]] = {
    ssl.SSLCertVerificationError: Failure.TLS_VERIFY_FAILED,
    ssl.SSLZeroReturnError: Failure.CONNECTION_LOST,
    ssl.SSLEOFError: Failure.CONNECTION_LOST,
    ssl.SSLSyscallError: Failure.CONNECTION_LOST,
    ssl.SSLWantReadError: Failure.AGENT_FAULT,
    ssl.SSLWantWriteError: Failure.AGENT_FAULT,
    ssl.SSLError: Failure.TLS_HANDSHAKE_FAILED,
    httpx.InvalidURL: Failure.BAD_REDIRECT,
    httpx.UnsupportedProtocol: Failure.BAD_REDIRECT,
    httpx.CookieConflict: Failure.PROTOCOL_ERROR,
    httpx.StreamError: Failure.AGENT_FAULT,
    httpx.ConnectTimeout: Failure.CONNECT_TIMEOUT,
    httpx.WriteTimeout: Failure.SEND_TIMEOUT,
    httpx.PoolTimeout: Failure.EXHAUSTED,
    httpx.TimeoutException: Failure.TRANSFER_TIMEOUT,
    httpx.ConnectError: Failure.CONNECT_REFUSED,
    httpx.NetworkError: Failure.CONNECTION_LOST,
    httpx.LocalProtocolError: Failure.UNRUNNABLE,
    httpx.ProtocolError: Failure.PROTOCOL_ERROR,
    httpx.ProxyError: Failure.PROXY_FAILED,
    httpx.DecodingError: Failure.BAD_ENCODING,
    httpx.TooManyRedirects: Failure.TOO_MANY_REDIRECTS,
    httpx.HTTPStatusError: Failure.BAD_STATUS,
    httpx.HTTPError: Failure.AGENT_FAULT,
    httptools.HttpParserInvalidURLError: Failure.BAD_REDIRECT,
    httptools.HttpParserError: Failure.PROTOCOL_ERROR,
    httptools.HttpParserUpgrade: Failure.PROTOCOL_ERROR,
    h2.exceptions.DenialOfServiceError: Failure.HEADERS_TOO_LARGE,
    h2.exceptions.H2Error: Failure.PROTOCOL_ERROR,
    dns.exception.Timeout: Failure.RESOLVE_TIMEOUT,
    dns.exception.DNSException: Failure.RESOLVE_FAILED,
    zlib.error: Failure.BAD_ENCODING,
    brotli.error: Failure.BAD_ENCODING,
    UnicodeError: Failure.BAD_REDIRECT,
    OverflowError: Failure.BAD_REDIRECT,
    EOFError: Failure.TRUNCATED,
    MemoryError: Failure.EXHAUSTED,
}
# Without an errno: with one, that says more.
_OF_SYSTEM: Final[Mapping[type[OSError], Failure]] = {
    socket.herror: Failure.RESOLVE_FAILED,
    ConnectionRefusedError: Failure.CONNECT_REFUSED,
    ConnectionError: Failure.CONNECTION_LOST,
    TimeoutError: Failure.TRANSFER_TIMEOUT,
    PermissionError: Failure.NO_PERMISSION,
    OSError: Failure.AGENT_FAULT,
}
ERRORS: Final[tuple[type[BaseException], ...]] = (*_KINDS, OSError)


def foreseen(error: BaseException, where: str = "the target") -> Fault:
    """What one of `ERRORS` means: by its errno, where it has one, else by its nearest class."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, socket.gaierror):
        return resolution_fault(error, where)
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        if error.errno is not None and not isinstance(error, socket.herror):
            return fault_of(error, where)
        kinds: Mapping[type, Failure] = _OF_SYSTEM
    else:
        kinds = _KINDS
    kind = next(kinds[one] for one in type(error).__mro__ if one in kinds)
    return Fault(kind, str(error)[:200] or type(error).__name__)
