"""One question by UDP: a socket of its own, connected, and what comes back looked at until it is the reply.

The socket is connected, so that the system drops what comes from elsewhere and reports a closed port. Its
port is chosen by the system anew each time, which with the id is what a forger has to guess.
"""

import asyncio
import os
import socket
from collections import Counter
from typing import Final, Generic

from agent.probers.dns.question import Question
from agent.probers.dns.reply import Reading, T, is_truncated
from agent.probers.network.fault import Fault, fault_of
from agent.probers.network.stopwatch import Stopwatch
from vedette.shared.failure import Failure
from vedette.shared.limits import DATAGRAMS_PASSED_OVER_MAX

# The most that EDNS lets a check offer: a reply that is longer was asked for by nobody.
_MESSAGE_BYTES_MAX: Final = 4096
_DATAGRAMS_PER_WAKE_MAX: Final = 8


async def by_datagram(
    question: Question, address: str, port: int, watch: Stopwatch, reading: Reading[T]
) -> tuple[T | None, int]:
    """(what `reading` makes of the reply to `question` by UDP, or None if it is truncated; when it arrived).

    The time is that of `watch` when the bytes were there, before anything was made of them. Other datagrams are passed over: anyone can send one, and the reply may still come. Fault if it does not
    in the time that `watch` leaves, or if the port is closed.
    """
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((address, port))
            number = int.from_bytes(os.urandom(2))
            sock.send(question.wire(number))
            return await _Reader(sock, question, number, where, watch, reading).reply()
    except ConnectionRefusedError as error:
        raise Fault(Failure.QUERY_REFUSED, f"nothing listens at {where}") from error
    except OSError as error:
        raise fault_of(error, where) from error


class _Reader(Generic[T]):
    """Looks at the datagrams that arrive for one question."""

    def __init__(
        self,
        sock: socket.socket,
        question: Question,
        number: int,
        where: str,
        watch: Stopwatch,
        reading: Reading[T],
    ) -> None:
        self._sock = sock
        self._question = question
        self._number = number
        self._where = where
        self._watch = watch
        self._reading = reading
        self._read_us = 0
        self._made: T | None = None
        self._passed_over: Counter[str] = Counter()
        self._unreadable: Fault | None = None
        self._loop = asyncio.get_running_loop()
        self._found: asyncio.Future[bool] = self._loop.create_future()

    async def reply(self) -> tuple[T | None, int]:
        """What the reply says, and when it arrived. OSError as the system reports it; Fault if none came in time."""
        seconds = self._watch.left_us / 1e6
        self._loop.add_reader(self._sock.fileno(), self._read)
        timer = self._loop.call_later(seconds, self._settle, False)
        try:
            is_there = await self._found
        finally:
            timer.cancel()
            self._loop.remove_reader(self._sock.fileno())
        if is_there:
            return self._made, self._read_us
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
                data = self._sock.recv(_MESSAGE_BYTES_MAX + 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if not self._found.done():
                    self._found.set_exception(error)
                return
            self._read_us = self._watch.clock()
            if self._is_reply(data):
                self._settle(True)
                return
            if self._passed_over.total() >= DATAGRAMS_PASSED_OVER_MAX:
                # A flood. It is not looked at any longer, and the deadline ends the question.
                self._loop.remove_reader(self._sock.fileno())
                return

    def _is_reply(self, data: bytes) -> bool:
        mismatch = self._question.mismatch(self._number, data)
        if mismatch is None and len(data) > _MESSAGE_BYTES_MAX:
            mismatch = f"more than {_MESSAGE_BYTES_MAX} bytes"
        if mismatch is None and not is_truncated(data):
            try:
                self._made = self._reading(data, self._where)
            except Fault as fault:
                self._unreadable = fault
                mismatch = "a message that cannot be read"
        if mismatch is not None:
            self._passed_over[mismatch] += 1
        return mismatch is None

    def _settle(self, is_there: bool) -> None:
        if not self._found.done():
            self._found.set_result(is_there)
