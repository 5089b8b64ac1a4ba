"""One question to a name server: by UDP, and again by TCP where the answer is too large for that.

What comes back is looked at until it is the reply. Anyone can send a datagram, so others are passed over, but they are
told of: a server that only ever sends what cannot be read is another finding than one that is silent.
"""

import asyncio
import socket
from collections import Counter
from typing import Final

import dns.exception
import dns.message

from agent.probers.network.fault import Fault
from vedette.shared.failure import Failure
from vedette.shared.limits import DATAGRAMS_PASSED_OVER_MAX, NAME_REPLY_BYTES_MAX

_HEAD_BYTES: Final = 12
_QR: Final = 0x80
_TC: Final = 0x02
_LENGTH_BYTES: Final = 2
_UNREADABLE: Final = (dns.exception.DNSException, EOFError, ValueError)


class NameReply:
    """The reply to `query` by the server at `address` and `port`, and what came in its place so far."""

    def __init__(self, query: dns.message.QueryMessage, address: str, port: int) -> None:
        self._query = query
        self._wire = query.to_wire()
        self._address, self._port = address, port
        self._where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        self._instead: Counter[str] = Counter()
        self.unreadable: str | None = None
        """Why the message that was the reply, by its id, could not be read."""

    @property
    def instead(self) -> str:
        """What came that was no reply, in words; empty if nothing did."""
        return ", ".join(f"{what} ({count})" for what, count in self._instead.items())

    async def message(self) -> dns.message.QueryMessage:
        """The reply. It is waited for until this is cancelled; OSError as the system reports it."""
        found = await self._by_datagram()
        return await self._by_stream() if found is None else found

    async def _by_datagram(self) -> dns.message.QueryMessage | None:
        """None where the reply is truncated. The socket is connected: a closed port is reported, strangers are dropped."""
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((self._address, self._port))
            await loop.sock_sendall(sock, self._wire)
            while self._instead.total() < DATAGRAMS_PASSED_OVER_MAX:
                data = await loop.sock_recv(sock, NAME_REPLY_BYTES_MAX + 1)
                if self._is_mine(data):
                    if data[2] & _TC:
                        return None
                    if found := self._read(data):
                        return found
        said = (
            f"{self._where} sent {self._instead.total()} messages that are no reply: {self.instead}"
        )
        raise Fault(Failure.RESOLVE_FAILED, said)

    async def _by_stream(self) -> dns.message.QueryMessage:
        reader, writer = await asyncio.open_connection(self._address, self._port)
        try:
            writer.write(len(self._wire).to_bytes(_LENGTH_BYTES) + self._wire)
            length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
            if length > NAME_REPLY_BYTES_MAX:
                most = f"at most {NAME_REPLY_BYTES_MAX} are read"
                said = f"the reply of {self._where} has {length} bytes, and {most}"
                raise Fault(Failure.RESOLVE_FAILED, said)
            data = await reader.readexactly(length)
        finally:
            writer.close()
        found = self._read(data) if self._is_mine(data) else None
        if found is None:
            said = self.unreadable or f"by TCP came {self.instead}"
            raise Fault(Failure.RESOLVE_FAILED, f"{self._where} speaks badly: {said}")
        return found

    def _is_mine(self, data: bytes) -> bool:
        if len(data) > NAME_REPLY_BYTES_MAX:
            odd = f"more than {NAME_REPLY_BYTES_MAX} bytes"
        elif len(data) < _HEAD_BYTES:
            odd = "less than the head of a message"
        elif data[:2] != self._wire[:2]:
            odd = "another id"
        elif not data[2] & _QR:
            odd = "a question"
        else:
            return True
        self._instead[odd] += 1
        return False

    def _read(self, data: bytes) -> dns.message.QueryMessage | None:
        try:
            found = dns.message.from_wire(data)
        except _UNREADABLE as error:
            self._instead["a message that cannot be read"] += 1
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
            self.unreadable = f"its reply cannot be read: {why}"
            return None
        if isinstance(found, dns.message.QueryMessage) and self._query.is_response(found):
            return found
        self._instead["another question"] += 1
        return None
