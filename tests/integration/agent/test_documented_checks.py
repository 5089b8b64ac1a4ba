"""Every example of docs/checks.md, run by `vedette-agent probe` against real servers on loopback."""

import asyncio
import copy
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dns.flags
import dns.message
import dns.rcode
import pytest
import trustme
import yaml
from click.testing import CliRunner

from agent.cli.probe import probe
from tests.documentation import EXAMPLES
from tests.fakes.dns_target import name_server, reply_to, wire
from tests.fakes.tcp_target import LOOPBACK, response, routed, target

JSON = ("Content-Type: application/json",)
ROUTES = {
    "/health": response(b'{"ok": true}', headers=JSON),
    "/api/orders": response(b'{"orders": [1]}', "201 Created", JSON),
    "/": response(b"", "301 Moved Permanently", ("Location: /home", "Set-Cookie: a=1")),
    "/home": response(b"home"),
}


@dataclass(frozen=True, slots=True)
class Servers:
    """Ports of everything that the examples speak of, and the CA that stands behind TLS."""

    http: int
    https: int
    tls: int
    smtp: int
    dns: int
    ca: str


async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.shop.example ESMTP ready\r\n")
    assert (await reader.readline()).startswith(b"EHLO ")
    writer.write(b"250-mail.shop.example\r\n250 SIZE 1000\r\n")
    await reader.readline()
    writer.write(b"221 bye\r\n")
    await writer.drain()


async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"* OK ready\r\n")
    await reader.read()


def names(query: dns.message.QueryMessage) -> list[bytes]:
    name = query.question[0].name.to_text()
    if name.startswith("gone."):
        made = reply_to(query, [], dns.rcode.NXDOMAIN, flags=dns.flags.AA)
        return [wire(made)]
    return [wire(reply_to(query, [f"{name} 300 IN A 192.0.2.7"]))]


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("shop.example", "mail.shop.example").configure_cert(context)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(target(routed(ROUTES)))
        https = await stack.enter_async_context(target(routed(ROUTES), context))
        tls = await stack.enter_async_context(target(greeting, context))
        mail = await stack.enter_async_context(target(smtp))
        port = await stack.enter_async_context(name_server(names))
        yield Servers(
            http.port, https.port, tls.port, mail.port, port, ca.cert_pem.bytes().decode()
        )


def at_home(example: dict[str, Any], at: Servers) -> dict[str, Any]:
    """The example with its hosts replaced by ours; nothing else is touched."""
    check = copy.deepcopy(example)
    if "http" in check:
        parts = urlsplit(check["http"]["url"])
        port = at.https if parts.scheme == "https" else at.http
        check["http"]["url"] = f"{parts.scheme}://{LOOPBACK}:{port}{parts.path}"
        if parts.scheme == "https":
            check["http"]["tls"] = {"server_name": parts.hostname, "ca": at.ca}
    elif "dns" in check:
        check["dns"]["servers"] = [f"{LOOPBACK}:{at.dns}"]
    elif "tcp" in check:
        tcp = check["tcp"]
        if "tls" in tcp:
            tcp["tls"] |= {"server_name": tcp["host"], "ca": at.ca}
        tcp |= {"host": LOOPBACK, "port": at.tls if "tls" in tcp else at.smtp}
    else:
        check["icmp"]["host"] = LOOPBACK
    return check


@pytest.mark.parametrize("name", EXAMPLES)
async def test_the_example_works(name: str, tmp_path: Path) -> None:
    async with servers() as at:
        file = tmp_path / "check.yaml"
        file.write_text(yaml.safe_dump(at_home(EXAMPLES[name], at)))
        arguments = [str(file), "--json", "--allow", f"{LOOPBACK}/32", "--state", str(tmp_path)]
        result = await asyncio.to_thread(CliRunner().invoke, probe, arguments)
    assert result.exit_code == 0, result.output
    line = json.loads(result.output)
    assert (line["outcome"], line.get("kind")) == ("up", None)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if "http" in EXAMPLES[name]])
async def test_the_example_can_fail(name: str, tmp_path: Path) -> None:
    """An expectation that nothing can fail would prove nothing: here every page is the wrong one."""
    async with target(routed(dict.fromkeys(ROUTES, response(b"no", "500 No")))) as wrong:
        check = copy.deepcopy(EXAMPLES[name])
        check["http"]["url"] = wrong.url(urlsplit(check["http"]["url"]).path)
        file = tmp_path / "check.yaml"
        file.write_text(yaml.safe_dump(check))
        arguments = [str(file), "--json", "--allow", f"{LOOPBACK}/32", "--state", str(tmp_path)]
        result = await asyncio.to_thread(CliRunner().invoke, probe, arguments)
    assert result.exit_code == 1, result.output
