"""A whole agent as its own process, and a target that it may probe."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from agent.config import policy_text
from agent.link.enrol import join
from tests.fakes.controller import HOST, REGION, WAIT_SECONDS_MAX, FakeController
from tests.integration.agent.machine import join_file_for
from vedette.shared.definitions import Check, canonical_bytes
from vedette.shared.probes import HttpProbe


class Target:
    """An HTTP server that answers 204 and counts."""

    def __init__(self) -> None:
        self.hits = 0
        self.port = 0
        self._changed = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
        self.hits += 1
        async with self._changed:
            self._changed.notify_all()

    async def until(self, claim: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS_MAX), self._changed:
            await self._changed.wait_for(claim)

    def check(self, name: str) -> bytes:
        """A check of this target, every second."""
        url = f"http://{HOST}:{self.port}/{name}"
        return canonical_bytes(
            Check(id=name, service="shop", every="1s", timeout="900ms", regions=[REGION],
                  http=HttpProbe(url=url))
        )  # fmt: skip


@asynccontextmanager
async def serving() -> AsyncIterator[Target]:
    target = Target()
    server = await asyncio.start_server(target.serve, HOST, 0)
    target.port = server.sockets[0].getsockname()[1]
    try:
        yield target
    finally:
        server.close()


async def joined(controller: FakeController, state: Path) -> None:
    """Enrol an agent whose site lets it probe this machine."""
    await join(join_file_for(controller), state, policy=policy_text([f"{HOST}/32"]))


class Process:
    """`vedette-agent` with these arguments."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        await self._process.communicate()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def terminate(self) -> tuple[int, str]:
        """SIGTERM; its exit code and its log."""
        self._process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> tuple[int, str]:
        """Its exit code and everything that it wrote, once it has ended."""
        out, _ = await asyncio.wait_for(self._process.communicate(), WAIT_SECONDS_MAX)
        assert self._process.returncode is not None
        return self._process.returncode, out.decode()


async def command(*arguments: str) -> Process:
    """Start `vedette-agent ARGUMENTS`."""
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'protos'}"}
    environment.pop("VEDETTE_AGENT_STATE", None)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment,
    )  # fmt: skip
    return Process(process)


async def running(state: Path) -> Process:
    """Start `vedette-agent run`."""
    return await command("run", "--state", str(state))
