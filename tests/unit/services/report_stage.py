"""A controller with reports, on storage that outlives it: a contract by days, and agents that see them."""

from controller.core.calendars import period_named
from controller.core.sla.reports.report_document import Issue
from controller.ports.custody import Actor
from controller.ports.issued import IssuedReport
from controller.services.contracts.documents import Documents, issue_of
from controller.services.contracts.issuing import Issuing
from controller.services.contracts.period_views import PeriodView
from controller.services.contracts.periods import Periods
from controller.services.contracts.terms import Terms
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line

ADA = Actor("ada", "admin", "192.0.2.1")
DAY = 86_400 * SECOND
REGIONS = ("fra", "nyc", "sin")
CONTRACTS = b"""\
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    period: {kind: day, tz: UTC}
    objectives: [{id: availability, target: "90.0", min_coverage: "95"}]
    lateness: {allowed: 6h, seal_after: 12h}
    acknowledge_unmeasurable: true
"""
# START is 2025-06-15 15:06:40 UTC.
LABEL = "2025-06-15"
BAD = START + 3600 * SECOND
ENDS = 1_750_032_000 * SECOND


class Stage:
    """A controller with reports, on storage that outlives it."""

    def __init__(self, world: World, running: Running) -> None:
        self.world = world
        self.running = running
        self.seqs = dict.fromkeys(REGIONS, 0)
        world.now_us = START - 1800 * SECOND
        self.apply(CONTRACTS)
        self.begin()

    def apply(self, contracts: bytes) -> None:
        self.tick()
        assert not self.world.fleets.apply(FLEET + contracts, "fleet.yaml", "ada").problems

    def begin(self) -> None:
        """New services over the same storage."""
        terms = Terms()
        self.documents = Documents(self.world.evaluator, terms, "1.0")
        where = (self.world.storage, self.world.evaluator)
        self.periods = Periods(*where, self.documents, self.tick)
        self.issuing = Issuing(self.world.storage, self.periods, terms, self.tick)

    async def restart(self) -> None:
        await self.running.restart()
        self.world.evaluator.rebuild(self.tick())
        self.begin()

    def tick(self) -> int:
        """A clock that never stands."""
        self.world.now_us += 1
        return self.world.now_us

    async def give(self, region: str, *probes: tuple[int, str]) -> None:
        """Results of a region at these instants, which come now, each batch an instant later."""
        first = self.seqs[region] + 1
        lines = [
            line(seq, at_us, outcome, region) for seq, (at_us, outcome) in enumerate(probes, first)
        ]
        self.seqs[region] += len(lines)
        self.world.now_us = max(self.tick(), *(at_us for at_us, _ in probes), 0)
        await self.running.give(frame(first, *lines), region)

    async def probe(self, region: str, from_us: int, to_us: int, outcome: str = "up") -> None:
        """A result every minute."""
        at = range(from_us, to_us, 60 * SECOND)
        for start in range(0, len(at), 300):
            await self.give(region, *((at_us, outcome) for at_us in at[start : start + 300]))

    async def contradict(self, region: str, *at_us: int) -> None:
        """The last results of a region come again with other bytes: failures of these instants."""
        first = self.seqs[region] - len(at_us) + 1
        for seq, one in enumerate(at_us, first):
            self.tick()
            await self.running.give(frame(seq, line(seq, one, "down", region)), region)

    async def day(self, *, late: str = "") -> None:
        """The rest of the first day: two regions see ten minutes of failure, one of them perhaps later."""
        for place, region in enumerate(REGIONS):
            at_us = START + place * 20 * SECOND
            await self.probe(region, at_us, BAD)
            if region != late:
                await self.rest_of_day(region)
        self.world.now_us = ENDS + 400 * SECOND

    async def rest_of_day(self, region: str) -> None:
        place = REGIONS.index(region)
        at_us, over_us = BAD + place * 20 * SECOND, BAD + 600 * SECOND + place * 20 * SECOND
        await self.probe(region, at_us, over_us, "up" if region == "nyc" else "down")
        await self.probe(region, over_us, ENDS + 300 * SECOND)

    def work(self) -> None:
        """Everything that the duty finds to do now."""
        while self.issuing.look():
            pass

    def issued(self, label: str = LABEL) -> list[IssuedReport]:
        with self.world.storage.transaction() as tx:
            return list(tx.issued("acme", label))

    def view(self, label: str = LABEL) -> PeriodView:
        return next(one for one in self.periods.all("acme") if one.when.label == label)

    def again(self, report: IssuedReport) -> bytes:
        """The same document, computed again from what was known then."""
        return self.then(report.as_of_us, issue_of(report))

    def then(self, known_us: int, issue: Issue | None = None) -> bytes:
        """The document as of an instant, from what was known then."""
        with self.world.storage.transaction() as tx:
            return self.documents.then(tx, "acme", period_named(LABEL, "UTC"), known_us, issue)

    def now(self) -> bytes:
        """The document as of now, from what is stored."""
        with self.world.storage.transaction() as tx:
            return self.documents.now(tx, "acme", period_named(LABEL, "UTC"), self.tick())
