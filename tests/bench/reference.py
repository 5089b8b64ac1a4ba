"""What this machine can do at most: gRPC that only counts lines, and SQLite that only takes rows.

Measured in the same run as our own figure, because machines differ and are noisy.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio

from vedette.v1 import session_pb2, session_pb2_grpc

Frames = list[session_pb2.Frame]


class _Counter(session_pb2_grpc.SessionServiceServicer):
    async def Connect(  # noqa: N802 - gRPC's name
        self,
        request_iterator: AsyncIterator[session_pb2.ConnectRequest],
        context: grpc.aio.ServicerContext[object, object],
    ) -> AsyncIterator[session_pb2.ConnectResponse]:
        seen = 0
        async for request in request_iterator:
            seen += len(request.frame.lines.splitlines())
        yield session_pb2.ConnectResponse(
            ack=session_pb2.Ack(durable=[session_pb2.Position(seq=seen)])
        )

    async def Renew(  # noqa: N802 - gRPC's name
        self,
        request: session_pb2.RenewRequest,
        context: grpc.aio.ServicerContext[object, object],
    ) -> session_pb2.RenewResponse:
        raise AssertionError("nobody renews here")


async def parse_only(frames: Frames) -> float:
    """Lines a second over plain gRPC into a server that parses messages, splits lines, and forgets."""
    server = grpc.aio.server()
    session_pb2_grpc.add_SessionServiceServicer_to_server(_Counter(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    async def requests() -> AsyncIterator[session_pb2.ConnectRequest]:
        for frame in frames:
            yield session_pb2.ConnectRequest(frame=frame)

    expected = sum(frame.count for frame in frames)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        started = time.perf_counter()
        async for response in session_pb2_grpc.SessionServiceStub(channel).Connect(requests()):
            assert response.ack.durable[0].seq == expected
        took = time.perf_counter() - started
    await server.stop(None)
    return expected / took


def raw_inserts(rows: int) -> float:
    """Narrow rows a second into SQLite (WAL, synchronous=FULL), 1,000 a transaction."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "raw.db", isolation_level=None)
        database.execute("pragma journal_mode=wal")
        database.execute("pragma synchronous=full")
        database.execute(
            "create table s (c int, t int, a int, q int, o int, k int, primary key (c, t, a, q)) without rowid"
        )
        batch = [(n % 50, n * 7, n % 3, n, 0, None) for n in range(rows)]
        started = time.perf_counter()
        for first in range(0, rows, 1000):
            database.execute("begin")
            database.executemany("insert into s values (?,?,?,?,?,?)", batch[first : first + 1000])
            database.execute("commit")
        took = time.perf_counter() - started
        database.close()
    return rows / took


if __name__ == "__main__":
    lines = b'{"v":1,"agent":"fra-1","seq":1}\n' * 500
    frame = session_pb2.Frame(first_seq=1, count=500, lines=lines)
    print(f"parse only {asyncio.run(parse_only([frame] * 200)):,.0f}/s")
    print(f"raw inserts {raw_inserts(200_000):,.0f}/s")
