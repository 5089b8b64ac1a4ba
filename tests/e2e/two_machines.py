"""Two machines with a wire between them: network namespaces where they can be made, else one loopback."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Of the range for benchmarks (RFC 2544), and in namespaces of their own: nothing else is reached by it.
HERE, THERE = "198.18.77.1", "198.18.77.2"


@dataclass(frozen=True, slots=True)
class Wire:
    """`host` is how the other machine reaches the first one; `prefix` runs a command on each."""

    host: str
    here: Sequence[str]
    there: Sequence[str]
    is_another_network: bool

    def port(self, wanted: int) -> int:
        """`wanted` on a machine of its own; a free one on a shared loopback."""
        if self.is_another_network:
            return wanted
        with socket.socket() as sock:
            sock.bind((self.host, 0))
            port: int = sock.getsockname()[1]
            return port


@contextlib.contextmanager
def wired() -> Iterator[Wire]:
    """Two namespaces and a wire, gone afterwards; loopback for whoever may not make them."""
    here, there = (f"vdt-{side}-{os.getpid()}" for side in ("a", "b"))
    with contextlib.ExitStack() as undo:
        if os.geteuid() != 0 or shutil.which("ip") is None or not _made(here, there, undo):
            yield Wire("127.0.0.1", (), (), is_another_network=False)
            return
        inside = ("ip", "netns", "exec")
        yield Wire(HERE, (*inside, here), (*inside, there), is_another_network=True)


def _made(here: str, there: str, undo: contextlib.ExitStack) -> bool:
    steps = [["netns", "add", here], ["netns", "add", there]]
    steps += [
        ["-n", here, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", there]
    ]
    for name, address in ((here, HERE), (there, THERE)):
        steps += [["-n", name, "address", "add", f"{address}/30", "dev", "wire"]]
        steps += [["-n", name, "link", "set", device, "up"] for device in ("lo", "wire")]
    steps += [["netns", "exec", name, "true"] for name in (here, there)]
    for step in steps:
        if subprocess.run(["ip", *step], capture_output=True, check=False).returncode != 0:
            return False
        if step[:2] == ["netns", "add"]:
            undo.callback(subprocess.run, ["ip", "netns", "delete", step[2]], check=False)
    return True


def connections_to(port: int, process: int) -> int:
    """Open TCP connections to `port` in the network of that process (proc(5), net/tcp)."""
    count = 0
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            rows = Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]
            fields = [row.split() for row in rows]
            count += sum(f[2].endswith(f":{port:04X}") and f[3] == "01" for f in fields)
    return count
