"""Contracts are watched: told once, across restarts, when an outage changes and once a minute."""

from collections.abc import Callable

import pytest

from controller.errors import Fatal, Unreachable
from controller.ports.custody import Actor
from controller.ports.deliveries import DeliveryQuery
from controller.ports.storage import Transaction
from controller.services.contracts import sla_watch
from controller.services.contracts.exclusions import Exclusions
from controller.services.contracts.sla_standing import RememberingSight
from controller.services.contracts.sla_watch import (
    AGAIN_US,
    BACKLOG_US,
    EVERY_US,
    Look,
    SlaWatch,
    watching,
)
from controller.services.contracts.terms import Terms
from controller.services.notify.notify_outages import message_of
from tests.fakes.storage import InlineWorker
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World
from tests.unit.services.story import REGIONS, Story

CONTRACTS = b"""\
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    period: {kind: day}
    acknowledge_unmeasurable: true
    objectives: [{id: availability, target: "99.9", min_coverage: "0"}]
    grades: [{below: "95", action: warn}, {below: "90", action: legal, notify: lawyer}]
  - id: beta
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-dns]}
    objectives: [{id: availability, target: "99.9"}]
notify:
  - {id: ops, url: "json://o.example", on: [grade.warn, burn.page]}
  - {id: lawyer, url: "json://l.example", on: [outage.opened]}
"""


@pytest.fixture
def world(world: World) -> World:
    assert not world.fleets.apply(FLEET + CONTRACTS, "fleet.yaml", "ada").problems
    return world


def watch_of(world: World) -> SlaWatch:
    return SlaWatch(
        world.storage, world.evaluator, world.fleets, Terms(), lambda: world.now_us, lambda: 0
    )


def told(world: World) -> list[str]:
    with world.storage.transaction() as tx:
        deliveries = tx.deliveries(DeliveryQuery(limit=100))[::-1]
    return [f"{one.channel} {one.event}" for one in deliveries]


def looks(watch: SlaWatch) -> int:
    count = 0
    while watch.look():
        count += 1
    return count


async def test_s52_grades_and_burning_budgets_reach_the_outbox_once(
    world: World, running: Running
) -> None:
    watch, story = watch_of(world), Story(world, running)
    await story.rounds(1, 100)
    looks(watch)
    assert told(world) == []
    await story.rounds(100, 110, down=REGIONS)
    looks(watch)
    assert told(world) == ["ops grade.warn", "ops burn.page"]
    await story.rounds(110, 125, down=REGIONS)
    looks(watch)
    assert told(world) == ["ops grade.warn", "ops burn.page", "lawyer grade.legal"]
    await running.restart()
    world.now_us += 60 * SECOND
    assert looks(watch_of(world)) == 2
    assert len(told(world)) == 3


async def test_s44_the_end_of_an_alert_is_told_to_whoever_was_told(
    world: World, running: Running
) -> None:
    watch, story = watch_of(world), Story(world, running)
    await story.rounds(1, 60)
    await story.rounds(60, 63, down=REGIONS)
    looks(watch)
    await story.rounds(63, 63 + 70)
    looks(watch)
    assert [one for one in told(world) if "burn" in one] == ["ops burn.page", "ops burn.page.ended"]


@pytest.mark.parametrize("is_kept", [True, False])
async def test_s44_an_alert_of_what_is_promised_no_more_is_over(
    world: World, running: Running, *, is_kept: bool
) -> None:
    watch, story = watch_of(world), Story(world, running)
    await story.rounds(1, 60)
    await story.rounds(60, 66, down=REGIONS)
    looks(watch)
    name = (b"id: availability", b"id: uptime") if is_kept else (b"id: acme", b"id: other")
    world.now_us += SECOND
    left = CONTRACTS.replace(*name)
    assert not world.fleets.apply(FLEET + left, "fleet.yaml", "ada").problems
    world.now_us += EVERY_US
    for one in (watch, watch_of(world)):
        looks(one)
        with world.storage.transaction() as tx:
            events = [e.event for e in tx.sla_events("acme") if "/availability/burn" in e.subject]
        assert events == ["burn.page", "burn.ticket", "burn.page.ended", "burn.ticket.ended"]


async def test_s52_an_exclusion_that_was_declared_afterwards_takes_a_grade_back(
    world: World, running: Running
) -> None:
    watch, story = watch_of(world), Story(world, running)
    await story.rounds(1, 3)
    await story.rounds(3, 6, down=REGIONS)
    looks(watch)
    assert told(world)[:2] == ["ops grade.warn", "lawyer grade.legal"]
    taken = exclusion(world, 'type: force_majeure, from: "{}", to: "{}"')
    world.now_us += 5 * SECOND
    assert not world.fleets.apply(FLEET + taken + CONTRACTS, "fleet.yaml", "ada").problems
    exclusions = Exclusions(world.storage, Terms(), lambda: world.now_us)
    for name in ("ben", "cyd"):
        exclusions.approve("storm", "", Actor(name))
    world.now_us += EVERY_US
    looks(watch)
    with world.storage.transaction() as tx:
        events = [one.event for one in tx.sla_events("acme")]
    assert [one for one in events if one.endswith("retracted")] == [
        "grade.warn.retracted", "grade.legal.retracted"
    ]  # fmt: skip
    assert not [one for one in told(world) if "retracted" in one], "nothing was sent yet"


def exclusion(world: World, more: str) -> bytes:
    span = more.format(START - 60 * SECOND, world.now_us + 3600 * SECOND).replace('"', "")
    return (
        f"exclusions: [{{id: storm, {span}, scope: all, declared_at: {world.now_us}, by: ada,"
        " reason: a storm}]\n"
    ).encode()


KINDS = b"""\
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    period: {kind: day}
    acknowledge_unmeasurable: true
    objectives:
      - {id: minutes, formula: minute, target: "99", min_coverage: "0"}
      - {id: requests, formula: request, target: "99", min_coverage: "0"}
      - {id: slices, formula: timeslices, slice_target: "90", target: "99", min_coverage: "0"}
      - {id: speed, metric: latency, threshold: 3s, target: "99", min_coverage: "0"}
      - {id: ack, metric: acknowledge, severity: [P1, P2, P3], target: 5m, percent: "90"}
    grades: [{below: "95", action: warn, notify: ops}, {below: "95", action: late, of: period, notify: ops}]
notify:
  - {id: ops, url: "json://o.example", on: [burn.page]}
"""


async def test_s52_objectives_of_every_kind_are_watched(
    world: World, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    world.now_us += SECOND
    assert not world.fleets.apply(FLEET + KINDS, "fleet.yaml", "ada").problems
    watch, story = watch_of(world), Story(world, running)
    await story.rounds(1, 30)
    looks(watch)
    await story.rounds(30, 40, down=REGIONS)
    looks(watch)
    world.now_us += EVERY_US
    looks(watch)
    assert "sla.defect" not in caplog.text
    with world.storage.transaction() as tx:
        subjects = {
            one.subject.split("/")[2] for one in tx.sla_events("acme") if "warn" in one.event
        }
        burning = {
            one.subject.split("/")[2] for one in tx.sla_events("acme") if one.event == "burn.page"
        }
        texts = [message_of(one).text for one in tx.deliveries(DeliveryQuery(limit=100))]
    assert subjects == {"minutes", "requests", "slices", "speed", "ack"}
    assert burning == {"minutes", "requests", "slices", "speed"}
    assert any("Too late for: OUT-1" in text for text in texts)


def test_a_contract_is_judged_once_a_minute_and_the_one_that_waits_longest_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(sla_watch, "notices_of", noting(seen))
    watch = watch_of(world)
    assert looks(watch) == 2
    world.now_us += EVERY_US - 1
    assert looks(watch) == 0
    world.now_us += 1
    assert looks(watch) == 2
    assert seen == ["acme", "beta"] * 2
    world.now_us -= 30 * SECOND
    assert looks(watch) == 2, "a clock that was set back keeps nobody waiting"


async def test_a_contract_is_judged_at_once_when_an_outage_of_its_checks_changes(
    world: World, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    story = Story(world, running)
    await story.rounds(1, 5)
    monkeypatch.setattr(sla_watch, "notices_of", noting(seen))
    watch = watch_of(world)
    looks(watch)
    await story.one(5, "fra", is_down=True)
    assert looks(watch) == 0, "one region is no outage"
    for number in (6, 7):
        for region in REGIONS:
            await story.one(number, region, is_down=True)
    seen.clear()
    looked = dict.fromkeys(("acme", "beta"), world.now_us)
    watch._looked = dict(looked)
    assert looks(watch) == 0, "it was judged this very second"
    world.now_us += AGAIN_US
    assert looks(watch) == 1
    assert seen == ["acme"]


def test_a_fault_in_judging_one_contract_leaves_the_others_judged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    note = noting(seen)

    def broken(tx: Transaction, evaluator: object, agreed: object, *rest: object) -> list[object]:
        note(tx, evaluator, agreed, *rest)
        if seen[-1] == "acme":
            raise ZeroDivisionError
        return []

    monkeypatch.setattr(sla_watch, "notices_of", broken)
    assert looks(watch_of(world)) == 2
    assert seen == ["acme", "beta"]


async def test_what_could_not_be_noted_is_told_later_and_once(
    world: World, running: Running
) -> None:
    watch, story = watch_of(world), Story(world, running)
    await story.rounds(1, 20)
    await story.rounds(20, 25, down=REGIONS)
    world.storage.is_full = True
    with pytest.raises(Unreachable):
        watch.look()
    world.storage.is_full = False
    assert told(world) == []
    assert looks(watch) == 2
    assert told(world).count("ops grade.warn") == 1


async def test_watching_has_a_bounded_share_of_the_time_and_outlasts_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [Look(10_000, False), Look(10_000, True), None, Unreachable("gone"), Fatal("damaged")]
    pauses: list[float] = []

    class Scripted(SlaWatch):
        def __init__(self) -> None:
            pass

        def look(self) -> Look | None:
            one = found.pop(0)
            if isinstance(one, Exception):
                raise one
            return one

    async def slept(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("controller.services.contracts.sla_watch.asyncio.sleep", slept)
    with pytest.raises(Fatal):
        await watching(InlineWorker(), Scripted())
    assert pauses == [0.29, 0.03, 1.0, 10.0]


async def test_after_a_controller_was_away_the_backlog_comes_first(
    world: World, running: Running
) -> None:
    story = Story(world, running)
    await story.rounds(1, 10)
    await story.rounds(10, 12, down=REGIONS)
    await running.restart()
    world.now_us += 3600 * SECOND
    watch = watch_of(world)
    assert looks(watch) == 0
    # The agents were up and kept their results: it was up for all of that hour.
    await story.rounds(12, 72)
    assert looks(watch) == 0
    world.now_us += BACKLOG_US
    assert looks(watch) == 2
    assert "ops grade.warn" not in told(world), "70 of 72 minutes are 97 %"
    assert looks(watch_of(world)) == 0, "now it is the agents that are away"


def test_nothing_is_told_by_counts_that_are_only_remembered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sights: list[str] = []

    def by_sight(tx: Transaction, sight: object, agreed: object, now_us: int) -> list[object]:
        sights.append(type(sight).__name__)
        return [None] if isinstance(sight, RememberingSight) else []

    monkeypatch.setattr(sla_watch, "notices_of", by_sight)
    assert looks(watch_of(world)) == 2
    assert sights == ["RememberingSight", "StoredSight"] * 2
    assert told(world) == []


def test_without_a_fleet_nothing_is_due(world: World) -> None:
    with world.storage._storage._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM fleet_revision")
    world.restart()
    assert not watch_of(world).look()


def noting(seen: list[str]) -> Callable[..., list[object]]:
    def notices(tx: Transaction, evaluator: object, agreed: object, *_: object) -> list[object]:
        seen.append(agreed.contract.first.id)  # type: ignore[attr-defined]  # it is an Agreed
        return []

    return notices
