"""Agents that fall silent: one notice each, and none for those that nobody misses."""

from dataclasses import replace

import pytest

from controller.ports.custody import Actor, AgentStanding, Standing
from controller.ports.postings import Mode, Notice
from controller.services.agents.agents import Agents
from controller.services.agents.postings import Postings
from controller.services.agents.silence import Silence
from tests.unit.services.conftest import SECOND, World
from vedette.shared.limits import SILENT_US


class Night:
    """Agents that report, and somebody who looks after them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.silence = Silence(world.storage, lambda: world.now_us)
        self.agents = Agents(world.storage, lambda: world.now_us)
        self.postings = Postings(world.storage, lambda: world.now_us)

    def hear(self, *agents: str) -> None:
        for agent in agents:
            self.agents.health(agent, spool_lines=0, clock_offset_us=0, clock_error_us=1)

    def wait(self, microseconds: int, *heard: str) -> list[Notice]:
        """Time goes by in which only these report; the notices that last then."""
        end_us = self.world.now_us + microseconds
        while self.world.now_us < end_us:
            self.world.now_us = min(self.world.now_us + 30 * SECOND, end_us)
            self.hear(*heard)
            self.silence.look()
        return self.lasting()

    def lasting(self) -> list[Notice]:
        return list(self.postings.notices(include_ended=False))


@pytest.fixture
def night(world: World) -> Night:
    made = Night(world)
    made.hear("fra-1", "nyc-1")
    return made


def test_an_agent_that_misses_its_reports_is_one_notice_however_long(night: Night) -> None:
    begun_us = night.world.now_us
    assert night.wait(SILENT_US, "nyc-1") == []
    (notice,) = night.wait(SILENT_US, "nyc-1")
    assert (notice.agent, notice.region, notice.from_us, notice.to_us) == (
        "fra-1", "fra", begun_us, None,
    )  # fmt: skip
    assert notice.detail == "Agent fra-1 reports no more; region fra gives no evidence."
    assert night.wait(100 * SILENT_US, "nyc-1") == [notice]


def test_one_that_is_heard_again_ends_its_notice_and_may_have_another(night: Night) -> None:
    night.wait(3 * SILENT_US, "nyc-1")
    assert night.wait(30 * SECOND, "fra-1", "nyc-1") == []
    (ended,) = night.postings.notices(include_ended=True)
    assert ended.to_us == night.world.now_us
    assert len(night.wait(3 * SILENT_US, "nyc-1")) == 1
    assert len(night.postings.notices(include_ended=True)) == 2


def test_those_that_go_on_are_named(night: Night) -> None:
    with night.world.storage.transaction() as tx:
        record = tx.agent("fra-1")
        assert record is not None
        tx.put_agent(replace(record, id="fra-2"))
    (notice,) = night.wait(3 * SILENT_US, "nyc-1", "fra-2")
    assert notice.detail == "Agent fra-1 reports no more; fra-2 of region fra go on."


@pytest.mark.parametrize("mode", [Mode.DRAIN, Mode.PAUSE])
def test_one_that_is_not_to_probe_is_not_missed(night: Night, mode: Mode) -> None:
    night.postings.set_mode("fra-1", mode, "upgrade", Actor("ada"))
    assert night.wait(10 * SILENT_US, "nyc-1") == []


def test_a_notice_ends_when_its_agent_is_drained(night: Night) -> None:
    assert night.wait(3 * SILENT_US, "nyc-1")
    night.postings.set_mode("fra-1", Mode.DRAIN, "", Actor("ada"))
    night.silence.look()
    assert night.lasting() == []


@pytest.mark.parametrize("standing", [Standing.REVOKED, Standing.PENDING])
def test_one_that_has_no_vote_is_not_missed(night: Night, standing: Standing) -> None:
    with night.world.storage.transaction() as tx:
        tx.put_standing(AgentStanding("fra-1", standing))
    assert night.wait(10 * SILENT_US, "nyc-1") == []


def test_one_that_never_spoke_is_not_missed(night: Night) -> None:
    assert [n.agent for n in night.wait(10 * SILENT_US, "nyc-1", "fra-1")] == []


def test_a_controller_that_was_away_does_not_miss_anybody_at_once(night: Night) -> None:
    night.world.now_us += 3600 * SECOND
    night.silence = Silence(night.world.storage, lambda: night.world.now_us)
    night.silence.look()
    assert night.lasting() == []
    assert len(night.wait(2 * SILENT_US, "nyc-1")) == 1
