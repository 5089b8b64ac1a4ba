"""Checks and agents as people see them; the storage thread."""

import asyncio
import threading
from functools import partial

import pytest

from controller.errors import NotFound
from controller.services.agents.agents import Agents
from controller.services.fleet.checks import Checks, RegionStanding
from controller.services.worker import StorageWorker
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line


def checks_of(world: World) -> Checks:
    return Checks(world.storage, world.fleets, world.evaluator, lambda: world.now_us)


async def test_checks_are_listed_in_the_order_of_the_file_with_their_verdict(
    world: World, running: Running
) -> None:
    for seq in (1, 2, 3):
        world.now_us = START + seq * 60 * SECOND
        for region in ("fra", "nyc"):
            await running.give(frame(seq, line(seq, world.now_us, "down", region)), region)
    home, dns = checks_of(world).list()
    assert (home.check.id, home.verdict, home.since_us) == (
        "shop-home",
        "DOWN",
        START + 60 * SECOND,
    )
    assert home.labels == [
        RegionStanding("fra", "DOWN", world.now_us),
        RegionStanding("nyc", "DOWN", world.now_us),
        RegionStanding("sin", "NONE", None, "sin-1 has never reported"),
    ]
    assert (dns.check.id, dns.verdict, dns.since_us, dns.is_retired) == (
        "shop-dns", "UNKNOWN", None, False,
    )  # fmt: skip
    world.now_us += 150 * SECOND
    silent = checks_of(world).list()[0]
    assert (silent.verdict, silent.since_us) == ("UNKNOWN", world.now_us)


def test_retired_checks_are_listed_when_asked_for(world: World) -> None:
    text = b"\n".join(one for one in FLEET.splitlines() if b"shop-dns" not in one)
    world.fleets.apply(text, "fleet.yaml", "ada")
    assert [one.check.id for one in checks_of(world).list()] == ["shop-home"]
    _, retired = checks_of(world).list(include_retired=True)
    assert (retired.check.id, retired.is_retired, retired.verdict) == ("shop-dns", True, "UNKNOWN")


def test_without_a_fleet_there_are_no_checks(world: World) -> None:
    with world.storage._storage._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM fleet_revision")
    world.restart()
    assert checks_of(world).list(include_retired=True) == []


def test_what_an_agent_says_of_itself_is_noted(world: World) -> None:
    agents = Agents(world.storage, lambda: world.now_us)
    agents.hello("fra-1", version="0.1.0", assignment_revision="")
    agents.assignment_stored("fra-1", "abc")
    agents.health("fra-1", spool_lines=7, clock_offset_us=-3, clock_error_us=2)
    one = agents.get("fra-1")
    assert (one.version, one.assignment_revision, one.seen_us) == ("0.1.0", "abc", START)
    assert (one.spool_lines, one.clock_offset_us, one.clock_error_us) == (7, -3, 2)
    assert [agent.id for agent in agents.list()] == ["fra-1", "nyc-1", "sin-1"]
    for refused in (
        lambda: agents.get("mars-1"),
        lambda: agents.hello("mars-1", version="", assignment_revision=""),
    ):
        with pytest.raises(NotFound, match="There is no agent mars-1"):
            refused()


async def test_work_runs_in_one_thread_in_order() -> None:
    worker = StorageWorker()
    order: list[int] = []

    def note(number: int) -> int:
        order.append(number)
        return threading.get_ident()

    threads = await asyncio.gather(*(worker.run(partial(note, n)) for n in range(20)))
    worker.close()
    assert order == list(range(20))
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


async def test_what_work_raises_reaches_who_asked() -> None:
    worker = StorageWorker()

    def fail() -> None:
        raise NotFound("Nothing.")

    with pytest.raises(NotFound):
        await worker.run(fail)
    worker.close()
