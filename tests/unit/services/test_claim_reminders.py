"""Reminders of the last day to claim reach the outbox once each."""

import json

import pytest

from controller.core.instants import instant
from controller.core.sla.claims.claims import ClaimAction
from controller.ports.custody import Actor
from controller.ports.deliveries import DeliveryQuery
from controller.services.contracts.claim_reminders import ClaimReminders
from controller.services.contracts.claims import Asked, Claims
from controller.services.contracts.terms import Terms
from tests.unit.services.conftest import FLEET, Running, World
from tests.unit.services.story import REGIONS, Story

ADA = Actor("ada", "operator", "local")
CONTRACTS = b"""\
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    objectives: [{id: availability, target: "99.0", min_coverage: "0"}]
    credits: {fee: "1000.00", currency: EUR, tiers: [{below: "99.0", percent: "10"}], claim_deadline: P2M}
  - id: fine
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-dns]}
    objectives: [{id: availability, target: "99.0", min_coverage: "0"}]
    credits: {fee: "1000.00", currency: EUR, tiers: [{below: "99.0", percent: "10"}], claim_deadline: P2M}
  - id: free
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    objectives: [{id: availability, target: "99.0", min_coverage: "0"}]
notify:
  - {id: legal, url: "json://o.example", on: [claim.due]}
"""


@pytest.fixture
async def reminders(world: World, running: Running) -> ClaimReminders:
    assert not world.fleets.apply(FLEET + CONTRACTS, "fleet.yaml", "ada").problems
    story = Story(world, running)
    await story.rounds(1, 4)
    await story.rounds(4, 8, down=REGIONS)
    await story.rounds(8, 12)
    return ClaimReminders(
        world.storage, world.evaluator, world.fleets, Terms(), lambda: world.now_us
    )


def told(world: World, reminders: ClaimReminders, at: str) -> list[str]:
    """The titles of what is told at an instant."""
    world.now_us = instant(at)
    for _ in range(2):
        for name in reminders.contracts():
            reminders.look(name)
    with world.storage.transaction() as tx:
        deliveries = tx.deliveries(DeliveryQuery(limit=100))[::-1]
    return [f"{one.channel}: {json.loads(one.message)['title']}" for one in deliveries]


def claims(world: World) -> Claims:
    return Claims(world.storage, world.evaluator, Terms(), "x.example", lambda: world.now_us)


def test_s50_a_deadline_is_told_of_a_week_and_a_day_before(
    world: World, reminders: ClaimReminders
) -> None:
    assert reminders.contracts() == ["acme", "fine"]
    assert told(world, reminders, "2025-08-24T23:00:00Z") == []
    week = "legal: [acme] 7 days left to claim for 2025-06"
    assert told(world, reminders, "2025-08-25T01:00:00Z") == [week]
    assert told(world, reminders, "2025-08-30T01:00:00Z") == [week]
    day = "legal: [acme] the last day to claim for 2025-06"
    assert told(world, reminders, "2025-08-31T01:00:00Z") == [week, day]
    assert told(world, reminders, "2025-09-01T01:00:00Z") == [week, day]


def test_s50_a_draft_does_not_stop_reminders_and_submitting_does(
    world: World, reminders: ClaimReminders
) -> None:
    world.now_us = instant("2025-07-02T00:00:00Z")
    made = claims(world).create(Asked("acme", "2025-06"), ADA)
    assert len(told(world, reminders, "2025-08-25T01:00:00Z")) == 1
    with world.storage.transaction() as tx:
        (delivery,) = tx.deliveries(DeliveryQuery(limit=100))
    assert "CLM-1 is a draft" in json.loads(delivery.message)["text"]
    claims(world).move(made.handle, ClaimAction.SUBMIT, ADA)
    assert len(told(world, reminders, "2025-08-31T01:00:00Z")) == 1
