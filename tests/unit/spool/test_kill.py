import subprocess
import sys
from pathlib import Path
from random import Random

from agent.spool.queue import DiskSpool
from tests.unit.spool.lines import drained, numbers
from tests.unit.spool.writing import PROGRAM

ROUNDS = 6


def _killed_writer(directory: Path, after_lines: int) -> dict[tuple[str, str], int]:
    """What the writer said was durable before it was killed after that many words of it."""
    said: dict[tuple[str, str], int] = {}
    with subprocess.Popen(
        [sys.executable, *PROGRAM, str(directory)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for _ in range(after_lines):
            epoch, stream, seq = writer.stdout.readline().split()
            said[epoch, stream] = int(seq)
        writer.kill()
        for line in writer.stdout:
            if line.endswith("\n"):
                epoch, stream, seq = line.split()
                said[epoch, stream] = int(seq)
    return said


async def test_kill_9_in_a_loop_loses_no_durable_line_and_leaves_no_hole(tmp_path: Path) -> None:
    random = Random(7)
    for _ in range(ROUNDS):
        said = _killed_writer(tmp_path, random.randrange(2, 60))
        spool = DiskSpool.open(tmp_path)
        held = numbers(drained(spool))
        assert {epoch for epoch, _ in held} == {spool.epoch}
        for key, seq in said.items():
            assert held[key][: len(held[key])] == list(range(1, len(held[key]) + 1))
            assert seq <= len(held[key]) == spool.next_seq(key[1]) - 1
        await spool.close()
