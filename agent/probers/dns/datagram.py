"""One question by UDP: a socket of its own, connected, and what comes back looked at until it is the reply.

The socket is connected, so that the system drops what comes from elsewhere and reports a closed port. Its
port is chosen by the system anew each time, which with the id is what a forger has to guess.
"""

import asyncio
import os
import socket
from collections import Counter
from typing import Final

from agent.probers.dns.question import Question
from agent.probers.dns.reply import is_truncated, reply_of
from agent.probers.network.fault import Fault, fault_of
from vedette.shared.failure import Failure
from vedette.shared.limits import DATAGRAMS_PASSED_OVER_MAX

_MESSAGE_BYTES_MAX: Final = 65535
_DATAGRAMS_PER_WAKE_MAX: Final = 8


async def by_datagram(question: Question, address: str, port: int, seconds: float) -> bytes:
    """The reply to `question` by UDP, readable or truncated.

    Other datagrams are passed over: anyone can send one, and the reply may still come. Fault if it does not
    within `seconds`, or if the port is closed.
    """
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((address, port))
            number = int.from_bytes(os.urandom(2))
            sock.send(question.wire(number))
            return await _Reader(sock, question, number, where).reply(seconds)
    except ConnectionRefusedError as error:
        raise Fault(Failure.QUERY_REFUSED, f"nothing listens at {where}") from error
    except OSError as error:
        raise fault_of(error, where) from error


class _Reader:
    """Looks at the datagrams that arrive for one question."""

    def __init__(self, sock: socket.socket, question: Question, number: int, where: str) -> None:
        self._sock = sock
        self._question = question
        self._number = number
        self._where = where
        self._passed_over: Counter[str] = Counter()
        self._unreadable: Fault | None = None
        self._loop = asyncio.get_running_loop()
        self._found: asyncio.Future[bytes | None] = self._loop.create_future()

    async def reply(self, seconds: float) -> bytes:
        """The bytes of the reply. OSError as the system reports it; Fault if none came in time."""
        self._loop.add_reader(self._sock.fileno(), self._read)
        timer = self._loop.call_later(seconds, self._settle, None)
        try:
            data = await self._found
        finally:
            timer.cancel()
            self._loop.remove_reader(self._sock.fileno())
        if data is not None:
            return data
        if self._unreadable is not None:
            # It had our id and our question, and came from where we asked: the server speaks badly.
            raise self._unreadable
        raise Fault(Failure.QUERY_TIMEOUT, self._silence(seconds))

    def _silence(self, seconds: float) -> str:
        within = f"{self._where} did not answer within {seconds * 1000:.0f} ms"
        seen = ", ".join(f"{what} ({count})" for what, count in self._passed_over.items())
        return f"{within}; what came instead: {seen}" if seen else within

    def _read(self) -> None:
        for _ in range(_DATAGRAMS_PER_WAKE_MAX):
            try:
                data = self._sock.recv(_MESSAGE_BYTES_MAX)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if not self._found.done():
                    self._found.set_exception(error)
                return
            if self._is_reply(data):
                self._settle(data)
                return
            if self._passed_over.total() >= DATAGRAMS_PASSED_OVER_MAX:
                # A flood. It is not looked at any longer, and the deadline ends the question.
                self._loop.remove_reader(self._sock.fileno())
                return

    def _is_reply(self, data: bytes) -> bool:
        mismatch = self._question.mismatch(self._number, data)
        if mismatch is None and not is_truncated(data):
            try:
                reply_of(data, self._where)
            except Fault as fault:
                self._unreadable = fault
                mismatch = "a message that cannot be read"
        if mismatch is not None:
            self._passed_over[mismatch] += 1
        return mismatch is None

    def _settle(self, data: bytes | None) -> None:
        if not self._found.done():
            self._found.set_result(data)
