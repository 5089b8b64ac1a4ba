"""A process that writes lines for ever and says which are durable, so that a test can kill it."""

import asyncio
import sys
from pathlib import Path

from agent.spool.queue import DiskSpool
from tests.unit.spool.lines import fill

PROGRAM = ["-c", "from tests.unit.spool.writing import main; main()"]


async def _write(directory: Path) -> None:
    spool = DiskSpool.open(directory, bytes_max=64 * 1024 * 1024)
    while True:
        fill(spool, "shop", 7, pad=150)
        fill(spool, "dns", 3)
        await spool.sync()
        for stream in ("shop", "dns"):
            print(spool.epoch, stream, spool.next_seq(stream) - 1, flush=True)


def main() -> None:
    asyncio.run(_write(Path(sys.argv[1])))
