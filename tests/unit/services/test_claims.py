"""Claims from what is stored: what can be claimed, what a pack holds, and what becomes of a claim."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from controller.cli.claim.pack_folder import write_folder
from controller.cli.main import cli
from controller.core.samples import Sample
from controller.core.sla.claims.claims import Claim, ClaimAction, ClaimState
from controller.core.sla.terms.exclusions import (
    Declaration,
    Exclusion,
    ExclusionScope,
    ExclusionType,
)
from controller.core.sla.terms.fleet_excerpt import fleet_excerpt
from controller.core.sla.terms.scopes import Scope
from controller.errors import BadInput, NotFound, Rejected
from controller.ports.custody import Actor
from controller.ports.issued import Reopened
from controller.services.contracts.claims import Asked, Claims
from controller.services.contracts.documents import Documents
from controller.services.contracts.periods import Periods
from controller.services.contracts.terms import Terms
from controller.services.outages.request_log import request_log
from tests.unit.services.conftest import FLEET, SECOND, Running, World
from tests.unit.services.story import REGIONS, Story
from vedette.shared.result import Outcome

ADA = Actor("ada", "operator", "ipv4:192.0.2.1:5")
DAY = 86_400 * SECOND
# Just after June 2025 in Warsaw.
JULY = 1_751_320_800 * SECOND + 36_000 * SECOND
CONTRACTS = """\
contracts:
  - id: acme
    title: ACME web shop
    party: ACME GmbH
    level: internal
    parent: other
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    period: {kind: month, tz: Europe/Warsaw}
    objectives: [{id: availability, target: "99.0", min_coverage: "0"}]
    outage: {min_duration: 120s}
    credits: {fee: "1000.00", currency: EUR, tiers: [{below: "99.0", percent: "10"}], claim_deadline: P2M}
    grades: [{below: "50", action: warn, notify: [desk]}]
  - id: other
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    objectives: [{id: availability, target: "10", min_coverage: "0"}]
notify:
  - {id: desk, url: "json://desk.example"}
"""
EXCLUSIONS = """\
exclusions:
  - {id: m1, type: scheduled, from: 2025-06-20T00:00:00Z, to: 2025-06-20T01:00:00Z,
     declared_at: 2025-06-01T00:00:00Z, by: eve, scope: {checks: [shop-home]}}
"""


class Scene:
    """A controller whose check was down for ten of forty minutes of June 2025; it is July."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.claims = Claims(
            world.storage, world.evaluator, Terms(), "vedette.example", lambda: world.now_us
        )

    def create(self, **asked: Any) -> Claim:
        return self.claims.create(Asked(**{"contract": "acme", "period": "2025-06"} | asked), ADA)

    def move(self, handle: str, action: str, **said: Any) -> Claim:
        return self.claims.move(handle, ClaimAction(action), ADA, **said)

    def write(self, handle: str, folder: Path) -> dict[str, bytes]:
        _, files = self.claims.show(handle)
        contents = {one.name: self.claims.file(handle, one.name) for one in files}
        write_folder(folder, contents.items())
        return contents


@pytest.fixture
async def scene(world: World, running: Running) -> Scene:
    text = FLEET + (CONTRACTS + EXCLUSIONS).encode()
    assert not world.fleets.apply(text, "fleet.yaml", "ada").problems
    story = Story(world, running)
    await story.rounds(1, 8)
    await story.rounds(8, 18, down=REGIONS)
    await story.rounds(18, 40)
    world.now_us = JULY
    return Scene(world)


def test_s50_a_claim_says_what_it_rests_on(scene: Scene) -> None:
    claim = scene.create()
    facts = claim.facts
    assert (claim.handle, claim.state) == ("CLM-1", ClaimState.DRAFT)
    assert (facts.amount, facts.unit, facts.objectives) == ("100.00", "EUR", ("availability",))
    assert (facts.last_day, facts.as_of_us, facts.seal) == ("2025-08-31", JULY, "")
    assert [one.handle for one in scene.claims.list()] == ["CLM-1"]
    assert scene.claims.list("other") == []
    with scene.world.storage.transaction() as tx:
        (act, *_) = tx.acts(None, 5)
    assert (act.action, act.subject, act.who) == ("claim.create", "CLM-1", "ada")
    assert act.detail == "acme 2025-06: 100.00 EUR"


def test_s50_the_other_side_recomputes_the_pack(scene: Scene, tmp_path: Path) -> None:
    contents = scene.write(scene.create().handle, tmp_path / "pack")
    assert list(contents)[:3] == ["letter.txt", "letter.html", "letter.pdf"]
    document = json.loads(contents["claim.json"])
    words = document["command"].partition(" | ")[0].split()
    paths = {"fleet.yaml", "timeline.json"}
    arguments = [str(tmp_path / "pack" / one) if one in paths else one for one in words[1:]]
    outcome = CliRunner().invoke(cli, arguments)
    assert outcome.exit_code == 1, outcome.output
    assert outcome.stdout_bytes == contents["attainment.json"]
    for line in contents["MANIFEST"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(contents[name]).hexdigest() == digest
    assert len(contents["MANIFEST"].splitlines()) == len(contents) - 1


def test_s50_a_pack_shows_nothing_of_other_contracts_nor_who_is_told(
    scene: Scene, tmp_path: Path
) -> None:
    contents = scene.write(scene.create().handle, tmp_path / "pack")
    assert b"id: acme" in contents["fleet.yaml"]
    shown = contents["fleet.yaml"].split(b"\n", 1)[1]
    assert b"action: warn" in shown
    assert not [one for one in (b"other", b"desk", b"notify") if one in shown]
    (exclusion,) = json.loads(contents["exclusions.json"])["exclusions"]
    assert (exclusion["id"], exclusion["outcomes"][0]["status"]) == ("m1", "applied")


def test_s50_a_pack_holds_the_requests_around_each_outage(scene: Scene, tmp_path: Path) -> None:
    contents = scene.write(scene.create().handle, tmp_path / "pack")
    lines = [json.loads(one) for one in contents["requests/OUT-1.jsonl"].splitlines()]
    down = [one for one in lines if one["outcome"] == "down"]
    assert len(down) == 30
    assert {one["region"] for one in lines} == set(REGIONS)
    assert [one["at"] for one in lines] == sorted(one["at"] for one in lines)
    assert lines[0]["outcome"] == lines[-1]["outcome"] == "up"


def test_s50_the_letter_names_all_that_a_counterparty_asks_for(scene: Scene) -> None:
    claim = scene.create()
    letter = scene.claims.file(claim.handle, "letter.txt").decode()
    for part in (
        "Claim CLM-1: 100.00 EUR",
        "Contract acme, period 2025-06 (Europe/Warsaw)",
        "ACME GmbH",
        "vedette.example",
        "2025-06-01 00:00:00 CEST",
        "2025-05-31T22:00:00Z",
        "2025-08-31",
        "is not sealed",
        "OUT-1",
        "below 99.0, percent 10",
        "45 results around OUT-1",
        "fee 1000.00 EUR",
        "is below 99.0 %: 10 % of the fee: 100",
        "m1",
        "vedette sla compute --config fleet.yaml",
        "recompute.sh",
    ):
        assert part in letter, part
    assert "Claim CLM-1: 100.00 EUR" in scene.claims.file(claim.handle, "letter.html").decode()
    assert scene.claims.file(claim.handle, "letter.pdf").startswith(b"%PDF-")


@pytest.mark.parametrize("title", ["株式会社", "<script>alert(1)</script> & {{x}} #panic()"])
def test_s50_any_name_can_stand_in_a_letter(scene: Scene, title: str) -> None:
    world = scene.world
    text = CONTRACTS.replace("ACME GmbH", json.dumps(title))
    assert not world.fleets.apply(FLEET + text.encode(), "fleet.yaml", "ada").problems
    claim = scene.create()
    assert title in scene.claims.file(claim.handle, "letter.txt").decode()
    page = scene.claims.file(claim.handle, "letter.html").decode()
    assert "<script>alert" not in page
    _, files = scene.claims.show(claim.handle)
    # The fonts at hand have no Chinese letters: the pack is made without a PDF.
    assert ("letter.pdf" in [one.name for one in files]) is title.startswith("<")


def test_s50_a_controller_without_the_extra_makes_packs_without_a_pdf(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    claim = scene.create()
    _, files = scene.claims.show(claim.handle)
    assert [one.name for one in files][:3] == ["letter.txt", "letter.html", "claim.json"]


def test_s50_what_is_claimed_is_not_claimed_again(scene: Scene) -> None:
    scene.create()
    with pytest.raises(Rejected, match="CLM-1 \\(draft\\) claims availability for 2025-06 already"):
        scene.create()
    second = scene.create(supersedes="clm-1")
    assert (second.handle, second.facts.supersedes) == ("CLM-2", 1)
    (_, first) = scene.claims.list()
    assert (first.state, first.superseded_by) == (ClaimState.SUPERSEDED, 2)
    scene.move("CLM-2", "withdraw", reason="wrong fee")
    assert scene.create().handle == "CLM-3"


def test_s50_a_claim_goes_from_draft_to_settled(scene: Scene) -> None:
    handle = scene.create().handle
    for action, said, state in (
        ("submit", {}, "submitted"),
        ("dispute", {"reason": "our log says 4 minutes", "amount": "40"}, "disputed"),
        ("settle", {"amount": "70.50"}, "settled"),
    ):
        assert scene.move(handle, action, **said).state == state
    claim, _ = scene.claims.show(handle)
    assert [(one.action, one.amount) for one in claim.acts] == [
        ("create", None), ("submit", None), ("dispute", "40.00"), ("settle", "70.50"),
    ]  # fmt: skip
    with pytest.raises(Rejected, match="CLM-1 is settled"):
        scene.move(handle, "withdraw", reason="too late")


def test_s50_a_claim_after_the_deadline_needs_a_reason(scene: Scene) -> None:
    scene.world.now_us = JULY + 62 * DAY
    with pytest.raises(Rejected, match=r"was 2025-08-31 \(Europe/Warsaw\).*--late REASON"):
        scene.create()
    claim = scene.create(late="they asked us to wait")
    assert "because: they asked us to wait" in scene.claims.file("CLM-1", "letter.txt").decode()
    assert scene.move(claim.handle, "submit").state == "submitted"


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"contract": "other"}, Rejected, "Nothing was breached in 2025-06: availability met"),
        ({"contract": "none"}, NotFound, "Expected a contract that was ever in force"),
        ({"period": "2025-07"}, Rejected, "2025-07 is not over: it ends at 2025-07-31T22:00:00Z"),
        ({"period": "2025-05"}, Rejected, "Nothing was breached in 2025-05: availability no eligible time"),
        ({"period": "2025-W23"}, BadInput, "acme is judged by month, and 2025-W23 is a week"),
        ({"period": "June"}, BadInput, "expected a period such as"),
        ({"objective": "speed"}, NotFound, "Expected an objective of acme \\(availability\\)"),
        ({"supersedes": "CLM-9"}, NotFound, "There is no claim CLM-9"),
        ({"supersedes": "nine"}, BadInput, "Expected the handle of a claim"),
        ({"late": "x\x07"}, BadInput, "printable"),
    ],
)  # fmt: skip
def test_s50_what_cannot_be_claimed(
    scene: Scene, asked: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        scene.create(**asked)
    assert scene.claims.list() == []


def test_s50_a_claim_that_is_not_there(scene: Scene) -> None:
    with pytest.raises(NotFound, match="There is no claim CLM-7"):
        scene.claims.show("CLM-7")
    scene.create()
    with pytest.raises(NotFound, match="Expected a file of the pack of CLM-1"):
        scene.claims.file("CLM-1", "letter.doc")
    with pytest.raises(BadInput, match="--amount: expected at most 2 digits"):
        scene.move("CLM-1", "submit", amount="1.234")


SPEED = """\
    objectives:
      - {id: availability, target: "99.0", min_coverage: "0"}
      - {id: speed, metric: latency, threshold: 3s, target: "99", min_coverage: "0"}
"""


async def test_s48_the_samples_that_were_counted_stand_in_the_pack(
    world: World, running: Running, tmp_path: Path
) -> None:
    objectives = next(line for line in CONTRACTS.splitlines(keepends=True) if "objectives" in line)
    text = FLEET + CONTRACTS.replace(objectives, SPEED, 1).encode()
    found = world.fleets.apply(text, "fleet.yaml", "ada")
    assert not found.problems, found.problems
    story = Story(world, running)
    await story.rounds(1, 4)
    await story.rounds(4, 8, down=REGIONS)
    await story.rounds(8, 12)
    world.now_us = JULY
    scene = Scene(world)
    claim = scene.create()
    assert claim.facts.objectives == ("availability", "speed")
    timeline = json.loads(scene.claims.file("CLM-1", "timeline.json"))
    samples = timeline["checks"]["shop-home"]["samples"]
    assert [one[1] for one in samples].count("down") == 12
    assert len(samples) == 33


async def test_s22_a_claim_for_a_sealed_period_rests_on_the_report(
    scene: Scene, tmp_path: Path
) -> None:
    world = scene.world
    documents = Documents(world.evaluator, Terms(), "1")
    periods = Periods(world.storage, world.evaluator, documents, lambda: world.now_us)
    sealed = periods.seal("acme", "2025-06", ADA, is_early=True, reason="a test")
    world.now_us += DAY
    claim = scene.create()
    assert claim.facts.seal == f"revision 1, SHA-256 {sealed.sha256}"
    assert claim.facts.as_of_us == sealed.as_of_us < world.now_us
    assert scene.claims.file("CLM-1", "report.json") == sealed.body
    records = json.loads(scene.claims.file("CLM-1", "attainment.json"))["records"]
    report = json.loads(sealed.body)["records"]
    assert [one["attainment"] for one in records] == [one["attainment"] for one in report]
    letter = " ".join(scene.claims.file("CLM-1", "letter.txt").decode().split())
    assert "The figures are those of the sealed report, revision 1, SHA-256" in letter
    assert "says otherwise" not in letter
    with world.storage.transaction() as tx:
        tx.put_reopened(Reopened("acme", "2025-06", world.now_us))
    assert scene.create(supersedes="CLM-1").facts.is_outdated
    letter = " ".join(scene.claims.file("CLM-2", "letter.txt").decode().split())
    assert "What became known since says otherwise" in letter


def test_s50_of_a_long_outage_the_beginning_and_the_end_are_shown(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.services.outages.request_log.LINES_SHOWN_MAX", 10)
    scene.create()
    lines = scene.claims.file("CLM-1", "requests/OUT-1.jsonl").splitlines()
    assert len(lines) == 10
    letter = " ".join(scene.claims.file("CLM-1", "letter.txt").decode().split())
    assert (
        "10 results around OUT-1, as the probes reported them; 35 of its middle are left out"
        in letter
    )


def test_s50_lines_that_are_not_kept_any_more_are_counted(world: World) -> None:
    samples = [
        Sample("fra-1", "e1", "shop", seq, "shop-home", "fra", 1000 + seq, Outcome.DOWN)
        for seq in (1, 2)
    ]
    with world.storage.transaction() as tx:
        tx.append([], samples, [], [], [])
        log = request_log(tx, "shop-home", 1000, 2000)
    assert (log.lines, log.shown, log.gone) == (b"", 0, 2)


async def test_s49_a_claim_for_several_checks_shows_the_outages_of_each(
    world: World, running: Running, tmp_path: Path
) -> None:
    text = CONTRACTS.replace(
        "scope: {checks: [shop-home]}", "scope: {series: [shop-home, shop-dns]}", 1
    )
    assert not world.fleets.apply(FLEET + text.encode(), "fleet.yaml", "ada").problems
    story = Story(world, running)
    await story.rounds(1, 4)
    await story.rounds(4, 8, down=REGIONS)
    await story.rounds(8, 12)
    world.now_us = JULY
    scene = Scene(world)
    claim = scene.create()
    contents = scene.write(claim.handle, tmp_path / "pack")
    assert list(json.loads(contents["timeline.json"])["checks"]) == ["shop-dns", "shop-home"]
    (outage,) = json.loads(contents["claim.json"])["outages"]
    assert (outage["handle"], outage["check"], outage["counted_us"]) == (
        "OUT-1",
        "shop-home",
        240 * SECOND,
    )


def test_s50_a_weighted_exclusion_stays_that_of_its_part() -> None:
    """An exclusion of one check of several is written into the pack for that check alone."""
    data = {
        "regions": [{"id": "a"}],
        "services": [{"id": "s", "depends_on": ["t"]}],
        "checks": [{"id": "c", "service": "s"}, {"id": "d", "service": "s"}],
        "contracts": [],
    }
    one = Exclusion(
        id="x", type=ExclusionType.SCHEDULED, from_=0, to=9, scope=ExclusionScope(checks=["d", "e"]),
        declared_at=5, by="eve",
    )  # fmt: skip
    gone = Declaration(msgspec.structs.replace(one, id="y"), withdrawn_us=3)
    declared = [Declaration(one, logged_us=7, approvals=("Bob",)), gone]
    excerpt = fleet_excerpt(data, "k", Scope(weighted={"c": "0.5", "d": "0.5"}), declared)
    (written,) = excerpt["exclusions"]
    assert written["scope"] == {"checks": ["d"]}
    assert (written["declared_at"], written["approved_by"]) == (7, ["Bob"])
    assert excerpt["services"] == [{"id": "s"}]
