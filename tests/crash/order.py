"""What a power cut would take: whether every commit of the controller was on the disk before anybody was told of it.

A process that is killed loses nothing that it wrote; a machine does, but for what was synced. So the calls of one
life are read in their order: in the thread that writes the database's log of writes, nobody is woken between a write to
it and its sync.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_CALL: Final = re.compile(r"(\d+)\s+(\w+)\(\d+<([^>]*)>")
_WAL: Final = ".db-wal"
_WAKES: Final = ("sendto", "write", "sendmsg")
TRACED: Final = "pwrite64,fdatasync,sendto,write,sendmsg"


@dataclass
class Order:
    """Commits that were synced before anybody was woken, and places where somebody was woken before."""

    commits: int = 0
    told_early: list[str] = field(default_factory=list)


def words(trace: Path) -> list[str]:
    """The command line that writes a trace, before the program's own."""
    return ["strace", "-D", "-f", "-qq", "-y", "-s", "0", "-o", str(trace), "-e", f"trace={TRACED}"]


def order_in(trace: Path) -> Order:
    """What the trace of a life shows."""
    found = Order()
    dirty: set[str] = set()
    for thread, call, path in _calls(trace):
        if path.endswith(_WAL):
            if call == "pwrite64":
                dirty.add(thread)
            elif call == "fdatasync" and thread in dirty:
                dirty.discard(thread)
                found.commits += 1
        elif call in _WAKES and thread in dirty:
            found.told_early.append(
                f"{call} to {path} in thread {thread} before its writes were synced"
            )
    return found


def _calls(trace: Path) -> Iterator[tuple[str, str, str]]:
    for line in trace.read_text(errors="replace").splitlines():
        if (match := _CALL.match(line)) is not None:
            yield match[1], match[2], match[3]
