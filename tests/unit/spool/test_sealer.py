import asyncio
from pathlib import Path

import pytest

from agent.ports import SEALS_SUFFIX, SealTip
from agent.spool import payload
from agent.spool.chains import FILE
from tests.unit.spool.lines import drained, segment_files
from tests.unit.spool.sealing import EVERY, SECOND, Sealed, checked


async def test_a_seal_covers_what_was_written_since_the_last_one(tmp_path: Path) -> None:
    site = Sealed(tmp_path)
    for _ in range(3):
        site.run_slot()
    await site.sealer.seal()
    for _ in range(2):
        site.run_slot()
    await site.sealer.seal()
    first, second = site.seals()
    assert (first.payload.first, first.payload.last, first.payload.count) == (1, 3, 3)
    assert (second.payload.first, second.payload.last, second.payload.count) == (4, 5, 2)
    assert first.prev is None
    assert second.span.start_us == first.span.end_us
    assert second.clock.offset_us == -120
    await site.spool.close()


async def test_an_empty_stream_is_sealed_and_its_missed_slots_are_stated(tmp_path: Path) -> None:
    site = Sealed(tmp_path)
    site.watch.us += 3 * EVERY * SECOND
    await site.sealer.seal()
    (seal,) = site.seals()
    assert (seal.payload.count, seal.slots.done, seal.slots.missed) == (0, 0, 3)
    await site.spool.close()


async def test_lines_of_orders_are_sealed_and_are_no_slots(tmp_path: Path) -> None:
    site = Sealed(tmp_path)
    site.run_slot()
    site.write()
    await site.sealer.seal()
    (seal,) = site.seals()
    assert (seal.payload.count, seal.slots.scheduled, seal.slots.done) == (2, 1, 1)
    await site.spool.close()


async def test_a_restart_goes_on_with_the_chain_and_states_the_time_between(
    tmp_path: Path,
) -> None:
    site = Sealed(tmp_path)
    site.run_slot()
    await site.sealer.seal()
    site.run_slot()
    await site.restart()
    site.watch.us += 4 * EVERY * SECOND
    await site.sealer.seal()
    first, second = site.seals()
    assert second.number == first.number + 1
    assert (second.payload.count, second.slots.done, second.slots.missed) == (1, 1, 4)
    assert second.clock.step_us is None
    await site.spool.close()


async def test_a_note_that_did_not_reach_the_spool_is_handed_over_again_the_same(
    tmp_path: Path,
) -> None:
    site = Sealed(tmp_path)
    site.run_slot()
    await site.sealer.seal()
    (note,) = site.notes()
    stored = (tmp_path / FILE).read_bytes()
    for path in segment_files(tmp_path):
        path.unlink()
    (tmp_path / "positions.json").write_bytes(
        (tmp_path / "positions.json").read_bytes().replace(b'"shop#seals":1', b'"shop#seals":0')
    )
    await site.restart()
    await site.spool.sync()
    assert site.notes() == [note]
    assert (tmp_path / FILE).read_bytes() == stored
    await site.spool.close()


@pytest.mark.parametrize("content", [None, b"{", b'{"version":1,"tips":{},"standing":{}}'])
async def test_without_its_last_seals_an_agent_opens_a_new_epoch(
    tmp_path: Path, content: bytes | None
) -> None:
    site = Sealed(tmp_path)
    old = site.spool.epoch
    site.run_slot()
    await site.sealer.seal()
    site.run_slot()
    if content is None:
        (tmp_path / FILE).unlink()
    else:
        (tmp_path / FILE).write_bytes(content)
    await site.restart()
    assert site.spool.epoch != old
    site.run_slot()
    await site.sealer.seal()
    (seal,) = site.seals()
    assert (seal.number, seal.payload.count) == (1, 1)
    # What was not sealed of the former epoch stays unsealed, and does not stay for ever.
    site.spool.acknowledge({(old, "shop"): 2, (old, "shop" + SEALS_SUFFIX): 1})
    site.run_slot()
    await site.spool.sync()
    assert {batch.epoch for batch in drained(site.spool)} == {site.spool.epoch}
    await site.spool.close()


async def test_lines_stay_until_they_are_acknowledged_and_sealed(tmp_path: Path) -> None:
    site = Sealed(tmp_path)
    old = site.spool.epoch
    site.run_slot()
    await site.spool.sync()
    site.spool.acknowledge({(old, "shop"): 1})
    site.spool.open_epoch("a test")
    site.run_slot()
    await site.spool.sync()
    assert len(segment_files(tmp_path)) == 2
    await site.sealer.seal()
    site.spool.acknowledge({(old, "shop" + SEALS_SUFFIX): 1})
    await site.spool.sync()
    assert {batch.epoch for batch in drained(site.spool)} == {site.spool.epoch}
    await site.spool.close()


async def test_the_lines_of_a_former_epoch_are_sealed_in_it(tmp_path: Path) -> None:
    site = Sealed(tmp_path)
    old = site.spool.epoch
    site.run_slot()
    site.spool.open_epoch("a test")
    site.run_slot()
    await site.sealer.seal()
    await site.sealer.seal()
    (present, empty) = site.seals()
    assert (present.payload.count, present.slots.done, present.slots.missed) == (1, 1, 0)
    assert empty.payload.count == 0
    (former,) = checked(site.spool, (old, "shop"))
    assert (former.payload.count, former.slots.done, former.slots.missed) == (1, 1, 0)
    await site.spool.close()


async def test_more_lines_than_one_seal_may_hold_become_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload, "SEAL_LINES_MAX", 2)
    site = Sealed(tmp_path)
    for _ in range(5):
        site.run_slot()
    site.watch.us += EVERY * SECOND
    site.watch.us += 3 * SECOND
    await site.sealer.seal()
    seals = site.seals()
    assert [(s.payload.first, s.payload.last) for s in seals] == [(1, 2), (3, 4), (5, 5)]
    assert [(s.slots.done, s.slots.missed) for s in seals] == [(2, 0), (2, 0), (1, 1)]
    await site.spool.close()


async def test_a_service_that_is_probed_no_more_says_nothing_after_its_last_lines(
    tmp_path: Path,
) -> None:
    site = Sealed(tmp_path)
    site.run_slot()
    site.account.replace({}, {}, site.watch.us)
    for _ in range(3):
        await site.sealer.seal()
    (seal,) = site.seals()
    assert seal.payload.count == 1
    await site.spool.close()


async def test_asked_for_a_seal_it_does_not_wait(tmp_path: Path) -> None:
    site = Sealed(tmp_path)
    sealing = asyncio.create_task(site.sealer.run())
    site.run_slot()
    await site.spool.sync()
    site.sealer.ask()
    while not site.notes():
        await site.spool.wait()
        await asyncio.sleep(0)
    site.sealer.stop()
    await sealing
    assert len(site.notes()) == 2
    await site.spool.close()


async def test_what_the_controller_holds_decides_whether_the_chain_goes_on(tmp_path: Path) -> None:
    site = Sealed(tmp_path)
    site.run_slot()
    await site.sealer.seal()
    await site.sealer.seal()
    key = (site.spool.epoch, "shop")
    tip = site.sealer._tips[key]
    difference = site.sealer.difference
    assert difference({key: SealTip(2, tip.sha256)}) is None
    assert difference({}) is None
    assert difference({("other", "shop"): SealTip(9, "ab")}) is None
    assert "another seal 2 of shop" in str(difference({key: SealTip(2, "00" * 32)}))
    assert "holds 3 seals of shop, 2 were made" in str(difference({key: SealTip(3, "ab")}))
    site.spool.acknowledge({(key[0], "shop" + SEALS_SUFFIX): 2})
    assert "holds 1 seals of shop, 2 were made here and 2 delivered" in str(
        difference({key: SealTip(1, "ab")})
    )
    assert "holds 0 seals" in str(difference({}))
    await site.spool.close()
