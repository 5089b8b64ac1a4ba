"""An agent's own part in trust: it recovers by itself, leaves when revoked, and shows no secret."""

import asyncio
import datetime as dt
import logging
from pathlib import Path
from typing import Final

import grpc
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.core.secrets import Secret
from agent.errors import Revoked
from agent.link.enrol import join
from agent.link.identity import Identity
from agent.ports import AssignedCheck, Assignment, Observation, SealedSecret
from agent.runtime.assignments import StoredAssignment
from agent.runtime.clock import SystemClock
from agent.runtime.executor import run_once
from agent.runtime.keyring import Keyring, SecretiveProber
from tests.fakes.controller import AGENT, FakeController
from tests.integration.agent.machine import join_file_for, machine
from tests.integration.agent.site import command, joined, running, serving
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.identity import REVOKED_METADATA
from vedette.shared.probes import HttpProbe
from vedette.shared.result import Outcome
from vedette.shared.sealing import SealLabel, sealed

REVOKED: Final = (
    grpc.StatusCode.PERMISSION_DENIED,
    "Agent fra-1 was revoked at 2026-06-11T10:00:00Z: stolen",
    ((REVOKED_METADATA, "1"),),
)
CANARY: Final = "canary-5f1d"
CHECK: Final = Check(
    id="home", service="shop",
    http=HttpProbe(url="https://shop.example/", headers={"X-Key": "${secret:tok}"}),
)  # fmt: skip


def everything_below(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def joined_long_ago(controller: FakeController, state: Path) -> None:
    """Enrol, with a certificate that ended an hour ago."""
    controller.authority.age = dt.timedelta(hours=25)
    await join(join_file_for(controller), state)
    controller.authority.age = dt.timedelta(0)


# --- recovery


async def test_past_the_end_of_its_certificate_an_agent_recovers_by_itself(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined_long_ago(controller, tmp_path)
    async with machine(controller, tmp_path) as site:
        site.write(2)
        await controller.until(lambda: controller.durable.get(site.key) == 2)
        # The new certificate has worked, and is now the one in use.
        assert site.identity.candidate() is None
    assert controller.recovered == 1
    async with machine(controller, tmp_path) as site:
        site.write(1)
        await controller.until(lambda: controller.durable.get(site.key) == 3)
    assert controller.recovered == 1


async def test_a_recovery_that_is_refused_is_said_once_and_tried_again(
    controller: FakeController, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await joined_long_ago(controller, tmp_path)
    sentence = "Agent fra-1 recovered more than 10 times in 30 days."
    controller.refuses_recovery = (grpc.StatusCode.PERMISSION_DENIED, sentence)
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.calls > 3)
        controller.refuses_recovery = None
        site.write(1)
        await controller.until(lambda: controller.durable.get(site.key) == 1)
    reasons = [vars(r)["reason"] for r in caplog.records if r.message == "link.disconnected"]
    assert [sentence in reason for reason in reasons] == [True]


async def test_a_recovered_certificate_that_could_not_be_used_yet_is_used_later(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined_long_ago(controller, tmp_path)
    controller.refused_at_the_door = (grpc.StatusCode.UNAVAILABLE, "Not now.")
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.recovered and controller.calls > 2)
        controller.refused_at_the_door = None
        site.write(1)
        await controller.until(lambda: controller.durable.get(site.key) == 1)


# --- revocation


async def test_a_revoked_agent_does_not_come_again(
    controller: FakeController, tmp_path: Path
) -> None:
    controller.refused_at_the_door = REVOKED
    async with machine(controller, tmp_path) as site:
        with pytest.raises(Revoked, match="was revoked at 2026-06-11T10:00:00Z: stolen"):
            await asyncio.wait_for(site.running[1], 10)
    assert controller.calls == 1


async def test_a_revoked_agent_says_so_in_one_sentence_and_exits_with_3(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    controller.refused_at_the_door = REVOKED
    agent = await running(tmp_path)
    code, log = await agent.ended()
    assert code == 3
    sentences = [line for line in log.splitlines() if line.startswith("Error:")]
    (sentence,) = sentences
    assert sentence.startswith("Error: The controller at 127.0.0.1:")
    assert sentence.endswith(" refused: Agent fra-1 was revoked at 2026-06-11T10:00:00Z: stolen.")
    assert "Traceback" not in log


async def test_a_revoked_agent_stays_away_over_restarts_and_probes_nothing(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    async with serving() as target:
        await controller.assign(target.check("home"))
        agent = await running(tmp_path)
        await target.until(lambda: target.hits > 0)
        await agent.kill()
        controller.refused_at_the_door = REVOKED
        await (await running(tmp_path)).ended()
        hits, calls = target.hits, controller.calls

        code, log = await (await running(tmp_path)).ended()
        assert (code, target.hits, controller.calls) == (3, hits, calls)
    assert "This agent was revoked, and does not run again." in log
    assert "stolen" in log
    code, shown = await (await command("status", "--state", str(tmp_path))).ended()
    assert (code, shown.splitlines()[0].split()[0]) == (1, "REVOKED")


# --- secrets


def keyring() -> tuple[Keyring, SealedSecret]:
    key = X25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    data = sealed(CANARY, public, SealLabel(AGENT, "tok", 4))
    return Keyring(AGENT, key), SealedSecret("tok", 4, data)


class Echo:
    """A prober whose target sends back what it was asked with, or that breaks on it."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.asked: list[str] = []
        self._breaks = breaks

    async def probe(self, check: Check) -> Observation:
        assert isinstance(check.http, HttpProbe)
        value = str(check.http.headers["X-Key"])
        self.asked.append(value)
        if self._breaks:
            raise RuntimeError(f"cannot send {value}")
        return Observation(
            1, Failure.BAD_STATUS, f"got {value}",
            variables={"headers": {"x-key": value}, "json": {value: [value]}},
            facts={"url": f"https://shop.example/{value}"},
        )  # fmt: skip


async def test_a_probe_uses_the_value_and_shows_the_label() -> None:
    ring, copy = keyring()
    ring.take([copy])
    echo = Echo()
    seen = await SecretiveProber(echo, ring).probe(CHECK)
    assert echo.asked == [CANARY]
    assert seen.detail == "got secret:tok@4"
    assert seen.facts == {"url": "https://shop.example/secret:tok@4"}
    assert CANARY not in repr(seen)


async def test_a_prober_that_breaks_tells_nothing_either(caplog: pytest.LogCaptureFixture) -> None:
    ring, copy = keyring()
    ring.take([copy])
    finding = await run_once(CHECK, SecretiveProber(Echo(breaks=True), ring), SystemClock())
    assert finding.outcome is Outcome.AGENT_ERROR
    assert CANARY not in repr(finding)
    assert "cannot send secret:tok@4" in caplog.text
    assert CANARY not in caplog.text


async def test_a_secret_that_is_not_held_is_the_agents_trouble_and_not_the_targets() -> None:
    ring, copy = keyring()
    prober, echo = SecretiveProber(echo := Echo(), ring), echo
    seen = await prober.probe(CHECK)
    assert (seen.kind, seen.is_agent_fault) == (Failure.UNRUNNABLE, True)
    assert seen.detail == "this agent does not hold the secret tok"
    # Sealed for another agent: it does not open, and only its name is logged.
    ring.take([SealedSecret("tok", 5, copy.sealed)])
    assert not ring.names
    assert (await prober.probe(CHECK)).kind == Failure.UNRUNNABLE
    assert echo.asked == []


async def test_a_new_version_is_used_from_the_next_probe_on() -> None:
    key = X25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    ring, echo = Keyring(AGENT, key), Echo()
    for version, value in ((1, "first-value"), (2, "second-value")):
        data = sealed(value, public, SealLabel(AGENT, "tok", version))
        ring.take([SealedSecret("tok", version, data)])
        seen = await SecretiveProber(echo, ring).probe(CHECK)
        assert seen.detail == f"got {Secret('tok', version, value).label}"
    assert echo.asked == ["first-value", "second-value"]


def test_secrets_stay_sealed_in_the_stored_assignment(tmp_path: Path) -> None:
    _, copy = keyring()
    stored = StoredAssignment(tmp_path / "assignment.json")
    assignment = Assignment("r1", (AssignedCheck(b"{}", "d"),), (copy,))
    stored.save(assignment)
    assert stored.load() == assignment
    assert CANARY.encode() not in (tmp_path / "assignment.json").read_bytes()


def test_an_assignment_that_was_stored_before_there_were_secrets_is_read(tmp_path: Path) -> None:
    path = tmp_path / "assignment.json"
    path.write_bytes(msgspec.json.encode({"version": 1, "revision": "r0", "checks": []}))
    assert StoredAssignment(path).load() == Assignment("r0")


async def test_an_identity_from_before_recovery_is_read_and_says_what_to_do(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined_long_ago(controller, tmp_path)
    facts = tmp_path / "identity" / "agent.json"
    document = msgspec.json.decode(facts.read_bytes())
    del document["enrol_address"]
    facts.write_bytes(msgspec.json.encode(document))
    assert Identity.load(tmp_path).facts.enrol_address == ""
    said = asyncio.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "join again with a new join file" in str(vars(record).get("reason")):
                said.set()

    listener = Listener()
    logging.getLogger("agent").addHandler(listener)
    try:
        async with machine(controller, tmp_path):
            await asyncio.wait_for(said.wait(), 10)
    finally:
        logging.getLogger("agent").removeHandler(listener)


async def test_a_running_agent_probes_with_a_secret_and_tells_the_label(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    async with serving() as target:
        check = msgspec.json.decode(target.check("home"))
        check["http"]["url"] += "/${secret:tok}"
        check["http"]["expect"] = ["status == 500"]
        public = controller.enrolled[0].sealing_key
        data = sealed(CANARY, public, SealLabel(AGENT, "tok", 1))
        await controller.assign(
            msgspec.json.encode(check, order="sorted"), secrets=[("tok", 1, data)]
        )
        agent = await running(tmp_path)
        await controller.until(lambda: sum(controller.durable.values()) >= 2)
        _, log = await agent.terminate()
    lines = [line for held in controller.lines.values() for line in held.values()]
    assert all(b"secret:tok@1" in line for line in lines)
    told = b"".join(lines) + log.encode()
    assert CANARY.encode() not in told + everything_below(tmp_path)
