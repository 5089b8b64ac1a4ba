"""CPU of one plain HTTP probe, new connection each: `python -m tests.bench.probe_http [seconds]`.

The target is a process of its own on loopback, so that only the agent's CPU is counted: resolving,
policy, transport, httpx, expectations, verdict and the encoded line.
"""

import asyncio
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection

import msgspec

from agent.core.policy import Policy
from agent.probers.http import HttpProber
from agent.probers.network.admission import Admission
from agent.runtime.clock import SystemClock
from agent.runtime.executor import run_once
from agent.runtime.line import Place, encoded_line
from vedette.shared.definitions import Check

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
AT_ONCE = 8
PLACE = Place("bench", "bench", "bench", "bench", 1)


class Answering(asyncio.Protocol):
    """Answers whatever comes, and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(ANSWER)  # type: ignore[attr-defined] # a stream transport
        self.transport.close()


def serve(pipe: Connection) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def probes(port: int, seconds: float) -> tuple[int, float]:
    """(probes made, CPU seconds that they took)."""
    plain = {"id": "c", "service": "s", "http": {"url": f"http://127.0.0.1:{port}/"}}
    check = msgspec.convert(plain, Check)
    prober, clock = HttpProber(Admission(Policy.of(["127.0.0.0/8"]))), SystemClock()
    made = 0

    async def worker(until: float) -> None:
        nonlocal made
        while time.monotonic() < until:
            finding = await run_once(check, prober, clock)
            assert finding.outcome == "up", finding.detail
            encoded_line(finding, check, PLACE)
            made += 1

    await worker(time.monotonic() + 0.5)
    made, begun = 0, time.process_time()
    until = time.monotonic() + seconds
    await asyncio.gather(*(worker(until) for _ in range(AT_ONCE)))
    return made, time.process_time() - begun


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    port = ours.recv()
    for name, factory in (("asyncio", None), ("uvloop", uvloop_factory())):
        with asyncio.Runner(loop_factory=factory) as runner:
            made, cpu = runner.run(probes(port, seconds))
        print(f"{name:8} {made / seconds:8.0f} probes/s {cpu / made * 1e6:8.0f} us CPU a probe")
    server.terminate()


def uvloop_factory() -> "type[asyncio.AbstractEventLoop]":
    import uvloop

    return uvloop.Loop


if __name__ == "__main__":
    main()
