"""Every crash point of a flush, a seal and a trim: killed or failed at the N-th call, for every N there is."""

import hashlib
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.ports import SEALS_SUFFIX
from tests.unit.spool.cycle import PROGRAM
from tests.unit.spool.lines import Key, drained
from tests.unit.spool.sealing import Sealed, checked

CALLS_MAX = 60
KILLED = -9
FATAL = 3

needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None,
    reason="strace injects the faults and is not installed (apt-get install strace)",
)


@dataclass
class Promises:
    """What a process said before its end."""

    code: int
    lines: dict[tuple[str, str, int], str] = field(default_factory=dict)
    notes: dict[tuple[str, str, int], str] = field(default_factory=dict)
    acked: dict[Key, int] = field(default_factory=dict)
    dropped: int = 0
    fatal: str = ""
    errors: str = ""

    def hear(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind == "FATAL":
            self.fatal = rest
        elif kind == "DROPPED":
            self.dropped = int(rest)
        elif kind == "ACKED":
            epoch, stream, seq = rest.split()
            self.acked[epoch, stream] = int(seq)
        elif kind in ("LINE", "NOTE"):
            epoch, stream, seq, digest = rest.split()
            said = self.lines if kind == "LINE" else self.notes
            assert said.setdefault((epoch, stream, int(seq)), digest) == digest


def run_with(directory: Path, injected: str | None) -> Promises:
    """One cycle in a process, with a fault if one is given."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    program = [sys.executable, *PROGRAM, str(directory), str(there.fileno())]
    if injected is not None:
        program = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={injected}", *program]
    with subprocess.Popen(
        program, pass_fds=[there.fileno()], stderr=subprocess.PIPE, text=True
    ) as process:
        there.close()
        promises = Promises(0)
        while said := here.recv(65536):
            promises.hear(said.decode().rstrip("\n"))
        _, promises.errors = process.communicate()
        promises.code = process.returncode
    here.close()
    return promises


async def require_kept(directory: Path, promises: Promises) -> None:
    """Restart: what was promised is there, nothing has a hole or two faces, and it goes on."""
    site = Sealed(directory)
    await site.spool.sync()
    held = {
        (batch.epoch, batch.stream, seq): hashlib.sha256(line).hexdigest()
        for batch in drained(site.spool)
        for seq, line in enumerate(batch.lines, batch.first_seq)
    }
    for key, digest in {**promises.lines, **promises.notes}.items():
        if key[2] > promises.acked.get(key[:2], 0):
            assert held.get(key) == digest, f"{key} was durable"
        else:
            assert held.get(key, digest) == digest, f"{key} has two faces"
    for _ in range(2):
        site.run_slot()
        site.write(stream="dns")
        await site.sealer.seal()
    for epoch, stream in sorted(site.spool.held()):
        if stream.endswith(SEALS_SUFFIX):
            continue
        seals = checked(site.spool, (epoch, stream))
        first = min((s.number for s in seals), default=0)
        before = promises.notes.get((epoch, stream + SEALS_SUFFIX, first - 1))
        if seals and before is not None:
            assert seals[0].prev == before, "the chain goes on from what was promised"
        if epoch == site.spool.epoch:
            assert seals[-1].payload.last == site.spool.next_seq(stream) - 1
    await site.spool.close()


async def enumerated(folder: Path, call: str, fault: str) -> list[Promises]:
    """The cycle with the fault at each call in turn, until there are no more calls."""
    seen: list[Promises] = []
    for number in range(1, CALLS_MAX):
        directory = folder / str(number)
        promises = run_with(directory, f"{call}:{fault}:when={number}")
        assert "Traceback" not in promises.errors, promises.errors
        await require_kept(directory, promises)
        if fault.startswith("signal") and promises.code == 0:
            return seen
        seen.append(promises)
        shutil.rmtree(directory)
        if fault.startswith("error") and number >= calls_of(call):
            return seen
    raise AssertionError(f"more than {CALLS_MAX} calls of {call}")


_COUNTS: dict[str, int] = {}


def calls_of(call: str) -> int:
    """How many calls of a kind a whole cycle makes, counted once."""
    return _COUNTS[call]


@pytest.fixture(autouse=True)
def counted(tmp_path: Path) -> None:
    """Count the calls of an undisturbed cycle."""
    if _COUNTS or shutil.which("strace") is None:
        return
    trace = tmp_path / "trace"
    here, there = socket.socketpair()
    kinds = ("fsync", "rename", "write", "unlink")
    subprocess.run(
        ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={','.join(kinds)}",
         sys.executable, *PROGRAM, str(tmp_path / "counted"), str(there.fileno())],
        pass_fds=[there.fileno()], check=True,
    )  # fmt: skip
    here.close()
    there.close()
    text = trace.read_text()
    _COUNTS.update({kind: text.count(f" {kind}(") for kind in kinds})


async def test_an_undisturbed_cycle_leaves_nothing_behind(tmp_path: Path) -> None:
    promises = run_with(tmp_path / "spool", None)
    assert (promises.code, promises.errors, promises.dropped) == (0, "", 0)
    assert len(promises.lines) == len(promises.notes) == 4
    await require_kept(tmp_path / "spool", promises)


@needs_strace
@pytest.mark.parametrize("call", ["fsync", "rename", "write", "unlink"])
async def test_killed_at_every_call_nothing_that_was_promised_is_lost(
    tmp_path: Path, call: str
) -> None:
    seen = await enumerated(tmp_path, call, "signal=KILL")
    assert len(seen) >= calls_of(call) > 0
    assert {promises.code for promises in seen} == {KILLED}


@needs_strace
@pytest.mark.parametrize("call", ["fsync", "rename", "write", "unlink"])
async def test_a_disk_that_fails_at_any_call_stops_the_process_in_one_sentence(
    tmp_path: Path, call: str
) -> None:
    for promises in await enumerated(tmp_path, call, "error=EIO"):
        assert promises.code == FATAL
        assert "Input/output error" in promises.fatal
        assert promises.dropped == 0


@needs_strace
@pytest.mark.parametrize("call", ["fsync", "rename", "write"])
async def test_a_disk_that_is_full_at_any_call_loses_nothing_that_is_not_counted(
    tmp_path: Path, call: str
) -> None:
    for promises in await enumerated(tmp_path, call, "error=ENOSPC"):
        assert promises.code in (0, FATAL)
        if promises.code == FATAL:
            assert "No space left on device" in promises.fatal
        else:
            assert len(promises.lines) + promises.dropped == 4
