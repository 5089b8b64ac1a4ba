"""What a site's owner writes holds at once, in a running agent process, whatever the controller orders."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.controller import HOST, FakeController
from tests.integration.agent.site import Process, Target, joined, running, serving
from vedette.v1 import session_pb2 as pb

ALLOW = f"allow: [{HOST}/32]\n"


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with serving() as made:
        yield made


def lines(controller: FakeController) -> list[dict[str, Any]]:
    return [json.loads(line) for held in controller.lines.values() for _, line in held.items()]


def kinds(controller: FakeController) -> list[str | None]:
    return [line.get("kind") for line in lines(controller)]


def health(controller: FakeController) -> list[pb.Health]:
    return [told for stream in controller.streams for told in stream.health]


async def stopped(process: Process) -> None:
    code, log = await process.terminate()
    assert code == 0, log


async def test_a_paused_site_sends_nothing_and_says_so_until_it_is_not(
    controller: FakeController, target: Target, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    await controller.assign(target.check("home"))
    process = await running(tmp_path)
    try:
        await target.until(lambda: target.hits >= 1)
        (tmp_path / "policy.yaml").write_text(ALLOW + "paused: true\n")
        await controller.until(lambda: health(controller) and health(controller)[-1].site.paused)
        hits = target.hits
        order = pb.ProbeOrder(checks=["home"], trigger=pb.PROBE_TRIGGER_CONFIRM)
        for _ in range(50):
            await controller.tell(pb.ConnectResponse(probe_now=order))
        (tmp_path / "policy.yaml").write_text(ALLOW)
        await controller.until(lambda: not health(controller)[-1].site.paused)
        assert health(controller)[-1].site.refused_orders == 50
        assert target.hits == hits
        await target.until(lambda: target.hits > hits)
    finally:
        await stopped(process)


async def test_a_policy_that_cannot_be_read_stops_all_probing(
    controller: FakeController, target: Target, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    await controller.assign(target.check("home"))
    process = await running(tmp_path)
    try:
        await target.until(lambda: target.hits >= 1)
        (tmp_path / "policy.yaml").write_text("pause: true\n")
        await controller.until(lambda: health(controller) and health(controller)[-1].site.paused)
    finally:
        _, log = await process.terminate()
    assert "policy.unreadable" in log
    assert "pause: expected no such key" in log


async def test_networks_that_are_denied_while_it_runs_are_not_reached_any_more(
    controller: FakeController, target: Target, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    await controller.assign(target.check("home"))
    process = await running(tmp_path)
    try:
        await target.until(lambda: target.hits >= 1)
        (tmp_path / "policy.yaml").write_text(ALLOW + f"deny: [{HOST}/32]\n")
        await controller.until(lambda: "policy_refused" in kinds(controller))
        refused = [line for line in lines(controller) if line.get("kind") == "policy_refused"]
        assert refused[0]["outcome"] == "agent_error"
        assert f"{HOST}/32, which this site denies" in refused[0]["detail"]
    finally:
        await stopped(process)


async def test_what_the_terms_refuse_is_a_line_and_a_report(
    controller: FakeController, target: Target, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    (tmp_path / "policy.yaml").write_text(
        ALLOW + f"ports: {{allow: [80, {target.port}]}}\nrates: {{target: 1/m}}\n"
    )
    fast = target.check("fast")
    other = target.check("other").replace(f":{target.port}/".encode(), b":8443/")
    await controller.assign(fast, other)
    process = await running(tmp_path)
    try:
        await controller.until(lambda: "policy_rate" in kinds(controller))
        by_kind = {line["kind"]: line for line in lines(controller) if "kind" in line}
        rate = by_kind["policy_rate"]
        assert rate["detail"] == f"this site runs 1/m probes of {HOST} at most"
        assert rate["outcome"] == "agent_error"
        assert target.hits == 2, "one a minute, and one for slack"
        told = controller.streams[0].assignment_acks[0].unrunnable
        assert [(one.check, one.reason) for one in told] == [
            ("other", f"port 8443 is none of those that this site allows (80, {target.port})")
        ]
    finally:
        await stopped(process)


async def test_an_endless_redirect_to_another_port_ends_at_the_sites_ports(
    controller: FakeController, tmp_path: Path
) -> None:
    inner = asyncio.Event()

    async def secret(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner.set()
        writer.close()

    hidden = await asyncio.start_server(secret, HOST, 0)
    port = hidden.sockets[0].getsockname()[1]

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 302 Found\r\nLocation: http://{HOST}:{port}/\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        writer.close()

    outer = await asyncio.start_server(redirect, HOST, 0)
    shown = Target()
    shown.port = outer.sockets[0].getsockname()[1]
    await joined(controller, tmp_path)
    (tmp_path / "policy.yaml").write_text(ALLOW + f"ports: {{allow: [{shown.port}]}}\n")
    await controller.assign(shown.check("home"))
    process = await running(tmp_path)
    try:
        await controller.until(lambda: "policy_port" in kinds(controller))
        assert not inner.is_set()
    finally:
        await stopped(process)
        outer.close()
        hidden.close()


async def test_a_hangup_reads_the_policy_again(
    controller: FakeController, target: Target, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    await controller.assign(target.check("home"))
    process = await running(tmp_path)
    try:
        await target.until(lambda: target.hits >= 1)
        before = (tmp_path / "policy.yaml").stat()
        (tmp_path / "policy.yaml").write_text(ALLOW + "paused: true\n")
        os.utime(tmp_path / "policy.yaml", ns=(before.st_atime_ns, before.st_mtime_ns))
        process.signal(signal.SIGHUP)
        await controller.until(lambda: health(controller) and health(controller)[-1].site.paused)
    finally:
        await stopped(process)
