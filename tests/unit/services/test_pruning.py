"""Pruning: what is old goes by whole seals, what is needed stays, and no figure is another one afterwards."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from controller.core.bundle.layout import ATTAINMENT, FLEET, RESULTS, TIMELINE
from controller.core.bundle.recompute import recomputed as recomputed_bundle
from controller.core.bundle.statements import Holds, exit_code
from controller.core.bundle.verify import opened_claim, statements
from controller.core.calendars import period_named
from controller.core.sla.claims.claims import ClaimFacts
from controller.core.sla.reports.report_document import decode_report
from controller.errors import Rejected
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.claims import ClaimEvent
from controller.ports.counters import Counter
from controller.ports.evidence import Segment
from controller.ports.holds import HoldKind
from controller.ports.leaves import LeafKind
from controller.ports.seals import StreamId
from controller.reporting.rendering import Form, rendered
from controller.services.contracts.sight import PastSight
from controller.services.contracts.terms import Terms
from controller.services.evidence.disputed import Asked
from controller.services.evidence.holds import Holds as HoldService
from controller.services.evidence.log_check import faults
from controller.services.outages.outages import Outages
from controller.services.results.export import exported
from controller.services.results.frames import Accepted, Refused
from controller.services.timeline.recompute import recomputed
from controller.storage.damage import damages
from tests.fakes.storage import FakeStorage
from tests.unit.services.conftest import FLEET as CHECKS
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from tests.unit.services.pruned_day import RETENTION, PrunedDay, made_old
from tests.unit.services.report_stage import ADA, CONTRACTS, DAY, ENDS
from tests.unit.services.sealed_day import HOUR, LABEL

FRA = StreamId("fra-1", "e1", "shop")
LINES = 360


@pytest.fixture
def notary(tmp_path: Path) -> LogNotary:
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: START - 3600 * SECOND)


@pytest.fixture
def storage(notary: LogNotary) -> Iterator[FakeStorage]:
    opened = FakeStorage(notary)
    yield opened
    opened.close()


@pytest.fixture
async def old(world: World, running: Running, notary: LogNotary) -> PrunedDay:
    return await made_old(world, running, notary)


def held(day: PrunedDay, stream: StreamId = FRA) -> list[int]:
    """The numbers of the first lines of the segments that are there."""
    with day.stage.world.storage.transaction() as tx:
        return [one.first_seq for one in tx.held_segments(stream, 1, 10**6, 10**6)]


async def test_lines_that_are_old_go_and_a_leaf_says_which(old: PrunedDay) -> None:
    old.prune()
    assert {(run.first_seal, run.last_seal, run.lines) for run in old.pruned()} == {(1, 6, LINES)}
    notes = old.leaves(LeafKind.PRUNE)
    assert len(notes) == 3
    assert notes[0].startswith(b"vedette.prune/v1\ntime ")
    assert b'"runs":["stream fra-1 e1 shop seals 1 6 lines 1 360 360 bytes ' in notes[0]
    assert b'"retention":"3d"' in notes[0]
    assert held(old) == []
    # What is gone is gone once, and whoever looks again finds nothing to do.
    assert old.go_on() == 0
    old.prune()
    assert len(old.leaves(LeafKind.PRUNE)) == 3


async def test_no_figure_is_another_one_without_the_lines(old: PrunedDay) -> None:
    stage = old.stage
    as_of = ENDS + 2 * DAY

    def seen() -> list[object]:
        with stage.world.storage.transaction() as tx:
            past = PastSight(tx, stage.world.evaluator, as_of).told("shop-home", ENDS, ENDS + DAY)
            counted = tx.samples("shop-home", ENDS, ENDS + DAY)
        reports = [
            stage.again(one) for label in (LABEL, "2025-06-15") for one in stage.issued(label)
        ]
        stage.world.now_us = ENDS + 9 * DAY
        view = {check: told[1:] for check, told in stage.world.view().items()}
        return [past, counted, reports, stage.then(as_of), view]

    await stage.restart()
    before, issued = seen(), stage.issued()
    old.prune()
    assert old.pruned()
    assert seen() == before
    await stage.restart()
    assert seen() == before
    # A result of that time that comes now is judged beside those whose lines are gone.
    await stage.give("fra", (ENDS + 3 * HOUR + 900 * SECOND, "down"))
    with stage.world.storage.transaction() as tx:
        assert len(tx.outages("shop-home")) == 1
        past = PastSight(tx, stage.world.evaluator, as_of).told("shop-home", ENDS, ENDS + DAY)
    assert past == before[0]
    assert stage.issued() == issued


async def test_whatever_needs_the_lines_says_that_they_were_pruned(
    old: PrunedDay, notary: LogNotary, running: Running
) -> None:
    world = old.stage.world
    storage = world.storage
    whole = recomputed(storage.transaction)
    before = list(faults(storage.transaction, notary.verifier))
    old.prune()
    # Computing again takes what they counted as, and says for how many.
    found = recomputed(storage.transaction)
    assert (found.differences, found.results) == ([], whole.results)
    assert (whole.pruned, found.pruned) == (0, 3 * LINES)
    assert b"".join(exported(storage.transaction)) == b""
    # They are no damage; those that vanished are.
    assert list(faults(storage.transaction, notary.verifier)) == before
    assert list(damages(storage.real)) == []
    rest = StreamId("fra-1", "e2", "shop")
    with storage.transaction() as tx:
        tx.append([Segment(*rest, 1, 1, b"line\n", 1, 0)], [], [], [], [])
        tx.drop_lines(rest, tx.held_segments(rest, 1, 9, 9))
    (wrong,) = damages(storage.real)
    assert "they are gone, and nothing says that they were pruned" in wrong
    # An outage is explained by what they counted as.
    with storage.transaction() as tx:
        (outage,) = tx.outages("shop-home")
    explained = Outages(storage, world.evaluator, old.stage.tick).explain(outage.handle)
    said = {one.detail for one in explained.samples}
    assert said == {"the line is not kept any more: its retention was over"}
    # What comes again cannot be compared with them; what is new is taken.
    answer = await running.give(frame(7, line(7, ENDS, "down")))
    assert isinstance(answer, Refused)
    assert "lines 1 to 360 were pruned when their retention was over" in answer.reason
    assert answer.resend_from == LINES + 1
    new = line(LINES + 1, world.now_us)
    assert isinstance(await running.give(frame(LINES + 1, new)), Accepted)


async def test_what_is_held_stays_until_the_hold_is_lifted(old: PrunedDay) -> None:
    old.hold(held_us := ENDS + 3 * HOUR + 600 * SECOND, held_us + 60 * SECOND)
    old.prune()
    # What the rules look at around that minute, and an hour around that.
    runs = [run for run in old.pruned() if run.id == FRA]
    assert [(run.first_seal, run.last_seal) for run in runs] == [(1, 1), (6, 6)]
    assert held(old) == [61, 121, 181, 241]
    old.hold(held_us, held_us + 60 * SECOND, HoldKind.LIFTED)
    old.stage.world.now_us += HOUR
    old.go_on()
    assert held(old) == []
    assert sum(run.lines for run in old.pruned()) == 3 * LINES


async def test_what_comes_while_a_pass_is_under_way_counts_at_once(old: PrunedDay) -> None:
    old.prune(until=lambda: bool(old.pruned()))
    before = old.pruned()
    assert len(before) < 3
    old.hold(ENDS, ENDS + DAY)
    old.go_on()
    assert old.pruned() == before
    # So does a file that has lines kept for longer.
    old.hold(ENDS, ENDS + DAY, HoldKind.LIFTED)
    old.stage.world.now_us += HOUR
    old.go_on(until=lambda: len(old.pruned()) > len(before))
    longer = CONTRACTS + RETENTION.replace(b"3d", b"300d")
    old.stage.apply(longer)
    old.go_on()
    assert len(old.pruned()) == len(before) + 1


@pytest.mark.parametrize("so_far", [1, 20, 26])
async def test_no_bundle_is_made_of_lines_that_are_pruned_under_way(
    old: PrunedDay, so_far: int
) -> None:
    parts = old.parts()
    assert len(list(islice(parts, so_far))) == so_far
    old.prune()
    with pytest.raises(Rejected, match="pruned while they were handed over"):
        list(parts)
    assert exit_code(statements(old.bundle(), old.annex())) == 2


async def test_a_period_without_a_sealed_report_keeps_its_lines(
    world: World, running: Running, notary: LogNotary
) -> None:
    day = await made_old(world, running, notary)
    # A contract of before, whose reports wait.
    with world.storage.real.transaction() as tx:
        tx.connection.execute(text("DROP TRIGGER issued_report_no_delete"))
        tx.connection.execute(text("DELETE FROM issued_report WHERE label = :of"), {"of": LABEL})
    day.prune()
    assert day.pruned() == []
    day.stage.begin()
    day.stage.work()
    world.now_us += HOUR
    day.go_on()
    assert len(day.pruned()) == 3


async def test_lines_that_contradict_one_another_stay(old: PrunedDay) -> None:
    stage = old.stage
    stage.seqs["fra"] = 70
    await stage.contradict("fra", ENDS - 5 * HOUR)
    stage.world.now_us += 10 * DAY
    stage.work()
    old.prune()
    assert held(old) == [61]
    with stage.world.storage.transaction() as tx:
        assert len(tx.conflicts_between(*FRA, 1, LINES)) == 1
        past = PastSight(tx, stage.world.evaluator, ENDS + 2 * DAY)
        assert past.told("shop-home", ENDS - 6 * HOUR, ENDS).stretches


async def test_lines_that_no_seal_covers_go_by_when_they_came(old: PrunedDay) -> None:
    loose = StreamId("fra-1", "e2", "shop")
    storage = old.stage.world.storage
    with storage.transaction() as tx:
        for first, came in ((1, ENDS), (3, ENDS + 4 * DAY), (5, ENDS + 6 * DAY)):
            body = b"a line\n" * 2
            tx.append([Segment(*loose, first, 2, body, came, 0)], [], [], [], [])
    old.prune()
    (run,) = [one for one in old.pruned() if one.id == loose]
    assert (run.first_seal, run.first_seq, run.last_seq, run.lines) == (0, 1, 4, 4)
    assert str(run).startswith("stream fra-1 e2 shop seals - - lines 1 4 4 bytes ")
    assert held(old, loose) == [5]


async def test_a_clock_that_alone_says_so_prunes_nothing(old: PrunedDay) -> None:
    world = old.stage.world
    # The machine came up with a clock that is ahead: nobody was heard yet, or can be, by certificates that are over.
    old.prune(is_heard=False)
    assert old.pruned() == []
    # The first that is heard seals by another time.
    old.seal_nothing(ENDS + HOUR)
    world.now_us += HOUR
    old.go_on()
    assert old.pruned() == []
    # One that was away, and another one that agrees.
    old.seal_nothing(world.now_us)
    world.now_us += HOUR
    old.go_on()
    assert len(old.pruned()) == 3


@pytest.mark.parametrize("is_moved", [False, True])
async def test_what_a_claim_rests_on_stays_until_it_comes_to_its_end(
    old: PrunedDay, is_moved: bool
) -> None:
    storage = old.stage.world.storage
    if is_moved:  # The contract is about a check of another service by now.
        fleet = CHECKS.replace(b"[{id: shop}]", b"[{id: shop}, {id: depot}]")
        fleet = fleet.replace(b"shop-dns, service: shop", b"depot-dns, service: depot")
        contracts = CONTRACTS.replace(b"[shop-home]", b"[depot-dns]")
        old.stage.tick()
        applied = old.stage.world.fleets.apply(fleet + contracts + RETENTION, "fleet.yaml", "ada")
        assert not applied.problems
    facts = ClaimFacts(
        contract="acme", revision=1, title="", party="", level="customer", objectives=("availability",),
        label=LABEL, from_us=ENDS, to_us=ENDS + DAY, tz="UTC", as_of_us=ENDS + 2 * DAY, amount="5.00",
        unit="EUR",
    )  # fmt: skip
    made = ClaimEvent(1, 1, "create", 5, "ada", "admin", "", facts=msgspec.json.encode(facts))
    with storage.transaction() as tx:
        tx.put_claim_event(made)
    old.prune()
    assert old.pruned() == []
    with storage.transaction() as tx:
        gone = ClaimEvent(1, 2, "withdraw", 6, "ada", "admin", "", reason="agreed otherwise")
        tx.put_claim_event(gone)
    old.stage.world.now_us += HOUR
    old.go_on()
    assert len(old.pruned()) == 3


async def test_a_contract_of_rolling_periods_keeps_what_its_last_one_rests_on(
    old: PrunedDay,
) -> None:
    rolling = CONTRACTS.replace(b"id: acme", b"id: roll").replace(
        b"{kind: day, tz: UTC}", b"{kind: rolling, length: 30d}"
    )
    # It has lasted since the file came, and needs more than the file says.
    old.stage.apply(rolling.replace(b"lateness: {allowed: 6h, seal_after: 12h}", b"lateness: {}"))
    old.stage.world.now_us = ENDS + 20 * DAY
    old.prune()
    assert old.pruned() == []


async def test_a_hold_says_that_it_came_too_late(old: PrunedDay) -> None:
    world = old.stage.world
    holds = HoldService(world.storage, Terms(), old.stage.tick)
    assert not holds.place(Asked(outage="OUT-2"), "in time", ADA).came_late
    old.prune()
    assert not holds.place(Asked(outage="OUT-2"), "held already", ADA).came_late
    early = Asked(check="shop-home", from_us=ENDS, to_us=ENDS + HOUR)
    assert holds.place(early, "too late", ADA).came_late
    other = Asked(check="shop-home", from_us=ENDS + DAY, to_us=ENDS + 2 * DAY)
    assert not holds.place(other, "nothing came then", ADA).came_late


async def test_a_bundle_over_pruned_time_has_the_figures_and_says_what_is_gone(
    old: PrunedDay,
) -> None:
    loose = StreamId("fra-1", "e2", "shop")
    with old.stage.world.storage.transaction() as tx:
        one = line(1, ENDS + HOUR, epoch="e2")
        tx.append([Segment(*loose, 1, 1, one, ENDS + 2 * HOUR)], [], [], [], [])
    whole = old.bundle()
    old.prune()
    assert loose in {run.id for run in old.pruned()}
    bundle = old.bundle()
    names = {name for name in whole.names() if name.endswith(".jsonl") and "/" in name}
    assert names
    assert names.isdisjoint(bundle.names())
    assert bundle.read(RESULTS) == b""
    for name in (TIMELINE, ATTAINMENT, FLEET):
        assert bundle.read(name) == whole.read(name), name
    found = list(statements(bundle, old.annex()))
    assert exit_code(found) == 2, found
    gone = [one.text for one in found if one.holds is Holds.INCOMPLETE]
    assert len(gone) == 3
    assert all("integrity proved, recomputation impossible" in one for one in gone)
    claim = opened_claim(bundle, old.notary.verifier)
    # What counted under no seal is named all the same.
    said = [opened_claim(each, old.notary.verifier).unsealed for each in (whole, bundle)]
    assert [[StreamId(*run.stream) for run in each] for each in said] == [[loose], [loose]]
    terms, figures, verdicts = recomputed_bundle(bundle, claim)
    wanted = (Holds.PASS, Holds.PASS, Holds.NOT_CHECKED)
    assert (terms.holds, figures.holds, verdicts.holds) == wanted
    assert "recomputation impossible" in verdicts.text
    outage = old.of_outage("OUT-2")
    assert exit_code(statements(outage, old.annex())) == 2


async def test_what_is_said_against_an_outage_stands_in_reports_from_then_on(
    old: PrunedDay,
) -> None:
    stage = old.stage

    def report(known_us: int) -> bytes:
        with stage.world.storage.transaction() as tx:
            when = period_named(LABEL, "UTC")
            return stage.documents.then(tx, "acme", when, known_us, None)

    before = report(before_us := stage.tick())
    with stage.world.storage.transaction() as tx:
        for about in ("OUT-2", "OUT-2 acme", "OUT-2 rival"):
            said = Counter(about, stage.tick(), "bo", "counterparty", "", f"no, says {about}")
            tx.put_counter(said)
        assert tx.last_recorded_us() == stage.world.now_us
    assert report(before_us) == before
    assert b"counters" not in before
    after = report(stage.tick())
    assert [one.text for one in decode_report(after).outages[0].counters or ()] == [
        "no, says OUT-2",
        "no, says OUT-2 acme",
    ]
    assert "against it, bo" in rendered([after], Form.TEXT).decode()
