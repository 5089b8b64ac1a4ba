"""S-3 end to end: a real agent whose clock is off, and the real controller that corrects or refuses it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.app import Agent, Options
from agent.config import policy_text
from agent.link.enrol import join
from agent.link.join_file import JoinFile
from agent.runtime.clock import SystemClock
from controller.identity.roles import Role
from controller.local import stored_lines
from tests.integration.rpc.running import Running, running
from vedette.shared.limits import SPOOL_BYTES_MIN
from vedette.v1 import access_pb2, access_pb2_grpc, fleet_pb2, fleet_pb2_grpc

SECOND = 1_000_000
WAIT_SECONDS_MAX = 40.0
FLEET = """\
version: 1
regions: [{{id: fra}}]
services: [{{id: shop}}]
checks:
  - id: home
    service: shop
    every: 1s
    timeout: 500ms
    tcp: {{host: 127.0.0.1, port: {port}}}
    quorum: {{min_evidence: 1, freshness: 5s}}
"""


class SkewedClock(SystemClock):
    """This machine's clock, set wrong; `skew_us` may be changed while it runs."""

    def __init__(self, skew_us: int) -> None:
        self.skew_us = skew_us

    def wall_us(self) -> int:
        return super().wall_us() + self.skew_us


class Scene:
    """A controller, and one agent in this very process whose clock is in our hands."""

    def __init__(self, controller: Running, state: Path, clock: SkewedClock) -> None:
        self.controller = controller
        self.state = state
        self.clock = clock

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not await asyncio.to_thread(holds):
            assert time.monotonic() < deadline, f"waited in vain for {what}"

    def listed(self) -> access_pb2.Agent:
        with self.controller.people() as channel:
            answer = access_pb2_grpc.AgentServiceStub(channel).ListAgents(
                access_pb2.ListAgentsRequest(), **self.controller.call(Role.AUDITOR)
            )
        return answer.agents[0]

    def vote(self) -> tuple[str, str]:
        with self.controller.people() as channel:
            answer = fleet_pb2_grpc.FleetServiceStub(channel).ListChecks(
                fleet_pb2.ListChecksRequest(), **self.controller.call(Role.AUDITOR)
            )
        label = answer.checks[0].labels[0]
        return label.label, label.reason

    def sample_us(self) -> int:
        with self.controller.people() as channel:
            answer = fleet_pb2_grpc.FleetServiceStub(channel).ListChecks(
                fleet_pb2.ListChecksRequest(), **self.controller.call(Role.AUDITOR)
            )
        return answer.checks[0].labels[0].sample_us

    def lines(self) -> list[dict[str, Any]]:
        """Every line that the controller holds."""
        return [json.loads(line) for line in stored_lines(self.controller.state, None)]


@asynccontextmanager
async def scene(folder: Path, skew_us: int) -> AsyncIterator[Scene]:
    target = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = target.sockets[0].getsockname()[1]
    with running(folder / "controller") as controller:
        applied = await asyncio.to_thread(controller.apply, FLEET.format(port=port).encode())
        assert not applied.problems
        token = await asyncio.to_thread(controller.join_token)
        file = JoinFile(
            version=1, address=token.enrol_address, token_id=token.token_id,
            token_secret=token.token_secret, ca_certificate=token.ca_certificate.decode(),
        )  # fmt: skip
        state = folder / "agent"
        await join(file, state, policy_text(["127.0.0.0/8"]))
        clock = SkewedClock(skew_us)
        options = Options(
            state=state, version="0.1.0", spool_bytes_max=64 * SPOOL_BYTES_MIN, clock=clock
        )
        agent = Agent(options)
        task = asyncio.create_task(agent.run())
        try:
            yield Scene(controller, state, clock)
        finally:
            agent.stop()
            await task
            target.close()


@pytest.mark.parametrize("skew_us", [30 * SECOND, -30 * SECOND])
async def test_s03_a_clock_that_is_off_is_corrected_and_its_samples_are_evidence(
    tmp_path: Path, skew_us: int
) -> None:
    async with scene(tmp_path, skew_us) as at:
        await at.until("evidence", lambda: at.vote()[0] == "UP")
        sample_us, now_us = await asyncio.to_thread(at.sample_us), time.time_ns() // 1000
        assert 0 <= now_us - sample_us < 3 * SECOND, "corrected to the controller's clock"
        await at.until("health", lambda: at.listed().HasField("clock_offset_us"))
        listed = await asyncio.to_thread(at.listed)
        assert abs(listed.clock_offset_us - skew_us) <= listed.clock_error_us + 1000
        assert not listed.skewed


@pytest.mark.parametrize("skew_us", [90 * SECOND, -90 * SECOND])
async def test_s03_a_clock_that_is_more_than_a_minute_off_gives_no_evidence_and_is_shown(
    tmp_path: Path, skew_us: int
) -> None:
    async with scene(tmp_path, skew_us) as at:
        await at.until("health", lambda: at.listed().skewed)
        await at.until("lines", lambda: at.listed().lines >= 2)
        label, reason = await asyncio.to_thread(at.vote)
        assert label == "NONE"
        assert reason.endswith("has a skewed clock")


async def test_a_clock_that_is_set_while_it_runs_is_measured_anew_and_lines_between_have_no_offset(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, 0) as at:
        await at.until("evidence", lambda: at.vote()[0] == "UP")
        stepped_us = time.time_ns() // 1000
        at.clock.skew_us = 40 * SECOND
        await at.until(
            "a new measurement",
            lambda: any(
                offset_of(line) == pytest.approx(40 * SECOND, abs=SECOND) for line in at.lines()
            ),
        )
        await at.until("evidence again", lambda: at.vote()[0] == "UP")
        for line in await asyncio.to_thread(at.lines):
            offset, is_new = offset_of(line), line["at"] > stepped_us + 30 * SECOND
            # Never a time of one clock with the offset of the other.
            assert offset is None or (abs(offset - 40 * SECOND) < SECOND) == is_new


def offset_of(line: dict[str, Any]) -> int | None:
    offset: int | None = line.get("clock", {}).get("offset", 0)
    return offset
