"""What is probed: nginx and knot on loopback where they are installed, servers of our own where not."""

import asyncio
import shutil
import socket
import ssl
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trustme

from tests.bench.agent.place import ended, started

HOST: Final = "127.0.0.1"
ZONE: Final = "example.test"
NAME: Final = f"www.{ZONE}"
_UP_SECONDS_MAX: Final = 10.0
_NGINX: Final = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 2048; }}
http {{
  access_log off; server_tokens off; default_type text/plain;
  client_body_temp_path {folder}/web; proxy_temp_path {folder}/web; fastcgi_temp_path {folder}/web;
  uwsgi_temp_path {folder}/web; scgi_temp_path {folder}/web;
  server {{
    listen {host}:{http} backlog=2048; listen {host}:{https} ssl backlog=2048;
    ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;
    location / {{ return 200 "ok\\n"; }}
  }}
}}
"""
_KNOT: Final = """
server:
    rundir: {folder}/names
    listen: {host}@{dns}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: {folder}/names
zone:
  - domain: {zone}
    storage: {folder}
    file: zone
    zonefile-load: whole
"""
_RECORDS: Final = f"""\
{ZONE}. 3600 IN SOA ns1.{ZONE}. root.{ZONE}. 1000 7200 3600 86400 60
{ZONE}. 3600 IN NS ns1.{ZONE}.
ns1.{ZONE}. 3600 IN A 192.0.2.1
{NAME}. 3600 IN A 192.0.2.7
"""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the targets listen, who they are, and the CA of the TLS one."""

    http: int
    https: int
    dns: int
    web: str
    name_server: str
    ca_file: Path


@contextmanager
def targets(folder: Path, on: set[int]) -> Iterator[Targets]:
    """The targets, running on the cores `on` for as long as the block lasts."""
    ca = trustme.CA()
    certificate = ca.issue_cert(HOST)
    ca.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    (folder / "chain.pem").write_bytes(chain)
    http, https, dns = free_ports(3)
    nginx, knotd = program("nginx"), program("knotd")
    found = Targets(
        http, https, dns,
        web="nginx" if nginx else "a server of ours (nginx is not installed)",
        name_server="knot" if knotd else "a server of ours (knot is not installed)",
        ca_file=folder / "ca.pem",
    )  # fmt: skip
    values = {
        "folder": folder,
        "host": HOST,
        "http": http,
        "https": https,
        "dns": dns,
        "zone": ZONE,
    }
    for own in ("web", "names"):  # each takes its folder as its own
        (folder / own).mkdir()
    (folder / "nginx.conf").write_text(_NGINX.format(**values))
    (folder / "knot.conf").write_text(_KNOT.format(**values))
    (folder / "zone").write_text(_RECORDS)
    ours = [sys.executable, "-m", "tests.bench.agent.targets", folder, http, https, dns]
    with ExitStack() as running:
        for given, command in (
            (nginx, [nginx, "-c", folder / "nginx.conf", "-e", folder / "nginx.err"]),
            (knotd, [knotd, "-c", folder / "knot.conf"]),
            (not (nginx and knotd), [*ours, int(not nginx), int(not knotd)]),
        ):
            if given:
                process = started([str(part) for part in command], on, log=folder / "targets.log")
                running.callback(ended, process)
        for port in (http, https, dns):
            until_open(port)
        yield found


def program(name: str) -> str | None:
    """Path of a program, also where a user's search path does not lead."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")


def free_ports(count: int) -> list[int]:
    """Ports of loopback on which nobody listens, by TCP or UDP."""
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            tcp = held.enter_context(socket.socket())
            tcp.bind((HOST, 0))
            ports.append(int(tcp.getsockname()[1]))
        return ports


def until_open(port: int) -> None:
    """Return when something takes connections at `port`."""
    limit = time.monotonic() + _UP_SECONDS_MAX
    while True:
        with suppress(OSError), socket.create_connection((HOST, port), 1):
            return
        if time.monotonic() > limit:
            raise SystemExit(f"nothing listens at {HOST}:{port} after {_UP_SECONDS_MAX:.0f} s")
        time.sleep(0.05)


class _Web(asyncio.Protocol):
    """Answers whatever comes, and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
        self._transport.write(answer)  # type: ignore[attr-defined] # a stream transport
        self._transport.close()


class _Names(asyncio.DatagramProtocol):
    """Gives the same address for every question."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        end = data.index(b"\0", 12) + 5
        answer = struct.pack("!HHHIH4s", 0xC00C, 1, 1, 3600, 4, bytes((192, 0, 2, 7)))
        head = data[:2] + b"\x85\x00\0\1\0\1\0\0\0\0"
        self._transport.sendto(head + data[12:end] + answer, addr)  # type: ignore[attr-defined] # UDP


async def _serve(folder: Path, ports: list[int], *, web: bool, names: bool) -> None:
    loop, (http, https, dns) = asyncio.get_running_loop(), ports
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    if web:
        await loop.create_server(_Web, HOST, http, backlog=2048)
        await loop.create_server(_Web, HOST, https, backlog=2048, ssl=context)
    if names:
        await loop.create_server(_Web, HOST, dns)  # only to show that the port is ready
        await loop.create_datagram_endpoint(_Names, local_addr=(HOST, dns))
    await asyncio.Event().wait()


def main() -> None:
    """Serve what the arguments say: folder, three ports, and whether web and names are wanted."""
    folder, *numbers = sys.argv[1:]
    http, https, dns, web, names = (int(number) for number in numbers)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(Path(folder), [http, https, dns], web=bool(web), names=bool(names)))


if __name__ == "__main__":
    main()
