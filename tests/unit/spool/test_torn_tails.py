from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.spool.queue import DiskSpool
from agent.spool.record import Scan, Tail, encode_record, segment_header
from tests.unit.spool.lines import drained, fill, line_of, numbers

STREAMS = st.lists(st.sampled_from(["shop", "dns", "@anchors"]), min_size=1, max_size=12)


def _segment(streams: list[str], epoch: str) -> tuple[bytes, list[tuple[int, str, int]]]:
    """A segment of one line a stream named, and where each record ends."""
    data = segment_header(epoch)
    used: dict[str, int] = {}
    ends = []
    for stream in streams:
        used[stream] = used.get(stream, 0) + 1
        data += encode_record(stream, used[stream], line_of(stream, used[stream]))
        ends.append((len(data), stream, used[stream]))
    return data, ends


async def _reopened(directory: Path, data: bytes) -> tuple[str, DiskSpool]:
    spool = DiskSpool.open(directory)
    epoch = spool.epoch
    await spool.close()
    (directory / "000000000001.seg").write_bytes(data.replace(b"0" * 8, epoch.encode(), 1))
    return epoch, DiskSpool.open(directory)


async def test_cut_at_any_byte_every_whole_line_is_kept_and_numbering_has_no_hole(
    tmp_path: Path,
) -> None:
    data, ends = _segment(["shop", "dns", "shop", "shop"], "0" * 8)
    for size in range(len(data) + 1):
        directory = tmp_path / str(size)
        epoch, spool = await _reopened(directory, data[:size])
        whole = [(stream, seq) for end, stream, seq in ends if end <= size]
        assert spool.epoch == epoch
        assert spool.next_seq("shop") == 1 + sum(stream == "shop" for stream, _ in whole)
        fill(spool, "shop", 1)
        await spool.sync()
        held = numbers(drained(spool)).get((epoch, "shop"), [])
        assert held == list(range(1, len(held) + 1))
        await spool.close()


async def test_a_tail_of_zeros_is_torn_not_damaged(tmp_path: Path) -> None:
    data, _ = _segment(["shop", "shop"], "0" * 8)
    epoch, spool = await _reopened(tmp_path, data + bytes(4096))
    assert (spool.epoch, spool.next_seq("shop"), spool.depth().damaged) == (epoch, 3, 0)
    await spool.close()


@settings(deadline=None, max_examples=60)
@given(streams=STREAMS, data=st.data())
async def test_one_flipped_bit_never_gives_a_wrong_line_nor_a_number_twice(
    streams: list[str], data: st.DataObject
) -> None:
    segment, ends = _segment(streams, "0" * 8)
    first = len(segment_header(""))
    at = data.draw(st.integers(first, len(segment) - 1))
    damaged = bytearray(segment)
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    with TemporaryDirectory() as directory:
        old, spool = await _reopened(Path(directory), bytes(damaged))
        for stream in set(streams):
            fill(spool, stream, 1)
        await spool.sync()
        found = numbers(drained(spool))
        before = [(stream, seq) for end, stream, seq in ends if end <= at]
        for stream, seq in before:
            assert seq in found[old, stream]
        if spool.epoch == old:
            raise AssertionError("damage was not noticed, so numbers may be given twice")
        assert all(found[spool.epoch, stream] == [1] for stream in set(streams))
        await spool.close()


@given(streams=STREAMS, cut=st.integers(0, 400))
def test_a_scan_of_a_prefix_is_clean_or_torn_and_ends_after_the_last_whole_record(
    streams: list[str], cut: int
) -> None:
    segment, ends = _segment(streams, "0" * 8)
    first = len(segment_header(""))
    size = min(len(segment), first + cut)
    scan = Scan(segment[:size])
    records = list(scan)
    whole = [end for end, _, _ in ends if end <= size]
    assert len(records) == len(whole)
    assert scan.end == (whole[-1] if whole else first)
    assert scan.tail is (Tail.CLEAN if scan.end == size else Tail.TORN)
