"""What is of others is in no file that is handed over: their names, their terms, their outages, and what people said of them."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from controller.core.bundle.annex import parsed_annex
from controller.core.bundle.recompute import recomputed
from controller.core.bundle.statements import exit_code
from controller.core.bundle.verify import opened_claim, statements
from controller.core.paper.gathering import Gathered
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.remarks import Remark, RemarkKind
from controller.ports.seals import StreamId
from controller.reporting.paper.page import paper
from controller.reporting.rendering import Form, rendered
from controller.services.contracts.claims import Asked as AskedClaim
from controller.services.contracts.claims import Claims
from controller.services.contracts.exclusions import Asked, Exclusions
from controller.services.contracts.terms import Terms
from tests.fakes.storage import FakeStorage
from tests.unit.core.bundle.made import Files
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from tests.unit.services.report_stage import ADA, ENDS, REGIONS, Stage
from tests.unit.services.sealed_day import HOUR, LABEL, SealedDay
from vedette.shared.note import Verifier

# In every name and text of the other party: no file may have it, in any case.
RIVAL = "zorglub"
# Written by value into the definition of a check, which is handed over as it is, and nowhere else.
BY_VALUE = ("query-canary", "header-canary", "body-canary")
DEFINITIONS = ("fleet.yaml", "config/")
FLEET = f"""\
version: 1
regions: [{{id: fra}}, {{id: nyc}}, {{id: sin}}]
services:
  - {{id: shop, depends_on: [{RIVAL}]}}
  - {{id: {RIVAL}, title: {RIVAL} title}}
checks:
  - id: shop-home
    service: shop
    every: 60s
    timeout: 10s
    http:
      url: "https://shop.example/?token=query-canary"
      method: POST
      headers: {{X-Key: header-canary}}
      body: body-canary
  - {{id: {RIVAL}-home, service: {RIVAL}, every: 60s, timeout: 5s, http: {{url: "https://{RIVAL}.example/"}}}}
contracts:
  - id: acme
    party: ACME
    effective_from: 2025-01-01T00:00:00Z
    level: underpinning
    parent: {RIVAL}-gold
    scope: {{checks: [shop-home]}}
    period: {{kind: day, tz: UTC}}
    objectives: [{{id: availability, target: "99.9", min_coverage: "0"}}]
    exclusions: {{scheduled: {{notice: 0s}}}}
    lateness: {{allowed: 6h, seal_after: 12h}}
    acknowledge_unmeasurable: true
    credits: {{fee: "1000.00", currency: EUR, tiers: [{{below: "99.9", percent: "10"}}]}}
  - id: {RIVAL}-gold
    party: {RIVAL} Inc
    effective_from: 2025-01-01T00:00:00Z
    scope: {{checks: [{RIVAL}-home]}}
    period: {{kind: day, tz: UTC}}
    objectives: [{{id: availability, target: "99.9", min_coverage: "0"}}]
    acknowledge_unmeasurable: true
    credits: {{fee: "31337.00", currency: EUR, tiers: [{{below: "99.9", percent: "10"}}]}}
notify:
  - {{id: {RIVAL}, url: "json://{RIVAL}.example/hook", services: [{RIVAL}]}}
""".encode()


class Two:
    """A controller with two parties who use the same agents."""

    def __init__(self, day: SealedDay) -> None:
        self.day = day
        self.world = day.stage.world
        self.terms = Terms()
        self.exclusions = Exclusions(self.world.storage, self.terms, day.stage.tick)

    async def play(self) -> None:
        """The day of the first party, and hours of the other in which everything went wrong for them, too."""
        self.day.stage.tick()
        assert not self.world.fleets.apply(FLEET, "fleet.yaml", "ada").problems
        self.exclude(f"{RIVAL}-home")
        self.exclude("shop-home", f"{RIVAL}-home")
        await self.day.play()
        for seq, at_us in enumerate(range(ENDS, ENDS + 3 * HOUR, 60 * SECOND), 1):
            for region in REGIONS:
                more = {"stream": RIVAL, "check": f"{RIVAL}-home"}
                lines = line(seq, at_us, "down", region, **more)
                await self.day.stage.running.give(frame(seq, lines, stream=RIVAL), region)
        self.world.now_us = ENDS + 40 * HOUR
        for region in REGIONS:
            self.day.seal(StreamId(f"{region}-1", "e1", RIVAL), 180)
        self.remark(f"{RIVAL}-home", f"{RIVAL} is down")
        self.remark("shop-home", "the shop is down")
        self.day.stage.work()

    def exclude(self, *checks: str) -> None:
        """Planned work, declared by a person."""
        whose = RIVAL if checks[0].startswith(RIVAL) else "the shop"
        asked = Asked(
            "scheduled", ENDS + 6 * HOUR, ENDS + 7 * HOUR, f"work on {whose}", checks=checks
        )
        self.exclusions.declare(asked, ADA)

    def remark(self, check: str, text: str) -> None:
        """What somebody says of the outage of a check."""
        number = int(self.handle(check).removeprefix("OUT-"))
        with self.world.storage.transaction() as tx:
            at_us = self.day.stage.tick()
            tx.put_remark(Remark(number, RemarkKind.ANNOTATION, at_us, "ada", "admin", "x", text))

    def handle(self, check: str) -> str:
        """The outage of a check."""
        with self.world.storage.transaction() as tx:
            return tx.outages(check, 0, 2**62)[0].handle

    def exports(self) -> Iterator[tuple[str, Mapping[str, bytes]]]:
        """Everything that is made for the first party."""
        for name, bundle in (
            ("bundle", self.day.bundle()), ("bundle of an outage", self.day.of_outage(self.handle("shop-home"))),
        ):  # fmt: skip
            yield name, bundle.files
            yield f"paper of a {name}", {"report.html": self.paper(bundle)}
        yield (
            "reports",
            {form: rendered([self.report()], form) for form in Form if form is not Form.PDF},
        )
        yield "claim", self.claim()
        yield "annex", {"annex.txt": self.day.bundles().annex().encode()}

    def report(self) -> bytes:
        """The sealed report of the day."""
        return self.day.stage.issued(LABEL)[-1].body

    def paper(self, bundle: Files) -> bytes:
        """The report of a bundle for people."""
        return paper(Gathered.of(bundle), Form.HTML)

    def claim(self) -> Mapping[str, bytes]:
        """The pack of a claim, file by file."""
        claims = Claims(
            self.world.storage, self.world.evaluator, self.terms, "x.example", self.day.stage.tick
        )
        handle = claims.create(AskedClaim("acme", LABEL), ADA).handle
        _, files = claims.show(handle)
        return {one.name: claims.file(handle, one.name) for one in files}


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, bytes]]:
    return asyncio.run(_exports(tmp_path_factory.mktemp("controller")))


async def _exports(folder: Path) -> Mapping[str, Mapping[str, bytes]]:
    now_us = START - 3600 * SECOND
    notary = LogNotary(StateDirectory(folder), "example.net", lambda: now_us)
    storage = FakeStorage(notary)
    world = World(storage)
    running = Running(world)
    running.start()
    try:
        two = Two(SealedDay(Stage(world, running), notary))
        await two.play()
        return dict(two.exports())
    finally:
        await running.stop()
        storage.close()


EXPORTS = (
    "bundle", "bundle of an outage", "paper of a bundle", "paper of a bundle of an outage", "reports", "claim", "annex",
)  # fmt: skip


@pytest.mark.parametrize("export", EXPORTS)
def test_another_party_is_named_nowhere(
    exports: Mapping[str, Mapping[str, bytes]], export: str
) -> None:
    assert exports[export]
    for name, data in exports[export].items():
        assert RIVAL not in name.lower()
        at = data.lower().find(RIVAL.encode())
        assert at < 0, f"{name}: {data[max(0, at - 200) : at + 100]!r}"
        assert b"31337" not in data, name


@pytest.mark.parametrize("export", EXPORTS)
def test_what_a_definition_has_by_value_stands_in_definitions_only(
    exports: Mapping[str, Mapping[str, bytes]], export: str
) -> None:
    for name, data in exports[export].items():
        for value in BY_VALUE:
            assert value.encode() not in data or name.startswith(DEFINITIONS), (name, value)


def test_without_the_names_of_others_everything_is_verified_all_the_same(
    exports: Mapping[str, Mapping[str, bytes]],
) -> None:
    bundle = Files(dict(exports["bundle"]))
    annex = parsed_annex(exports["annex"]["annex.txt"].decode())
    claim = opened_claim(bundle, Verifier(annex.origin, annex.log_key))
    found = [*statements(bundle, annex), *recomputed(bundle, claim)]
    assert exit_code(found) == 0, found
    assert any("1 exclusion of fleet.yaml is as it was declared" in one.text for one in found)


def test_the_other_party_was_there(exports: Mapping[str, Mapping[str, bytes]]) -> None:
    """Or nothing would be proved."""
    bundle = exports["bundle"]
    assert b"the shop is down" in b"".join(bundle.values())
    assert b"work on the shop" in b"".join(bundle.values())
    assert any(value.encode() in bundle["fleet.yaml"] for value in BY_VALUE)
    assert set(exports) == set(EXPORTS)
