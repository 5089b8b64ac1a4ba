"""The one exception inside probers, and what the system's errors mean in its words."""

import errno
import socket
from typing import Final

from vedette.shared.failure import Failure


class Fault(Exception):
    """A probe ends here: the kind of failure, and a sentence for people. Never leaves a prober."""

    def __init__(self, kind: Failure, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


_BY_ERRNO: Final = {
    errno.ECONNREFUSED: Failure.CONNECT_REFUSED,
    errno.EHOSTUNREACH: Failure.UNREACHABLE,
    errno.EHOSTDOWN: Failure.UNREACHABLE,
    errno.ETIMEDOUT: Failure.CONNECT_TIMEOUT,
    errno.ECONNRESET: Failure.CONNECTION_LOST,
    errno.ECONNABORTED: Failure.CONNECTION_LOST,
    errno.EPIPE: Failure.CONNECTION_LOST,
    errno.ENOTCONN: Failure.CONNECTION_LOST,
    errno.ESHUTDOWN: Failure.CONNECTION_LOST,
    errno.ENETRESET: Failure.CONNECTION_LOST,
    errno.ENOPROTOOPT: Failure.UNREACHABLE,  # a router or the target: protocol unreachable
    errno.EPROTO: Failure.PROTOCOL_ERROR,
    # On this machine, before anything was sent.
    errno.ENETUNREACH: Failure.NO_ROUTE,
    errno.ENETDOWN: Failure.NO_ROUTE,
    getattr(errno, "ENONET", errno.ENETDOWN): Failure.NO_ROUTE,
    errno.EADDRNOTAVAIL: Failure.EXHAUSTED,
    errno.EADDRINUSE: Failure.EXHAUSTED,
    errno.EAFNOSUPPORT: Failure.NO_ROUTE,
    errno.EMFILE: Failure.EXHAUSTED,
    errno.ENFILE: Failure.EXHAUSTED,
    errno.ENOBUFS: Failure.EXHAUSTED,
    errno.ENOMEM: Failure.EXHAUSTED,
    errno.EAGAIN: Failure.EXHAUSTED,
    errno.EACCES: Failure.NO_PERMISSION,
    errno.EPERM: Failure.NO_PERMISSION,
    errno.EMSGSIZE: Failure.NO_ROUTE,
    errno.EINVAL: Failure.NO_ROUTE,
}
_SENTENCES: Final = {
    Failure.CONNECT_REFUSED: "{where} refused the connection",
    Failure.UNREACHABLE: "{where} cannot be reached: {why}",
    Failure.CONNECT_TIMEOUT: "{where} did not answer: {why}",
    Failure.CONNECTION_LOST: "{where} closed the connection: {why}",
    Failure.PROTOCOL_ERROR: "{where} does not speak as it should: {why}",
    Failure.NO_ROUTE: "this agent has no way to {where}: {why}",
    Failure.EXHAUSTED: "this agent ran out of something: {why}",
    Failure.NO_PERMISSION: "this agent's system does not let it reach {where}: {why}",
    Failure.AGENT_FAULT: "this agent failed towards {where}: {why}",
}
_NOT_FOUND: Final = frozenset(
    getattr(socket, name)
    for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")
    if hasattr(socket, name)
)
_LOCAL: Final = frozenset({socket.EAI_MEMORY})


def fault_of(error: OSError, where: str) -> Fault:
    """What a system error on the way to `where` means.

    Errors that only this machine can give (no route, no descriptors) are the agent's; an error that is
    not in the table is the agent's as well, because nothing shows that the target caused it.
    """
    if error.errno == errno.EADDRNOTAVAIL and ":" in where:
        return Fault(Failure.NO_ROUTE, f"this agent has no IPv6 address to reach {where} from")
    kind = _BY_ERRNO.get(error.errno or 0, Failure.AGENT_FAULT)
    why = error.strerror or str(error) or type(error).__name__
    return Fault(kind, _SENTENCES[kind].format(where=where, why=why))


def resolution_fault(error: socket.gaierror, host: str) -> Fault:
    """What a failure to resolve `host` means."""
    if error.errno in _NOT_FOUND:
        return Fault(Failure.RESOLVE_NOT_FOUND, f"{host} has no such address: {error.strerror}")
    if error.errno in _LOCAL:
        return Fault(Failure.EXHAUSTED, f"this agent ran out of memory resolving {host}")
    if error.errno == socket.EAI_SYSTEM:
        return Fault(Failure.EXHAUSTED, f"this agent's system could not resolve {host}: {error}")
    return Fault(Failure.RESOLVE_FAILED, f"{host} could not be resolved: {error.strerror}")
