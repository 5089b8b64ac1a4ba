from pathlib import Path

import msgspec

from tests.fakes.controller import FakeController
from tests.integration.agent.site import command, joined, running, serving


async def more_lines(controller: FakeController, count: int) -> None:
    """Return when so many more lines are durable at the controller."""
    wanted = sum(controller.durable.values()) + count
    await controller.until(lambda: sum(controller.durable.values()) >= wanted)


async def test_killed_and_restarted_an_agent_goes_on_numbering_without_a_hole(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    async with serving() as target:
        await controller.assign(*(target.check(f"c{n}") for n in range(5)))
        for _ in range(3):
            agent = await running(tmp_path)
            await more_lines(controller, 6)
            await agent.kill()
        agent = await running(tmp_path)
        await more_lines(controller, 1)
        code, log = await agent.terminate()
    assert code == 0, log
    ((epoch, stream),) = controller.lines
    held = controller.numbers(epoch, stream)
    assert held == list(range(1, len(held) + 1))
    assert (stream, controller.lost[epoch, stream]) == ("shop", 0)
    lines = [msgspec.json.decode(line) for line in controller.lines[epoch, stream].values()]
    assert {line["outcome"] for line in lines} == {"up"}
    assert all(line.get("clock", {}).get("offset", 0) is not None for line in lines)
    slots = [(line["check"], line["slot"]) for line in lines]
    assert len(slots) == len(set(slots))


async def test_without_its_controller_a_restarted_agent_probes_on_and_delivers_later(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    async with serving() as target:
        await controller.assign(target.check("home"))
        agent = await running(tmp_path)
        await controller.until(lambda: controller.streams and controller.streams[0].assignment_acks)
        await agent.kill()
        await controller.stop()

        agent = await running(tmp_path)
        before = target.hits
        await target.until(lambda: target.hits >= before + 3)
        code, log = await agent.terminate()
        assert code == 0, log
        assert "nothing listens there" in log

        await controller.start()
        agent = await running(tmp_path)
        await controller.until(lambda: sum(controller.durable.values()) >= 3)
        await agent.terminate()
    ((key, lines),) = controller.lines.items()
    assert sorted(lines) == list(range(1, len(lines) + 1))
    assert controller.lost[key] == 0


async def test_stopped_an_agent_delivers_what_it_has_and_says_goodbye(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    async with serving() as target:
        await controller.assign(target.check("home"))
        agent = await running(tmp_path)
        await controller.until(lambda: controller.durable)
        code, log = await agent.terminate()
        hits = target.hits
    assert code == 0, log
    assert "agent.stopped" in log
    assert sum(map(len, controller.lines.values())) == hits
    assert not controller.streams[-1].is_open


async def test_a_second_agent_in_the_same_state_is_one_sentence(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    first = await running(tmp_path)
    await controller.until(lambda: controller.streams)
    code, log = await (await running(tmp_path)).ended()
    assert (code, "Traceback" in log) == (3, False)
    assert "Another vedette-agent (process" in log
    await first.terminate()


async def test_a_policy_that_is_wrong_names_file_and_line_and_nothing_runs(
    controller: FakeController, tmp_path: Path
) -> None:
    await joined(controller, tmp_path)
    (tmp_path / "policy.yaml").write_text("allow:\n  - 10.0.0.0/33\ndeni: []\n")
    code, log = await (await running(tmp_path)).ended()
    assert (code, "Traceback" in log) == (2, False)
    assert "policy.yaml:3: deni: expected no such key" in log
    assert controller.streams == []


async def test_joining_by_the_command_line_then_status_and_spool(
    controller: FakeController, tmp_path: Path
) -> None:
    state, file = tmp_path / "state", tmp_path / "fra.join"
    controller.tokens["t1"] = "secret"
    file.write_bytes(
        msgspec.json.encode(
            {
                "version": 1,
                "address": f"127.0.0.1:{controller.enrol_port}",
                "token_id": "t1",
                "token_secret": "secret",
                "expires": "2030-01-01T00:00:00Z",
                "ca_certificate": controller.authority.ca_pem.decode(),
            }
        )
    )
    at = ("--state", str(state))
    code, out = await (await command("join", str(file), *at, "--allow", "10.1.0.0/16")).ended()
    assert (code, "agent fra-1 of region fra" in out) == (0, True), out
    code, out = await (await command("status", *at, "--json")).ended()
    shown = msgspec.json.decode(out)
    assert (code, shown["agent"], shown["assignment"]) == (
        0,
        "fra-1",
        {"revision": None, "checks": 0},
    )
    policy = shown["policy"]
    assert (policy["allow"], policy["deny"], policy["paused"]) == (["10.1.0.0/16"], [], False)
    assert policy["text"].startswith("public addresses, 10.1.0.0/16; 1000/s in all")
    code, out = await (await command("join", str(file), "--state", str(tmp_path / "two"))).ended()
    assert (code, "used already" in out, "Traceback" in out) == (3, True, False)
    assert not (tmp_path / "two").exists()
