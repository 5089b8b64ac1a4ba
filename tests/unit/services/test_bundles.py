"""Bundles of a day that is over: whole, true, of nobody else, and recomputed from their lines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import ATTAINMENT, CLAIM, MANIFEST, TIMELINE
from controller.core.bundle.layout import FLEET as FLEET_FILE
from controller.core.bundle.log import heads
from controller.core.bundle.manifest import manifest_text, sha256_hex
from controller.core.bundle.recompute import recomputed
from controller.core.bundle.since import Held, grown_since
from controller.core.bundle.statements import Holds, Statement, exit_code
from controller.core.bundle.verify import opened_claim, statements
from controller.errors import BadInput, NotFound, Rejected
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.leaves import StoredTimestamp
from controller.ports.seals import StreamId
from controller.services.bundling.held import HeldHead
from tests.fakes.storage import FakeStorage
from tests.unit.core.bundle.made import Files
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line
from tests.unit.services.report_stage import CONTRACTS, DAY, ENDS, REGIONS, Stage
from tests.unit.services.sealed_day import HOUR, LABEL, Chain, SealedDay

FRA = StreamId("fra-1", "e1", "shop")


@dataclass
class Clock:
    """The notary's."""

    now_us: int = START - 3600 * SECOND


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notary(tmp_path: Path, clock: Clock) -> LogNotary:
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: clock.now_us)


@pytest.fixture
def storage(notary: LogNotary) -> Iterator[FakeStorage]:
    opened = FakeStorage(notary)
    yield opened
    opened.close()


@pytest.fixture
async def day(world: World, running: Running, notary: LogNotary) -> SealedDay:
    made = SealedDay(Stage(world, running), notary)
    await made.play()
    return made


@pytest.fixture
def quiet(world: World, running: Running, notary: LogNotary) -> SealedDay:
    """A day on which nothing was seen yet."""
    return SealedDay(Stage(world, running), notary)


def signed(day: SealedDay, bundle: Files, changed: dict[str, bytes]) -> Files:
    """With files changed and the manifest signed anew, by the log's own key."""
    files = {**bundle.files, **changed}
    del files[MANIFEST]
    listed = manifest_text({name: sha256_hex(data) for name, data in files.items()})
    return Files({**files, MANIFEST: day.notary.signed(listed)})


def claim_of(day: SealedDay, bundle: Files) -> ClaimNote:
    return opened_claim(bundle, day.notary.verifier)


def handle_of(day: SealedDay) -> str:
    """The outage of the day."""
    with day.stage.world.storage.transaction() as tx:
        (found,) = tx.outages("shop-home")
    return found.handle


def again(day: SealedDay, bundle: Files) -> list[Statement]:
    return list(recomputed(bundle, claim_of(day, bundle)))


async def test_a_bundle_holds_and_its_figures_follow_from_its_lines(day: SealedDay) -> None:
    bundle = day.bundle()
    found = list(statements(bundle, day.annex()))
    assert exit_code(found) == 0, found
    assert [one.holds for one in again(day, bundle)] == [Holds.PASS, Holds.PASS], again(day, bundle)
    assert b'"verdict":"DOWN"' in bundle.read(TIMELINE)
    claim = claim_of(day, bundle)
    assert (claim.contract, claim.label, claim.from_us) == ("acme", LABEL, ENDS)
    assert [one.stream.agent for one in claim.streams] == ["fra-1", "nyc-1", "sin-1"]
    # An hour and a little before the day and after it; what is farther away stays at home.
    assert all(one.first > 1 for one in claim.streams)
    assert all(one.last < day.chains[StreamId(*one.stream)].number for one in claim.streams)
    lines = [name for name in bundle.names() if name.startswith("streams/") and "jsonl" in name]
    said = bundle.read(TIMELINE)
    for changed, says in (
        ({one: bundle.read(one).replace(b'"down"', b'"up"') for one in lines}, "something else on"),
        ({lines[0]: b"no line\n"}, "not a result line"),
        ({TIMELINE: said.replace(b'"DOWN"', b'"UP"')}, f"{ATTAINMENT} is not what"),
        ({TIMELINE: b"[]"}, "cannot be read"),
    ):
        told = list(recomputed(Files({**bundle.files, **changed}), claim))
        assert any(one.holds is Holds.FAIL and says in one.text for one in told), told


async def test_of_a_day_that_goes_on_verdicts_follow_as_far_as_it_is_sealed(
    quiet: SealedDay,
) -> None:
    await quiet.probe(ENDS - 6 * HOUR, ENDS + 5 * HOUR)
    await quiet.probe(ENDS + 5 * HOUR, ENDS + 5 * HOUR + 600 * SECOND, "down")
    for region in REGIONS:
        quiet.seal(StreamId(f"{region}-1", "e1", "shop"), quiet.stage.seqs[region] - 30)
    quiet.stage.world.now_us = ENDS + 5 * HOUR + 690 * SECOND
    bundle = quiet.bundle()
    _, verdicts, *more = again(quiet, bundle)
    assert verdicts.holds is Holds.PASS
    assert {one.holds for one in more} == {Holds.NOT_CHECKED}
    assert "30 lines that counted are under no seal here" in more[0].text
    lines = [name for name in bundle.names() if name.startswith("streams/") and "jsonl" in name]
    forged = {one: bundle.read(one).replace(b'"up"', b'"down"') for one in lines}
    assert again(quiet, Files({**bundle.files, **forged}))[1].holds is Holds.FAIL


async def test_a_day_with_two_sets_of_rules_is_judged_by_each_of_them(quiet: SealedDay) -> None:
    await quiet.probe(ENDS - 6 * HOUR, ENDS + 3 * HOUR)
    await quiet.probe(ENDS + 3 * HOUR, ENDS + 4 * HOUR, "down", ["fra"])
    await quiet.probe(ENDS + 3 * HOUR, ENDS + 4 * HOUR, "up", ["nyc", "sin"])
    one_is_enough = FLEET.replace(b"timeout: 10s,", b"timeout: 10s, quorum: {rule: any},")
    quiet.stage.tick()
    assert not quiet.stage.world.fleets.apply(one_is_enough + CONTRACTS, "f.yaml", "ada").problems
    await quiet.probe(ENDS + 4 * HOUR, ENDS + 5 * HOUR, "down", ["fra"])
    await quiet.probe(ENDS + 4 * HOUR, ENDS + 5 * HOUR, "up", ["nyc", "sin"])
    await quiet.probe(ENDS + 5 * HOUR, ENDS + 9 * HOUR)
    quiet.over()
    bundle = quiet.bundle()
    assert exit_code(list(statements(bundle, quiet.annex()))) == 0
    assert b'"verdict":"PARTIAL"' in bundle.read(TIMELINE)
    assert b'"verdict":"DOWN"' in bundle.read(TIMELINE)
    said = again(quiet, bundle)
    assert [one.holds for one in said] == [Holds.PASS, Holds.PASS], said
    assert "judged by 2 revisions in the log" in said[1].text
    definitions = [name for name in bundle.names() if name.endswith(".json") and "config/" in name]
    assert len(definitions) == 2
    last = bundle.read(definitions[-1])
    for changed in ({definitions[1]: last + b" "}, {definitions[0]: last}):
        (said_so,) = [
            one.text
            for one in statements(signed(quiet, bundle, changed), quiet.annex())
            if one.holds is Holds.FAIL
        ]
        assert "is not the definition that config/" in said_so


async def test_what_came_after_the_report_was_sealed_is_told_from_what_it_rests_on(
    quiet: SealedDay,
) -> None:
    await quiet.probe(ENDS - 6 * HOUR, ENDS + 3 * HOUR)
    await quiet.probe(ENDS + 3 * HOUR, ENDS + 9 * HOUR, "up", ["sin"])
    quiet.stage.world.now_us = ENDS + DAY + 13 * HOUR
    quiet.stage.work()
    assert quiet.stage.issued(LABEL)
    await quiet.probe(ENDS + 3 * HOUR, ENDS + 9 * HOUR, "down", ["fra", "nyc"])
    quiet.over()
    quiet.stage.world.now_us = ENDS + DAY + 14 * HOUR
    bundle = quiet.bundle()
    assert exit_code(list(statements(bundle, quiet.annex()))) == 0
    assert {one.stream.agent for one in claim_of(quiet, bundle).late} == {"fra-1", "nyc-1"}
    said = again(quiet, bundle)
    assert [one.holds for one in said] == [Holds.PASS, Holds.PASS], said
    assert "lines that came later, as the claim says" in said[1].text
    without = replace(claim_of(quiet, bundle), late=())
    assert [one.holds for one in recomputed(bundle, without)] == [Holds.PASS, Holds.FAIL]


async def test_what_counted_and_is_under_no_seal_is_told_and_not_taken_for_a_lie(
    quiet: SealedDay,
) -> None:
    await quiet.probe(ENDS - 6 * HOUR, ENDS + 3 * HOUR)
    await quiet.probe(ENDS + 3 * HOUR, ENDS + 9 * HOUR, "up", ["sin"])
    for region in ("fra", "nyc"):
        quiet.seal(StreamId(f"{region}-1", "e1", "shop"), quiet.stage.seqs[region] - 60)
    await quiet.probe(ENDS + 3 * HOUR, ENDS + 4 * HOUR, "down", ["fra", "nyc"])
    quiet.seal(StreamId("sin-1", "e1", "shop"), quiet.stage.seqs["sin"])
    quiet.stage.world.now_us = ENDS + DAY + 7 * HOUR
    bundle = quiet.bundle()
    claim = claim_of(quiet, bundle)
    assert [(one.stream.agent, one.last - one.first + 1) for one in claim.unsealed] == [
        ("fra-1", 120), ("nyc-1", 120),
    ]  # fmt: skip
    figures, verdicts, *more = again(quiet, bundle)
    assert (figures.holds, verdicts.holds) == (Holds.PASS, Holds.PASS)
    assert "but for the time below" in verdicts.text
    assert {one.holds for one in more} == {Holds.INCOMPLETE}
    assert "120 lines that counted are under no seal here (fra-1 e1 shop" in more[0].text
    bare = replace(claim, unsealed=())
    assert [one.holds for one in recomputed(bundle, bare)] == [Holds.PASS, Holds.FAIL]


async def test_what_was_sealed_before_there_was_a_log_is_bound_by_what_was_sealed_since(
    quiet: SealedDay, storage: FakeStorage
) -> None:
    quiet.begins_us = ENDS - 2 * HOUR
    with storage.without_log():
        await quiet.probe(ENDS - 2 * HOUR, ENDS + 3 * HOUR)
        for region in REGIONS:
            quiet.seal(StreamId(f"{region}-1", "e1", "shop"), quiet.stage.seqs[region])
    await quiet.probe(ENDS + 3 * HOUR, ENDS + 9 * HOUR, "up", ["fra", "nyc"])
    quiet.over()
    bundle = quiet.bundle()
    found = list(statements(bundle, quiet.annex()))
    assert exit_code(found) == 0, found
    claim = claim_of(quiet, bundle)
    assert [one.stream.agent for one in claim.streams] == ["fra-1", "nyc-1"]
    assert [(one.stream.agent, one.first, one.last) for one in claim.unsealed] == [
        ("sin-1", 1, 300)
    ]  # fmt: skip
    said = again(quiet, bundle)
    assert {one.holds for one in said} <= {Holds.PASS, Holds.INCOMPLETE}, said


async def test_an_agent_that_lost_its_state_has_a_stream_for_each_of_its_lives(
    quiet: SealedDay,
) -> None:
    quiet.begins_us = ENDS - 2 * HOUR
    await quiet.probe(ENDS - 2 * HOUR, ENDS + 3 * HOUR)
    quiet.seal(FRA, quiet.stage.seqs["fra"] - 30)
    again_us = ENDS + 3 * HOUR
    lives = [
        line(seq, again_us + seq * 60 * SECOND, "up", "fra", epoch="e2") for seq in range(1, 241)
    ]
    quiet.stage.world.now_us = again_us + 241 * 60 * SECOND
    await quiet.stage.running.give(frame(1, *lives, epoch="e2"), "fra")
    await quiet.probe(ENDS + 3 * HOUR, ENDS + 7 * HOUR, "up", ["nyc", "sin"])
    second = FRA._replace(epoch="e2")
    quiet.chains[second] = Chain(since_us=again_us)
    quiet.seal(second, 240)
    for region in ("nyc", "sin"):
        quiet.seal(StreamId(f"{region}-1", "e1", "shop"), quiet.stage.seqs[region])
    quiet.stage.world.now_us = ENDS + DAY + 7 * HOUR
    bundle = quiet.bundle()
    assert exit_code(list(statements(bundle, quiet.annex()))) == 0
    claim = claim_of(quiet, bundle)
    assert [one.stream[:2] for one in claim.streams][:2] == [("fra-1", "e1"), ("fra-1", "e2")]
    assert [(one.stream.epoch, one.first, one.last) for one in claim.unsealed] == [("e1", 271, 300)]
    # The others were up meanwhile: nothing hangs on what the agent could not seal any more.
    assert {one.holds for one in again(quiet, bundle)} == {Holds.PASS}


async def test_a_seal_that_never_came_is_named_and_leaves_the_bundle_incomplete(
    day: SealedDay,
) -> None:
    await day.stage.probe("fra", ENDS + 30 * HOUR, ENDS + 31 * HOUR)
    day.seal(FRA, day.stage.seqs["fra"], skip=1)
    day.stage.world.now_us = ENDS + 50 * HOUR
    assert exit_code(list(statements(day.bundle(), day.annex()))) == 0
    bundle = day.bundle("2025-06-17")
    found = list(statements(bundle, day.annex()))
    assert exit_code(found) == 2, found
    (said,) = [one.text for one in found if one.holds is Holds.INCOMPLETE]
    assert "Seal 37 of stream shop of agent fra-1 (epoch e1) never came" in said
    runs = [one for one in claim_of(day, bundle).streams if one.stream == tuple(FRA)]
    assert [(one.last, one.first) for one in runs][-1][-1] == 38
    assert bundle.has("streams/fra-1/e1/shop/00000036.tlog-proof")


async def test_an_outage_is_handed_over_and_follows_from_its_lines(day: SealedDay) -> None:
    bundle = day.of_outage(handle_of(day).lower())
    found = list(statements(bundle, day.annex()))
    assert exit_code(found) == 0, found
    claim = claim_of(day, bundle)
    assert (claim.label, claim.check, claim.contract) == (handle_of(day), "shop-home", "")
    assert claim.attainment_sha256 is None
    assert b"contracts" not in bundle.read(FLEET_FILE)
    assert b"shop-dns" not in bundle.read(FLEET_FILE)
    said = again(day, bundle)
    assert [one.holds for one in said] == [Holds.PASS, Holds.PASS], said
    assert "is what revision" in said[0].text


async def test_what_is_no_outage_of_a_check_is_refused_in_words(day: SealedDay) -> None:
    for handle, error, sentence in (
        ("OUT-1", Rejected, f"OUT-1 was retracted: .* and is part of {handle_of(day)}"),
        ("OUT-99", NotFound, "found OUT-99"),
        ("INC-1", BadInput, "such as OUT-12, found 'INC-1'"),
    ):
        with pytest.raises(error, match=sentence):
            day.of_outage(handle)


async def test_what_is_of_others_is_not_handed_over(day: SealedDay) -> None:
    rival = StreamId("fra-1", "e1", "rival")
    day.append(rival, b'{"secret":"of the rival"}\n')
    day.seal(rival, 1)
    for name, content in day.bundle().files.items():
        assert "rival" not in name
        assert b"rival" not in content, name


async def test_heads_that_were_stamped_stand_in_it_with_their_stamps(day: SealedDay) -> None:
    first = day.logbook.checkpoint()
    assert first is not None
    with day.stage.world.storage.transaction() as tx:
        tx.put_timestamp(StoredTimestamp(first.size, "tsa", b"query", b"response", 5))
    bundle = day.bundle()
    assert bundle.read(f"timestamps/{first.size}.tsa.tsr") == b"response"
    assert len([one for one in bundle.names() if one.startswith("checkpoints/")]) == 2
    assert len([one for one in bundle.names() if one.startswith("consistency/")]) == 1
    found = list(statements(bundle, day.annex()))
    assert exit_code(found) == 0, found


async def test_a_later_bundle_names_the_one_before_and_the_manifest_comes_last(
    day: SealedDay,
) -> None:
    bundles = [day.bundle(), day.bundle(), day.bundle()]
    claims = [claim_of(day, bundle) for bundle in bundles]
    assert claims[0].supersedes is None
    assert claims[1].supersedes == sha256_hex(bundles[0].read(CLAIM))
    said = [list(statements(one, day.annex())) for one in bundles]
    assert not any("Supersedes" in one.text for one in said[0])
    (first,) = [one for one in said[1] if "Supersedes" in one.text]
    assert "the same fleet.yaml; another timeline.json" in first.text
    (second,) = [one for one in said[2] if "Supersedes" in one.text]
    assert "(1 older here, too): as-of" in second.text
    assert bundles[0].read(CLAIM) in bundles[2].files.values()
    assert list(day.parts())[-1].name == MANIFEST
    for label, error, sentence in (
        ("2025-06-30", Rejected, "has not begun"),
        ("soon", BadInput, "expected"),
    ):
        with pytest.raises(error, match=f"(?i){sentence}"):
            list(day.parts(label))


async def test_a_bundle_proves_that_the_log_goes_on_from_what_is_held(day: SealedDay) -> None:
    log = day.notary.verifier
    day.logbook.checkpoint()
    first = Held("first.zip", heads(day.bundle(), log))
    day.bundle()
    newest = first.newest
    without, found = day.bundle(), day.bundle(since=[HeldHead(*newest.head)])
    (told,) = grown_since({one.size: one for one in heads(without, log)}, [first])
    assert told.holds is Holds.INCOMPLETE
    said = list(statements(found, day.annex(), [first]))
    assert exit_code(said) == 0, said
    (told,) = [one for one in said if "append-only since first.zip" in one.text]
    assert told.holds is Holds.PASS
    before = day.logbook.newest()
    for held, sentence in (
        (HeldHead(newest.size, bytes(32)), "signed another head of"),
        (HeldHead(newest.size - 1, newest.root), "never signed a head of"),
        (HeldHead(-1, b""), "never signed a head of"),
    ):
        with pytest.raises(Rejected, match=sentence):
            day.bundle(since=[HeldHead(*newest.head), held])
    with pytest.raises(BadInput, match="at most 64 heads"):
        day.bundle(since=[HeldHead(1, b"")] * 65)
    assert day.logbook.checkpoint() == before, "nothing was claimed"


async def test_where_nothing_is_sealed_there_is_nothing_to_hand_over(
    world: World, running: Running, notary: LogNotary
) -> None:
    day = SealedDay(Stage(world, running), notary)
    world.now_us = ENDS + HOUR
    with pytest.raises(Rejected, match="No agent has sealed anything of acme"):
        day.bundle()
    with pytest.raises(NotFound, match="gold"):
        list(day.parts(contract="gold"))
