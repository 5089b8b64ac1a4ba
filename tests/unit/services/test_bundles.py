"""Bundles of a day that is over: whole, true, of nobody else, and recomputed from their lines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.core.bundle.layout import ATTAINMENT, CLAIM, MANIFEST, TIMELINE
from controller.core.bundle.layout import FLEET as FLEET_FILE
from controller.core.bundle.log import heads
from controller.core.bundle.manifest import sha256_hex
from controller.core.bundle.recompute import recomputed
from controller.core.bundle.since import Held, grown_since
from controller.core.bundle.statements import Holds, exit_code
from controller.core.bundle.verify import statements
from controller.errors import BadInput, NotFound, Rejected
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.leaves import StoredTimestamp
from controller.ports.seals import StreamId
from controller.services.bundling.held import HeldHead
from tests.fakes.storage import FakeStorage
from tests.unit.core.bundle.made import Files
from tests.unit.services.conftest import SECOND, START, Running, World
from tests.unit.services.report_stage import ENDS, Stage
from tests.unit.services.sealed_day import HOUR, LABEL, SealedDay, again, claim_of

FRA = StreamId("fra-1", "e1", "shop")


@pytest.fixture
def notary(tmp_path: Path) -> LogNotary:
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: START - 3600 * SECOND)


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


def handle_of(day: SealedDay) -> str:
    """The outage of the day."""
    with day.stage.world.storage.transaction() as tx:
        (found,) = tx.outages("shop-home")
    return found.handle


async def test_a_bundle_holds_and_its_figures_follow_from_its_lines(day: SealedDay) -> None:
    bundle = day.bundle()
    found = list(statements(bundle, day.annex()))
    assert exit_code(found) == 0, found
    assert [one.holds for one in again(day, bundle)] == [Holds.PASS] * 3, again(day, bundle)
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
