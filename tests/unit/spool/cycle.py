"""One cycle of a spool in a process of its own: write, flush, seal, acknowledge, trim. Tells what it promised.

Nothing random decides what it does, so that a fault at the N-th call of a kind is always the same fault. It
speaks through a socket: what it says is then no `write`, and is not counted among those of the disk.
"""

import asyncio
import hashlib
import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from agent.ports import SEALS_SUFFIX
from agent.spool.queue import DiskSpool
from tests.unit.spool.lines import drained
from tests.unit.spool.sealing import Sealed

PROGRAM = ["-c", "from tests.unit.spool.cycle import main; main()"]
ROUNDS = 2


class Voice:
    """Says things to whoever holds the other end of the socket."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)

    def say(self, *words: object) -> None:
        self._socket.send(" ".join(map(str, words)).encode() + b"\n")


def tell_durable(spool: DiskSpool, voice: Voice) -> None:
    """Every line and note that may be sent from now on."""
    for batch in drained(spool):
        for seq, line in enumerate(batch.lines, batch.first_seq):
            kind = "NOTE" if batch.stream.endswith(SEALS_SUFFIX) else "LINE"
            voice.say(kind, batch.epoch, batch.stream, seq, hashlib.sha256(line).hexdigest())


async def cycle(directory: Path, voice: Voice) -> None:
    """Lines of two streams, sealed, acknowledged and trimmed; an epoch opened after each round."""
    site = Sealed(directory)
    spool = site.spool
    for _ in range(ROUNDS):
        voice.say("EPOCH", spool.epoch)
        site.run_slot()
        site.write(stream="dns")
        await spool.sync()
        tell_durable(spool, voice)
        await site.sealer.seal()
        tell_durable(spool, voice)
        acked = {key: spool.last_held(key) for key in spool.held() if key[0] == spool.epoch}
        for (epoch, stream), seq in sorted(acked.items()):
            voice.say("ACKED", epoch, stream, seq)
        spool.acknowledge(acked)
        spool.open_epoch("a test")
    await spool.sync()
    voice.say("DROPPED", spool.depth().dropped)
    await spool.close()


async def _inline(work: Callable[..., Any], *arguments: Any) -> Any:
    """asyncio.to_thread without a thread: strace counts calls by thread, and here every one must count."""
    return work(*arguments)


def main() -> None:
    logging.disable()
    asyncio.to_thread = _inline  # type: ignore[assignment]  # for this process only
    voice = Voice(int(sys.argv[2]))
    try:
        asyncio.run(cycle(Path(sys.argv[1]), voice))
    except AgentError as error:
        voice.say("FATAL", error)
        sys.exit(3)
