"""A TCP connection as reads and writes: bounded read-ahead, errors as faults."""

import asyncio
from collections.abc import Sequence
from typing import cast

from agent.probers.network.fault import Fault, fault_of
from agent.probers.network.stopwatch import Microseconds
from vedette.shared.failure import Failure
from vedette.shared.limits import READ_AHEAD_BYTES_MAX


class Stream(asyncio.Protocol):
    """One connection. What the target sends ahead of reading is bounded by pausing the socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._transport: asyncio.Transport | None = None
        self._chunks: list[bytes] = []
        self._size = 0
        self._is_paused = False
        self._is_full = False
        self._is_over = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        # uvloop's transports do as asyncio.Transport does without being one.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        self._chunks.append(data)
        self._size += len(data)
        if self._size >= READ_AHEAD_BYTES_MAX and not self._is_paused and self._transport:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Called by the loop. The connection stays half open until it is closed here."""
        self._is_over = True
        self._wake()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._is_over = True
        self._is_full = False
        self._error = exc
        self._wake()

    def pause_writing(self) -> None:
        """Called by the loop when the target does not take what was written."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Called by the loop when it has."""
        self._is_full = False
        self._wake()

    async def read(self) -> bytes:
        """What has arrived, at least a byte; empty when the target has closed. Fault if it was cut off."""
        while not self._chunks and not self._is_over:
            await self._wait()
        if self._chunks:
            data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
            self._chunks.clear()
            self._size = 0
            if self._is_paused and self._transport and not self._is_over:
                self._is_paused = False
                self._transport.resume_reading()
            return data
        if isinstance(self._error, OSError):
            raise fault_of(self._error, self.address) from self._error
        return b""

    def write(self, data: bytes) -> None:
        """Send `data` as soon as the system takes it."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def drain(self) -> None:
        """Return when the system has taken everything that was written. Fault if the target is gone."""
        while self._is_full:
            await self._wait()
        if isinstance(self._error, OSError):
            raise fault_of(self._error, self.address) from self._error

    def close(self) -> None:
        """Close now; what was not sent is dropped."""
        if self._transport is not None:
            if self._is_full or self._is_paused:
                self._transport.abort()
            else:
                self._transport.close()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def connected(
    addresses: Sequence[str], port: int, timeout_us: int, clock: Microseconds
) -> Stream:
    """A connection to the first of `addresses` that takes one, tried in order.

    Each address gets an even share of the time that is left, so that a silent one does not use up the
    time of the others. Fault of the last attempt that the target had a part in, else of the last one.
    """
    loop = asyncio.get_running_loop()
    ends_us = clock() + timeout_us
    worst: Fault | None = None
    for place, address in enumerate(addresses):
        share = max(ends_us - clock(), 0) / (len(addresses) - place) / 1e6
        where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        try:
            async with asyncio.timeout(share):
                _, stream = await loop.create_connection(
                    lambda address=address: Stream(address),  # type: ignore[misc] # bound per turn
                    address,
                    port,
                )
                return stream
        except TimeoutError as error:
            fault = Fault(
                Failure.CONNECT_TIMEOUT, f"no connection to {where} within {share * 1000:.0f} ms"
            )
            fault.__cause__ = error
        except OSError as error:
            fault = fault_of(error, where)
            fault.__cause__ = error
        if worst is None or worst.kind.is_agent_fault or not fault.kind.is_agent_fault:
            worst = fault
    assert worst is not None
    raise worst
