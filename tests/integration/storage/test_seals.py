"""Conformance of SealStore: what every database must do alike."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from controller.ports.evidence import Segment
from controller.ports.seals import ForkedSeal, StoredSeal, StreamId, StreamStanding
from controller.ports.storage import Storage
from vedette.shared.limits import FORKED_SEALS_MAX

SHOP = StreamId("fra-1", "e1", "shop")
DNS = StreamId("fra-1", "e1", "dns")
SEAL = StoredSeal(
    SHOP, number=1, note="vedette.seal/v1\nstream …\n\n— name AAAA\n".encode(), first_seq=1, last_seq=3,
    covered_seq=3, count=3, scheduled=5, done=3, missed=2, skipped=0, end_us=2**50, received_us=2**51,
)  # fmt: skip


def line(seq: int) -> bytes:
    return b'{"seq":%d,"odd":"\r\xe2\x80\xa8"}\n' % seq


def append(storage: Storage, *spans: tuple[int, int], stream: StreamId = SHOP) -> None:
    """Lines first to last of each span, a segment each; what lies between two is lost."""
    with storage.transaction() as tx:
        at = 0
        for first, last in spans:
            body = b"".join(line(n) for n in range(first, last + 1))
            segment = Segment(*stream, first, last - first + 1, body, first, first - at - 1)
            tx.append([segment], [], [], [], [])
            at = last


def segments(storage: Storage) -> list[tuple[int, int, int]]:
    with storage.transaction() as tx:
        return [(s.first_seq, s.count, s.lost) for s in tx.segments(*SHOP, 0, 1000)]


def test_a_seal_comes_back_byte_for_byte(storage: Storage) -> None:
    later = replace(SEAL, number=2, note=b"another\n")
    with storage.transaction() as tx:
        for seal in (SEAL, later, replace(SEAL, id=DNS)):
            tx.put_seal(seal)
    with storage.transaction() as tx:
        assert tx.seal(SHOP, 1) == SEAL
        assert tx.seal(SHOP, 3) is None
        assert tx.seal(replace_agent("nyc-1"), 1) is None
        assert tx.seal_tip(SHOP) == later
        assert tx.seal_tips("fra-1") == [replace(SEAL, id=DNS), later]
        assert tx.seal_tips("nyc-1") == []


def replace_agent(agent: str) -> StreamId:
    return StreamId(agent, SHOP.epoch, SHOP.stream)


def test_a_seal_of_a_stream_without_lines_moves_no_line(storage: Storage) -> None:
    with storage.transaction() as tx:
        tx.put_seal(replace(SEAL, first_seq=0, last_seq=0, covered_seq=0, count=0))
        assert [(p.stream, p.seq) for p in tx.positions("fra-1")] == [("shop", 0)]
    append(storage, (1, 2))
    with storage.transaction() as tx:
        assert [(p.stream, p.seq) for p in tx.positions("fra-1")] == [("shop", 2)]


def test_forks_are_kept_once_each_and_not_without_end(storage: Storage) -> None:
    forks = [ForkedSeal(SHOP, 1, b"note %d\n" % n, n) for n in range(FORKED_SEALS_MAX + 1)]
    with storage.transaction() as tx:
        assert [tx.put_forked_seal(one) for one in forks] == [True] * FORKED_SEALS_MAX + [False]
        assert not tx.put_forked_seal(forks[0])
    with storage.transaction() as tx:
        assert tx.forked_seals("fra-1") == forks[:-1]
        assert tx.forked_seals("nyc-1") == []


@pytest.mark.parametrize(
    ("spans", "sealed", "left"),
    [
        pytest.param([(1, 1), (2, 2), (3, 5)], (1, 5), [(1, 5, 0)], id="all of them"),
        pytest.param([(1, 9)], (3, 5), [(1, 2, 0), (3, 3, 0), (6, 4, 0)], id="the middle of one"),
        pytest.param([(1, 2), (3, 4), (5, 6)], (2, 5), [(1, 1, 0), (2, 4, 0), (6, 1, 0)], id="ends of two"),
        pytest.param([(1, 2), (6, 7)], (1, 7), [(1, 2, 0), (6, 2, 3)], id="around a loss"),
        pytest.param([(3, 4), (5, 6)], (1, 6), [(3, 4, 2)], id="after a loss"),
        pytest.param([(1, 4)], (7, 9), [(1, 4, 0)], id="nothing"),
    ],
)  # fmt: skip
def test_packing_moves_the_ends_of_segments_and_no_byte(
    storage: Storage,
    spans: list[tuple[int, int]],
    sealed: tuple[int, int],
    left: list[tuple[int, int, int]],
) -> None:
    append(storage, *spans)
    append(storage, (1, 9), stream=DNS)
    with storage.transaction() as tx:
        before = b"".join(tx.lines(SHOP, 1, 100))
        held = tx.line_count(SHOP, *sealed)
        assert held == b"".join(tx.lines(SHOP, *sealed)).count(b"\n")
        tx.pack_segments(SHOP, *sealed)
    assert segments(storage) == left
    with storage.transaction() as tx:
        assert b"".join(tx.lines(SHOP, 1, 100)) == before
        assert before == b"".join(line(n) for a, b in spans for n in range(a, b + 1))
        assert tx.line_count(SHOP, *sealed) == held
        assert [(s.first_seq, s.count) for s in tx.segments(*DNS, 0, 100)] == [(1, 9)]


def test_how_streams_stand(storage: Storage) -> None:
    append(storage, (1, 3), (6, 6))
    append(storage, (1, 1), stream=DNS)
    with storage.transaction() as tx:
        tx.put_seal(SEAL)
        tx.put_seal(replace(SEAL, number=4, count=1, scheduled=1, missed=0, skipped=2, end_us=9))
        tx.put_forked_seal(ForkedSeal(SHOP, 1, b"another\n", 1))
    with storage.transaction() as tx:
        dns, shop = tx.stream_standings()
        assert tx.stream_standings("fra-1") == [dns, shop]
        assert tx.stream_standings("nyc-1") == []
    assert shop == StreamStanding(
        SHOP, seq=6, lines=4, lost=2, seals=2, sealed_lines=4, scheduled=6, missed=2, skipped=2,
        forked=1, last_number=4, last_end_us=2**50,
    )  # fmt: skip
    assert (dns.seals, dns.last_number, dns.last_end_us, dns.unsealed_lines) == (0, 0, None, 1)


def test_when_each_line_came_stays_known_when_they_are_packed(storage: Storage) -> None:
    append(storage, (1, 3), (4, 6), (7, 9))
    with storage.transaction() as tx:
        tx.pack_segments(SHOP, 1, 5)
    with storage.transaction() as tx:
        assert segments_received(tx.segments(*SHOP, 1, 10)) == [1, 1, 1, 4, 4, 4, 7, 7, 7]
        # Packed again, over other bounds.
        tx.pack_segments(SHOP, 2, 9)
    with storage.transaction() as tx:
        found = tx.segments(*SHOP, 1, 10)
        assert segments_received(found) == [1, 1, 1, 4, 4, 4, 7, 7, 7]
        assert [(one.first_seq, one.received_us) for one in found] == [(1, 1), (2, 7)]


def segments_received(found: Sequence[Segment]) -> list[int]:
    return [
        one.received_us_of(seq)
        for one in found
        for seq in range(one.first_seq, one.first_seq + one.count)
    ]


def test_seals_over_a_time_are_those_that_say_something_of_it(storage: Storage) -> None:
    with storage.transaction() as tx:
        for number in (1, 2, 3, 5):
            tx.put_seal(replace(SEAL, number=number, end_us=number * 10))
        tx.put_seal(replace(SEAL, id=DNS, number=9, end_us=15))
    with storage.transaction() as tx:
        found = {
            span: list(tx.seals_over(SHOP, *span))
            for span in ((0, 100), (10, 20), (9, 21), (20, 25), (49, 60), (50, 60))
        }
        assert not tx.seals_over(replace_agent("nyc-1"), 0, 100)
        assert [one.number for one in tx.seals(SHOP, 2, 5)] == [2, 3, 5]
        assert tx.seals(SHOP, 1, 1) == [replace(SEAL, end_us=10)]
    # From the first one that was made after the start to the first that was made at the end or after it.
    assert found == {
        (0, 100): [1, 2, 3, 5], (10, 20): [2], (9, 21): [1, 2, 3], (20, 25): [3], (49, 60): [5], (50, 60): [],
    }  # fmt: skip
