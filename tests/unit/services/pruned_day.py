"""A sealed day whose lines are old: reports are issued, and the duty of pruning may go to work."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.identity.notary import LogNotary
from controller.ports.evidence import Segment
from controller.ports.holds import HoldEvent, HoldKind
from controller.ports.leaves import LeafKind
from controller.ports.pruned import Pruned
from controller.ports.seals import StreamId
from controller.services.contracts.terms import Terms
from controller.services.evidence.pruning import Prunings
from tests.unit.services.conftest import SECOND, Running, World
from tests.unit.services.report_stage import CONTRACTS, DAY, ENDS, REGIONS, Stage
from tests.unit.services.sealed_day import HOUR, Chain, SealedDay

RETENTION = b"retention: {lines: 3d}\n"
_STEPS_MAX = 10_000


@dataclass
class PrunedDay(SealedDay):
    """The day, and what is left of it later."""

    async def play(self) -> None:
        """Six hours of the day, with an outage of ten minutes at three; its lines are sealed by the hour."""
        for start, end, outcome in (
            (ENDS, ENDS + 3 * HOUR, "up"),
            (ENDS + 3 * HOUR, ENDS + 3 * HOUR + 600 * SECOND, "down"),
            (ENDS + 3 * HOUR + 600 * SECOND, ENDS + 6 * HOUR, "up"),
        ):
            for region in REGIONS:
                await self.stage.probe(region, start, end, outcome)
        for region in REGIONS:
            self.seal(StreamId(f"{region}-1", "e1", "shop"), self.stage.seqs[region])

    async def grow_old(self) -> None:
        """The day, and a week later: every report that is due is issued."""
        self.begins_us = ENDS
        self.stage.apply(CONTRACTS + RETENTION)
        await self.play()
        self.stage.world.now_us = ENDS + 8 * DAY
        self.stage.work()

    def prune(self, until: Callable[[], bool] = lambda: False, *, is_heard: bool = True) -> int:
        """Everything that the duty finds to do now, as after a start; gives how many transactions it took.

        Of agents that are heard one has just sealed something.
        """
        world = self.stage.world
        if is_heard:
            self.seal_nothing(world.now_us)
        self.duty = Prunings(world.storage, world.evaluator, Terms(), self.stage.tick)
        return self.go_on(until)

    def go_on(self, until: Callable[[], bool] = lambda: False) -> int:
        """The same duty, later; up to the step by which something is so."""
        for step in range(_STEPS_MAX):
            if not self.duty.look() or until():
                return step
        raise AssertionError("pruning comes to no end")

    def seal_nothing(self, end_us: int) -> None:
        """An agent seals at that instant, by its clock, that it has no lines; it comes now."""
        stream = StreamId("fra-1", "e1", "depot")
        with self.stage.world.storage.transaction() as tx:
            if tx.seal_tip(stream) is None:
                tx.append([Segment(*stream, 1, 0, b"", end_us, 0)], [], [], [], [])
        chain = self.chains.setdefault(stream, Chain())
        chain.since_us = end_us - 60 * SECOND
        self._seal(stream, chain, 0, 0, 0)

    def pruned(self) -> list[Pruned]:
        """What was dropped so far."""
        with self.stage.world.storage.transaction() as tx:
            return [run for _, run in tx.pruned()]

    def leaves(self, kind: LeafKind) -> list[bytes]:
        """The notes of that kind in the log."""
        with self.stage.world.storage.transaction() as tx:
            return [note for leaf, note in tx.leaf_notes(0, tx.log_size()) if leaf.kind is kind]

    def hold(self, from_us: int, to_us: int, kind: HoldKind = HoldKind.PLACED) -> None:
        """A hold of the check over that time, or its end."""
        with self.stage.world.storage.transaction() as tx:
            tx.put_hold_event(
                HoldEvent(1, kind, self.stage.tick(), "ada", "admin", "", "check shop-home",
                          ("shop-home",), from_us, to_us, "the other side asked")
            )  # fmt: skip


async def made_old(world: World, running: Running, notary: LogNotary) -> PrunedDay:
    """A day that is old."""
    day = PrunedDay(Stage(world, running), notary)
    await day.grow_old()
    return day
