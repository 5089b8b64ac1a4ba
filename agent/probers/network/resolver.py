"""Names to addresses by the system's resolver, on threads of our own.

The loop's own pool would do, were it not for its size: with a handful of threads one dead name server
stalls the resolution of every other check, and their targets would be blamed. Ours has a bound of its own,
can tell "not resolved in time" from "this agent had no thread for it", and never delays the end of the
process.
"""

import asyncio
import queue
import socket
import threading
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from agent.probers.network.fault import Fault, resolution_fault
from vedette.shared.failure import Failure
from vedette.shared.limits import ADDRESSES_MAX, RESOLVER_THREADS_MAX
from vedette.shared.probes import Family

_FAMILIES: Final = {
    Family.ANY: socket.AF_UNSPEC,
    Family.IPV4: socket.AF_INET,
    Family.IPV6: socket.AF_INET6,
}
_VERSIONS: Final = {Family.IPV4: 4, Family.IPV6: 6}


@dataclass(eq=False)
class _Request:
    host: str
    family: int
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[list[str]]"
    is_begun: bool = False


class Resolver:
    """Resolves names by getaddrinfo, as the system is configured: hosts file, search path, name servers."""

    def __init__(self, threads_max: int = RESOLVER_THREADS_MAX) -> None:
        self._threads_max = threads_max
        self._threads = 0
        self._waiting = 0
        self._busy = 0
        self._lock = threading.Lock()
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()

    async def addresses(self, host: str, family: Family, timeout_us: int) -> list[str]:
        """The addresses of `host`, in the system's order, each once; numeric ones without asking anyone.

        Fault if there are none, or not within `timeout_us`.
        """
        numeric = _numeric(host, family)
        if numeric is not None:
            return numeric
        loop = asyncio.get_running_loop()
        request = _Request(host, _FAMILIES[family], loop, loop.create_future())
        self._enqueue(request)
        try:
            async with asyncio.timeout(timeout_us / 1e6):
                return await request.answer
        except TimeoutError as error:
            if request.is_begun:
                within = f"{host} was not resolved within {timeout_us / 1000:.0f} ms"
                raise Fault(Failure.RESOLVE_TIMEOUT, within) from error
            busy = f"this agent had no free resolver thread for {host}: its name servers are slow"
            raise Fault(Failure.EXHAUSTED, busy) from error
        except socket.gaierror as error:
            raise resolution_fault(error, host) from error
        except UnicodeError as error:
            raise Fault(Failure.RESOLVE_NOT_FOUND, f"{host} cannot be a name: {error}") from error

    def _enqueue(self, request: _Request) -> None:
        """Hand `request` to a waiting thread, or to a new one while the bound allows."""
        with self._lock:
            self._waiting += 1
            is_short = self._waiting > self._threads - self._busy
            if is_short and self._threads < self._threads_max:
                self._threads += 1
                threading.Thread(target=self._work, name="resolver", daemon=True).start()
        self._requests.put(request)

    def _work(self) -> None:
        while True:
            request = self._requests.get()
            with self._lock:
                self._waiting -= 1
                self._busy += 1
            if not request.answer.cancelled():
                request.is_begun = True
                self._answer(request)
            with self._lock:
                self._busy -= 1

    def _answer(self, request: _Request) -> None:
        found: list[str] | OSError | UnicodeError
        try:
            found = _looked_up(request.host, request.family)
        except (OSError, UnicodeError) as error:
            found = error
        try:
            request.loop.call_soon_threadsafe(_settle, request.answer, found)
        except RuntimeError:
            # The loop is closed: nobody waits for this answer any more.
            return


def _numeric(host: str, family: Family) -> list[str] | None:
    """`host` itself if it is an address as it stands; None if it has to be looked up."""
    version = _version(host)
    if version is None:
        return None
    if _VERSIONS.get(family, version) != version:
        raise Fault(
            Failure.RESOLVE_NOT_FOUND, f"{host} is not an {family.replace('ipv', 'IPv')} address"
        )
    return [host]


@lru_cache(maxsize=4096)
def _version(host: str) -> int | None:
    """The version of the address that `host` is; None for a name."""
    try:
        return ip_address(host).version
    except ValueError:
        return None


def _looked_up(host: str, family: int) -> list[str]:
    found = socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))[:ADDRESSES_MAX]


def _settle(answer: "asyncio.Future[list[str]]", found: list[str] | OSError | UnicodeError) -> None:
    if answer.done():
        return
    if isinstance(found, list):
        answer.set_result(found)
    else:
        answer.set_exception(found)
