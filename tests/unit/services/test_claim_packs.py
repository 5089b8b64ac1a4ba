"""Packs of contracts with amendments, and with exclusions that people declared: all are recomputed from their files."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from controller.cli.claim.pack_folder import write_folder
from controller.cli.main import cli
from controller.ports.custody import Actor
from controller.services.contracts.claims import Asked, Claims
from controller.services.contracts.exclusions import Asked as AskedExclusion
from controller.services.contracts.exclusions import Exclusions
from controller.services.contracts.terms import Terms
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World
from tests.unit.services.story import REGIONS, Story

ADA, BO, CY = (Actor(name, "operator", "local") for name in ("ada", "bo", "cy"))
MINUTE = 60 * SECOND
JULY = 1_751_328_000 * SECOND + 3600 * SECOND
CONTRACT = """\
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    objectives: [{id: availability, target: "99.0", min_coverage: "0"}]
    exclusions: {force_majeure: {mode: drop, approvals: 2}}
    credits: {fee: "1000.00", currency: EUR, tiers: [{below: "99.0", percent: "10"}]}
"""
AMENDMENT = """\
  - id: acme
    effective_from: 2025-06-15T15:20:40Z
    objectives: [{id: availability, target: "99.5", min_coverage: "0"}]
"""


class Scene:
    """A check that was down from the eighth to the eighteenth minute of forty; it is July."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.terms = Terms()
        self.claims = Claims(
            world.storage, world.evaluator, self.terms, "x.example", lambda: world.now_us
        )
        self.exclusions = Exclusions(world.storage, self.terms, lambda: world.now_us)

    def apply(self, text: str) -> None:
        assert not self.world.fleets.apply(FLEET + text.encode(), "fleet.yaml", "ada").problems

    def exclude(self, from_minute: int, to_minute: int) -> str:
        """Force majeure that was declared afterwards."""
        asked = AskedExclusion(
            type="force_majeure",
            from_us=START + from_minute * MINUTE,
            to_us=START + to_minute * MINUTE,
            reason="a flood",
            checks=["shop-home"],
        )
        return self.exclusions.declare(asked, ADA).declaration.exclusion.id

    def recomputed(self, folder: Path) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
        """The records that the command of a new claim gives, which are the bytes of its pack; and its files."""
        claim = self.claims.create(Asked("acme", "2025-06"), ADA)
        _, files = self.claims.show(claim.handle)
        contents = {one.name: self.claims.file(claim.handle, one.name) for one in files}
        write_folder(folder, contents.items())
        words = json.loads(contents["claim.json"])["command"].partition(" | ")[0].split()
        paths = {"fleet.yaml", "timeline.json"}
        outcome = CliRunner().invoke(
            cli, [str(folder / one) if one in paths else one for one in words[1:]]
        )
        assert outcome.exit_code == 1, outcome.output
        assert outcome.stdout_bytes == contents["attainment.json"]
        return json.loads(outcome.stdout)["records"], contents


@pytest.fixture
async def scene(world: World, running: Running) -> Scene:
    made = Scene(world)
    made.apply(CONTRACT)
    story = Story(world, running)
    await story.rounds(1, 8)
    await story.rounds(8, 18, down=REGIONS)
    await story.rounds(18, 40)
    world.now_us = JULY
    return made


def test_s32_each_revision_of_a_contract_is_recomputed_as_what_it_was(
    scene: Scene, tmp_path: Path
) -> None:
    scene.apply(CONTRACT.replace("1000.00", "2000.00"))
    scene.apply(CONTRACT.replace("1000.00", "2000.00") + AMENDMENT)
    found, _ = scene.recomputed(tmp_path / "pack")
    assert [(one["revision"], one["target"]) for one in found] == [(3, "99.0"), (4, "99.5")]
    amounts = [float(one["credits"]["amount"]) for one in found]
    assert 0 < amounts[0] < 200


def test_s27_exclusions_by_command_stand_in_the_pack_as_they_can_be_shown(
    scene: Scene, tmp_path: Path
) -> None:
    approved, lonely, gone = scene.exclude(8, 10), scene.exclude(11, 12), scene.exclude(13, 18)
    for by in (BO, CY):
        scene.exclusions.approve(approved, "", by)
        scene.exclusions.approve(gone, "", by)
    scene.exclusions.withdraw(gone, "not so", ADA)
    (found,), contents = scene.recomputed(tmp_path / "pack")
    assert [(one["id"], one["status"]) for one in found["exclusions"]] == [
        (approved, "applied"),
        (lonely, "rejected_missing_approvals"),
    ]
    assert found["exclusions"][0]["applied"] == 2 * MINUTE
    told = json.loads(contents["exclusions.json"])["exclusions"]
    assert [(one["id"], one["source"], one["approvals"]) for one in told] == [
        (approved, "command", ["bo", "cy"]),
        (lonely, "command", []),
        (gone, "command", ["bo", "cy"]),
    ]
    assert told[2]["withdrawn_at"] == JULY
    letter = " ".join(contents["letter.txt"].decode().split())
    assert "rejected missing approvals" in letter
    assert "withdrawn" in letter
