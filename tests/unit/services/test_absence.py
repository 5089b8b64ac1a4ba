"""Why a region gives no evidence, said of its agents."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from controller.core.samples import AnchorRound
from controller.ports.custody import Actor, AgentStanding, Standing
from controller.ports.postings import AgentReport, Mode
from controller.ports.storage import Transaction
from controller.services.agents.absence import Absences
from controller.services.agents.agents import Agents
from controller.services.agents.postings import Postings
from tests.unit.services.conftest import SECOND, World
from vedette.shared.definitions import Check
from vedette.shared.probes import IcmpProbe

CHECK = Check(id="home", service="shop", regions=["fra"], icmp=IcmpProbe(host="shop.example"))


def reason(world: World, check: Check = CHECK, region: str = "fra") -> str:
    with world.storage.transaction() as tx:
        return Absences.of(tx, world.now_us).reason(check, region)


def hear(world: World, *, offset_us: int = 0, report: AgentReport | None = None) -> None:
    agents = Agents(world.storage, lambda: world.now_us)
    agents.health(
        "fra-1", spool_lines=0, clock_offset_us=offset_us, clock_error_us=1, report=report
    )


def given(world: World, change: Callable[[Transaction], None]) -> None:
    with world.storage.transaction() as tx:
        change(tx)


def test_an_agent_that_should_give_evidence_explains_nothing(world: World) -> None:
    hear(world)
    assert reason(world) == ""


def test_a_region_without_agents_says_so(world: World) -> None:
    assert reason(world, region="mars") == "it has no agent"
    given(world, lambda tx: tx.put_standing(AgentStanding("fra-1", Standing.REVOKED)))
    assert reason(world) == "it has no agent"


def test_one_that_waits_or_never_spoke_says_so(world: World) -> None:
    assert reason(world) == "fra-1 has never reported"
    given(world, lambda tx: tx.put_standing(AgentStanding("fra-1", Standing.PENDING)))
    assert reason(world) == "fra-1 waits for approval"


@pytest.mark.parametrize(("mode", "words"), [(Mode.DRAIN, "drained"), (Mode.PAUSE, "paused")])
def test_one_that_is_not_to_probe_says_so(world: World, mode: Mode, words: str) -> None:
    hear(world)
    Postings(world.storage, lambda: world.now_us).set_mode("fra-1", mode, "", Actor("ada"))
    assert reason(world) == f"fra-1 is {words}"


def test_other_labels_a_paused_site_a_refusal_and_a_skewed_clock_are_told(world: World) -> None:
    hear(world)
    racked = Check(
        id="home", service="shop", regions=["fra"], agents={"rack": "a"}, icmp=CHECK.icmp
    )
    assert reason(world, racked) == "fra-1 has other labels than the check wants"
    hear(world, report=AgentReport("fra-1", unrunnable=[("home", "port 25 is denied")]))
    assert reason(world) == "fra-1 may not run it: port 25 is denied"
    hear(world, report=AgentReport("fra-1", is_paused=True))
    assert reason(world) == "fra-1 is paused by its site"
    hear(world, offset_us=-61 * SECOND, report=AgentReport("fra-1"))
    assert reason(world) == "fra-1 has a skewed clock"


def test_trouble_of_its_own_network_is_told_while_it_lasts(world: World) -> None:
    hear(world)
    rounds = [
        AnchorRound("fra-1", "e1", "@anchors", seq, world.now_us - back * SECOND, ok, 4)
        for seq, back, ok in ((1, 60, 4), (2, 40, 1), (3, 20, 0))
    ]
    given(world, lambda tx: tx.append([], [], rounds, [], []))
    assert reason(world) == "fra-1 has trouble with its own network"
    good = replace_round(rounds[-1], seq=4, at_us=world.now_us - SECOND, ok=3)
    given(world, lambda tx: tx.append([], [], [good], [], []))
    assert reason(world) == ""


def replace_round(one: AnchorRound, *, seq: int, at_us: int, ok: int) -> AnchorRound:
    return one._replace(seq=seq, at_us=at_us, ok=ok)


def test_one_agent_that_should_give_evidence_leaves_nothing_to_explain(world: World) -> None:
    with world.storage.transaction() as tx:
        record = tx.agent("fra-1")
        assert record is not None
        tx.put_agent(replace(record, id="fra-2", seen_us=world.now_us))
    assert reason(world) == ""
