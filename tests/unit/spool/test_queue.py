import asyncio
from pathlib import Path

import pytest

from agent.errors import Fatal
from agent.spool.queue import DiskSpool
from tests.unit.spool.lines import (
    bytes_held,
    drained,
    fill,
    index_files,
    line_of,
    numbers,
    segment_files,
)

SMALL = 64 * 1024


async def test_lines_come_back_in_order_and_only_after_a_sync(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path)
    fill(spool, "shop", 3)
    assert spool.read({}, 1 << 20) == []
    await spool.sync()
    fill(spool, "dns", 2)
    await spool.sync()
    assert numbers(drained(spool)) == {
        (spool.epoch, "shop"): [1, 2, 3],
        (spool.epoch, "dns"): [1, 2],
    }
    await spool.close()


async def test_a_restart_goes_on_where_numbering_stopped(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path)
    epoch = spool.epoch
    fill(spool, "shop", 5)
    await spool.close()
    spool = DiskSpool.open(tmp_path)
    assert (spool.epoch, spool.next_seq("shop")) == (epoch, 6)
    fill(spool, "shop", 2)
    await spool.sync()
    assert numbers(drained(spool)) == {(epoch, "shop"): [1, 2, 3, 4, 5, 6, 7]}
    await spool.close()


async def test_a_reader_goes_on_from_any_position_and_back(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path, bytes_max=10 * SMALL)
    fill(spool, "shop", 1000, pad=200)
    fill(spool, "dns", 1000, pad=10)
    await spool.sync()
    shop, dns = (spool.epoch, "shop"), (spool.epoch, "dns")
    assert numbers(drained(spool, {shop: 990, dns: 999}))[shop] == list(range(991, 1001))
    assert numbers(drained(spool, {shop: 10}, limit=5000))[shop] == list(range(11, 1001))
    assert len(numbers(drained(spool, limit=300))[dns]) == 1000
    await spool.close()


async def test_batches_fit_frames(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path)
    fill(spool, "shop", 5000)
    fill(spool, "big", 100, pad=15_000)
    await spool.sync()
    for batch in drained(spool, limit=8 << 20):
        assert len(batch.lines) <= 4096
        assert sum(map(len, batch.lines)) <= 1 << 20
    await spool.close()


async def test_acknowledged_segments_leave_the_disk_and_are_not_sent_again(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path, bytes_max=10 * SMALL)
    fill(spool, "shop", 2000, pad=200)
    await spool.sync()
    before = len(segment_files(tmp_path))
    spool.acknowledge({(spool.epoch, "shop"): 1990})
    await spool.sync()
    assert before > 3
    assert len(segment_files(tmp_path)) == 1
    await spool.close()
    spool = DiskSpool.open(tmp_path)
    assert spool.depth().lines == 10
    assert numbers(drained(spool, {(spool.epoch, "shop"): 1990})) == {
        (spool.epoch, "shop"): list(range(1991, 2001))
    }
    assert spool.next_seq("shop") == 2001
    await spool.close()


async def test_a_segment_that_is_finished_need_not_be_read_after_a_kill(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path, bytes_max=SMALL)
    for _ in range(20):
        fill(spool, "shop", 10, pad=100)
        await spool.sync()
    files = segment_files(tmp_path)
    assert len(files) > 2
    assert index_files(tmp_path) == [path.with_suffix(".idx") for path in files[:-1]]
    await spool.close()


async def test_numbering_survives_when_every_line_is_acknowledged_and_gone(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path)
    epoch = spool.epoch
    fill(spool, "shop", 7)
    await spool.sync()
    spool.acknowledge({(epoch, "shop"): 7})
    await spool.close()
    spool = DiskSpool.open(tmp_path)
    fill(spool, "other", 1)
    await spool.sync()
    await spool.sync()
    assert (spool.epoch, spool.next_seq("shop"), spool.depth().lines) == (epoch, 8, 1)
    await spool.close()


async def test_what_is_full_refuses_the_newest_keeps_the_oldest_and_counts(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path, bytes_max=SMALL)
    fill(spool, "shop", 400, pad=200)
    await spool.sync()
    key = (spool.epoch, "shop")
    kept = numbers(drained(spool))[key]
    assert kept == list(range(1, len(kept) + 1))
    assert spool.depth().dropped == 400 - len(kept) > 0
    assert bytes_held(tmp_path) <= SMALL
    spool.acknowledge({key: kept[-1]})
    await spool.sync()
    fill(spool, "shop", 2)
    await spool.sync()
    (batch,) = drained(spool, {key: kept[-1]})
    assert (batch.first_seq, len(batch.lines), batch.lost) == (401, 2, 400 - len(kept))
    await spool.close()


async def test_a_loss_is_still_reported_after_a_restart(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path, bytes_max=SMALL)
    fill(spool, "shop", 400, pad=200)
    await spool.close()
    spool = DiskSpool.open(tmp_path)
    kept = numbers(drained(spool))[spool.epoch, "shop"]
    fill(spool, "shop", 1)
    await spool.sync()
    (batch,) = drained(spool, {(spool.epoch, "shop"): kept[-1]})
    assert (batch.first_seq, batch.lost) == (401, 400 - len(kept))
    await spool.close()


async def test_a_second_process_is_told_who_has_the_spool(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path)
    with pytest.raises(Fatal, match=r"Another vedette-agent \(process \d+\) is using"):
        DiskSpool.open(tmp_path)
    await spool.close()
    await DiskSpool.open(tmp_path).close()


async def test_lost_positions_open_a_new_epoch_and_keep_the_old_lines(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path)
    old = spool.epoch
    fill(spool, "shop", 3)
    await spool.close()
    (tmp_path / "positions.json").write_bytes(b"{")
    spool = DiskSpool.open(tmp_path)
    assert spool.epoch != old
    assert spool.next_seq("shop") == 1
    fill(spool, "shop", 1)
    await spool.sync()
    assert numbers(drained(spool)) == {(old, "shop"): [1, 2, 3], (spool.epoch, "shop"): [1]}
    await spool.close()


async def test_positions_of_a_newer_program_are_refused(tmp_path: Path) -> None:
    (tmp_path / "positions.json").write_bytes(
        b'{"version":2,"epoch":"00000000","used":{},"acked":{}}'
    )
    with pytest.raises(Fatal, match=r"has version 2 .* install the newer"):
        DiskSpool.open(tmp_path)


async def test_an_epoch_can_be_opened_in_the_middle(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path)
    old = spool.epoch
    fill(spool, "shop", 2)
    new = spool.open_epoch("the controller is ahead")
    fill(spool, "shop", 1)
    await spool.sync()
    assert numbers(drained(spool)) == {(old, "shop"): [1, 2], (new, "shop"): [1]}
    await spool.close()
    spool = DiskSpool.open(tmp_path)
    assert (spool.epoch, spool.next_seq("shop")) == (new, 2)
    await spool.close()


async def test_waiting_ends_when_there_is_something_new(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path)
    keeper = asyncio.create_task(spool.run())
    waiter = asyncio.create_task(spool.wait())
    fill(spool, "shop", 1)
    await waiter
    assert len(drained(spool)) == 1
    waiter = asyncio.create_task(spool.wait())
    fill(spool, "shop", 1)
    await waiter
    keeper.cancel()
    await spool.close()


@pytest.mark.parametrize(
    ("seq", "line"),
    [
        pytest.param(2, b"x\n", id="a number that is not the next"),
        pytest.param(1, b"x", id="a line without its newline"),
        pytest.param(1, b"x" * 16384 + b"\n", id="a line past the bound"),
    ],
)
async def test_what_is_not_a_next_line_is_refused(tmp_path: Path, seq: int, line: bytes) -> None:
    spool = DiskSpool.open(tmp_path)
    with pytest.raises(ValueError, match="expected, found"):
        spool.append("shop", seq, line)
    assert spool.next_seq("shop") == 1
    await spool.close()


async def test_damage_in_a_sealed_segment_costs_its_own_lines_and_is_reported(
    tmp_path: Path,
) -> None:
    spool = DiskSpool.open(tmp_path)
    fill(spool, "shop", 9)
    await spool.close()
    (path,) = segment_files(tmp_path)
    data = bytearray(path.read_bytes())
    data[data.index(line_of("shop", 5))] ^= 1
    path.write_bytes(data)
    spool = DiskSpool.open(tmp_path)
    batches = drained(spool)
    assert [(b.first_seq, len(b.lines), b.lost) for b in batches] == [(1, 4, 0), (6, 4, 1)]
    assert spool.depth().damaged == 1
    await spool.close()
