"""prometheus-blackbox-exporter, asked for the same probes at the same rate."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tests.bench.agent.place import cpu_us_of, ended, resident_mb_of, started
from tests.bench.agent.targets import HOST, NAME, Targets, free_ports, program, until_open

PROGRAM: Final = "prometheus-blackbox-exporter"
_CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Blackbox:
    """A running one."""

    port: int
    pid: int
    at: Targets

    def path(self, kind: str) -> str:
        """What to ask for one probe of `kind`."""
        target = {
            "http": f"http://{HOST}:{self.at.http}/",
            "https": f"https://{HOST}:{self.at.https}/",
            "dns": f"{HOST}:{self.at.dns}",
            "icmp": HOST,
        }[kind]
        return f"/probe?module={kind}&target={quote(target, safe='')}"

    def cost(self, kind: str, rate: int, warm: float, seconds: float) -> tuple[float, int, int]:
        """(CPU microseconds a probe, probes, probes that were no success) at `rate` probes a second."""
        return asyncio.run(self._asked(kind, rate, warm, seconds))

    @property
    def resident_mb(self) -> float:
        """Memory that it holds now."""
        return resident_mb_of(self.pid)

    async def _asked(
        self, kind: str, rate: int, warm: float, seconds: float
    ) -> tuple[float, int, int]:
        head = f"GET {self.path(kind)} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        asking = _Asking(self.port, head)
        begun = time.monotonic()
        workers = [
            asyncio.create_task(asking.work(begun + n / rate, _CONNECTIONS / rate))
            for n in range(_CONNECTIONS)
        ]
        try:
            await asyncio.sleep(warm)
            asking.done = asking.failed = 0
            cpu_us = cpu_us_of(self.pid)
            await asyncio.sleep(seconds)
            cpu_us, done, failed = cpu_us_of(self.pid) - cpu_us, asking.done, asking.failed
        finally:
            for worker in workers:
                worker.cancel()
            results = await asyncio.gather(*workers, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return cpu_us / max(done, 1), done, failed


@dataclass(slots=True)
class _Asking:
    """Keeps connections open as Prometheus does, and asks over them in turn."""

    port: int
    head: bytes
    done: int = 0
    failed: int = 0

    async def work(self, next_at: float, step: float) -> None:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            while True:
                await asyncio.sleep(max(next_at - time.monotonic(), 0))
                next_at += step
                writer.write(self.head)
                body = await _body(reader)
                self.done += 1
                self.failed += b"\nprobe_success 1" not in body
        finally:
            writer.close()


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return await reader.readexactly(int(line.partition(b":")[2]))
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)


@contextmanager
def blackbox(folder: Path, at: Targets, on: set[int]) -> Iterator[Blackbox | None]:
    """It, on the cores `on`; None where it is not installed."""
    path = program(PROGRAM)
    if path is None:
        yield None
        return
    ip4 = {"preferred_ip_protocol": "ip4"}
    modules = {
        "http": {"prober": "http", "http": ip4},
        "https": {"prober": "http", "http": {**ip4, "tls_config": {"ca_file": str(at.ca_file)}}},
        "dns": {"prober": "dns", "dns": {**ip4, "query_name": NAME, "query_type": "A"}},
        "icmp": {"prober": "icmp", "icmp": ip4},
    }
    config = folder / "blackbox.yml"
    config.write_text(json.dumps({"modules": modules}))
    (port,) = free_ports(1)
    process = started(
        [
            path,
            f"--config.file={config}",
            f"--web.listen-address={HOST}:{port}",
            "--log.level=error",
        ],
        on,
    )
    try:
        until_open(port)
        yield Blackbox(port, process.pid, at)
    finally:
        ended(process)
