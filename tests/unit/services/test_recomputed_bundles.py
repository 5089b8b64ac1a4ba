"""Bundles recomputed: by the rules in the log, of a time that goes on, with lines that are late or under no seal."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.core.bundle.layout import MANIFEST, TIMELINE
from controller.core.bundle.manifest import manifest_text, sha256_hex
from controller.core.bundle.recompute import recomputed
from controller.core.bundle.statements import Holds, exit_code
from controller.core.bundle.verify import statements
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.seals import StreamId
from tests.fakes.storage import FakeStorage
from tests.unit.core.bundle.made import Files
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line
from tests.unit.services.report_stage import CONTRACTS, DAY, ENDS, REGIONS, Stage
from tests.unit.services.sealed_day import HOUR, LABEL, Chain, SealedDay, again, claim_of

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
def quiet(world: World, running: Running, notary: LogNotary) -> SealedDay:
    """A day on which nothing was seen yet."""
    return SealedDay(Stage(world, running), notary)


def signed(day: SealedDay, bundle: Files, changed: dict[str, bytes]) -> Files:
    """With files changed and the manifest signed anew, by the log's own key."""
    files = {**bundle.files, **changed}
    del files[MANIFEST]
    listed = manifest_text({name: sha256_hex(data) for name, data in files.items()})
    return Files({**files, MANIFEST: day.notary.signed(listed)})


async def test_of_a_day_that_goes_on_verdicts_follow_as_far_as_it_is_sealed(
    quiet: SealedDay,
) -> None:
    await quiet.probe(ENDS - 6 * HOUR, ENDS + 5 * HOUR)
    await quiet.probe(ENDS + 5 * HOUR, ENDS + 5 * HOUR + 600 * SECOND, "down")
    for region in REGIONS:
        quiet.seal(StreamId(f"{region}-1", "e1", "shop"), quiet.stage.seqs[region] - 30)
    quiet.stage.world.now_us = ENDS + 5 * HOUR + 690 * SECOND
    bundle = quiet.bundle()
    _, _, verdicts, *more = again(quiet, bundle)
    assert verdicts.holds is Holds.PASS
    assert {one.holds for one in more} == {Holds.NOT_CHECKED}
    assert "30 lines that counted are under no seal here" in more[0].text
    lines = [name for name in bundle.names() if name.startswith("streams/") and "jsonl" in name]
    forged = {one: bundle.read(one).replace(b'"up"', b'"down"') for one in lines}
    assert again(quiet, Files({**bundle.files, **forged}))[2].holds is Holds.FAIL


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
    assert [one.holds for one in said] == [Holds.PASS] * 3, said
    assert "judged by 2 revisions in the log" in said[2].text
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
    assert [one.holds for one in said] == [Holds.PASS] * 3, said
    assert "lines that came later, as the claim says" in said[2].text
    without = replace(claim_of(quiet, bundle), late=())
    assert [one.holds for one in recomputed(bundle, without)][1:] == [Holds.PASS, Holds.FAIL]


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
    _, figures, verdicts, *more = again(quiet, bundle)
    assert (figures.holds, verdicts.holds) == (Holds.PASS, Holds.PASS)
    assert "but for the time below" in verdicts.text
    assert {one.holds for one in more} == {Holds.INCOMPLETE}
    assert "120 lines that counted are under no seal here (fra-1 e1 shop" in more[0].text
    bare = replace(claim, unsealed=())
    assert [one.holds for one in recomputed(bundle, bare)][1:] == [Holds.PASS, Holds.FAIL]


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
