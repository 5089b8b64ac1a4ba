"""A TLS server that takes a known time for each phase, and writes down how long it really took.

One thread a connection and blocking sockets: what it does is simple enough to be the truth. For each
connection: wait, shake hands, read the request, wait, send the head and half of the body, wait, send the rest.
Until its standard input ends; then it prints what it did, as JSON.
"""

import itertools
import json
import os
import socket
import ssl
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests.bench.agent.targets import HOST

DELAYS_MS: Final = ((5, 20, 10), (12, 8, 3), (2, 40, 15), (20, 3, 6))
_BODY: Final = b"x" * 1000
_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\nConnection: close\r\n\r\n"


def _us() -> int:
    return time.monotonic_ns() // 1000


def answer(
    plain: socket.socket, context: ssl.SSLContext, delays_ms: tuple[int, ...]
) -> dict[str, Any]:
    """Serve one connection; what it was asked for and how long each phase took here."""
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    at, begun = time.time_ns() // 1000, _us()
    before_tls, before_byte, before_end = (ms / 1000 for ms in delays_ms)
    time.sleep(before_tls)
    with context.wrap_socket(plain, server_side=True) as tls:
        ready = _us()
        request = tls.recv(65536)
        asked = _us()
        time.sleep(before_byte)
        first = _us()
        tls.sendall(_HEAD + _BODY)
        time.sleep(before_end)
        last = _us()
        tls.sendall(_BODY)
    path = request.split(b" ", 2)[1].decode()
    phases = {"tls": ready - begun, "first_byte": first - asked, "transfer": last - first}
    return {"check": path.strip("/"), "at": at, "phases": phases}


def _first_in_line() -> None:
    """Run before everything else on this core, if the system allows it.

    What it writes down is the truth only if it runs when it is woken, and it shares its core with the other
    targets.
    """
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def main() -> None:
    _first_in_line()
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    context.num_tickets = 0
    done: list[dict[str, Any]] = []
    listening = socket.create_server((HOST, port), backlog=256)
    turns = itertools.cycle(DELAYS_MS)

    def one(plain: socket.socket) -> None:
        with suppress(OSError, IndexError):
            done.append(answer(plain, context, next(turns)))

    def accepting() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listening.accept()
                threading.Thread(target=one, args=(plain,), daemon=True).start()

    threading.Thread(target=accepting, daemon=True).start()
    sys.stdin.read()
    listening.close()
    print(json.dumps(done))


if __name__ == "__main__":
    main()
