"""Conformance of EvidenceStore: what every database must do alike."""

import pytest

from controller.core.admission import digest_of_line
from controller.core.samples import AnchorRound, Quarantined, Sample
from controller.ports import Conflict, Position, Segment, Storage
from vedette.shared.identity import ResultId
from vedette.shared.result import Outcome


def sample(seq: int, at_us: int, outcome: Outcome = Outcome.UP, agent: str = "fra-1") -> Sample:
    return Sample(agent, "e1", "shop", seq, "shop-home", "fra", at_us, outcome, None, 1200)


def segment(first_seq: int, *lines: bytes, lost: int = 0) -> Segment:
    return Segment("fra-1", "e1", "shop", first_seq, len(lines), b"".join(lines), 77, lost)


def append(storage: Storage, segments: list[Segment], samples: list[Sample]) -> None:
    with storage.transaction() as tx:
        tx.append(segments, samples, [], [], [])


def test_an_empty_database_has_nothing(storage: Storage) -> None:
    with storage.transaction() as tx:
        assert tx.positions() == []
        assert tx.samples("shop-home", 0, 10**18) == []
        assert tx.anchors(["fra-1"], 0, 10**18) == []
        assert tx.segments("fra-1", "e1", "shop", 0, 100) == []
        assert tx.line(ResultId("fra-1", "e1", "shop", 1)) is None
        assert tx.conflicts(ResultId("fra-1", "e1", "shop", 1)) == []


def test_lines_come_back_byte_for_byte(storage: Storage) -> None:
    first, second = b'{"a": 1}\n', '{"b":\t"ä\u2028"}\n'.encode()
    append(storage, [segment(1, first, second)], [])
    append(storage, [segment(3, b"third\n")], [])
    with storage.transaction() as tx:
        assert tx.line(ResultId("fra-1", "e1", "shop", 2)) == second
        assert tx.line(ResultId("fra-1", "e1", "shop", 3)) == b"third\n"
        assert tx.line(ResultId("fra-1", "e1", "shop", 4)) is None
        assert tx.line(ResultId("fra-1", "e2", "shop", 1)) is None
        assert tx.positions("fra-1") == [Position("fra-1", "e1", "shop", 3)]
        assert tx.positions("nyc-1") == []


def test_a_line_is_what_ends_in_a_newline_and_nothing_else(storage: Storage) -> None:
    odd = b"carriage\rreturn\x0b\x0c\x1c\n"
    append(storage, [segment(1, odd, b"next\n")], [])
    with storage.transaction() as tx:
        assert tx.line(ResultId("fra-1", "e1", "shop", 1)) == odd
        assert tx.line(ResultId("fra-1", "e1", "shop", 2)) == b"next\n"


def test_segments_are_found_by_any_line_in_them(storage: Storage) -> None:
    parts = [segment(1, b"1\n", b"2\n"), segment(3, b"3\n"), segment(7, b"7\n", b"8\n", lost=3)]
    append(storage, parts, [])
    with storage.transaction() as tx:
        assert tx.segments("fra-1", "e1", "shop", 2, 4) == parts[:2]
        assert tx.segments("fra-1", "e1", "shop", 4, 7) == []
        assert tx.segments("fra-1", "e1", "shop", 8, 100) == parts[2:]


def test_lost_lines_move_the_stream_even_when_nothing_follows(storage: Storage) -> None:
    append(storage, [segment(1, b"1\n"), segment(7, lost=5)], [])
    with storage.transaction() as tx:
        assert tx.positions() == [Position("fra-1", "e1", "shop", 6)]
        assert tx.segments("fra-1", "e1", "shop", 0, 100) == [segment(1, b"1\n")]


def test_lines_that_were_reported_lost_can_still_be_kept(storage: Storage) -> None:
    append(storage, [segment(1, b"1\n"), segment(5, b"5\n", lost=3)], [])
    append(storage, [segment(2, b"2\n")], [])
    with storage.transaction() as tx:
        assert tx.positions() == [Position("fra-1", "e1", "shop", 5)]
        assert tx.line(ResultId("fra-1", "e1", "shop", 2)) == b"2\n"


def test_samples_come_by_time_in_the_half_open_window(storage: Storage) -> None:
    late, early = sample(2, 2_000, Outcome.DOWN), sample(1, 1_000)
    other = sample(1, 1_000)._replace(check="shop-dns")
    append(storage, [], [late, early, other])
    with storage.transaction() as tx:
        assert tx.samples("shop-home", 0, 10**18) == [early, late]
        assert tx.samples("shop-home", 1_000, 2_000) == [early]
        assert tx.samples("shop-home", 1_001, 2_001) == [late]


def test_the_newest_sample_before_an_instant(storage: Storage) -> None:
    append(storage, [], [sample(1, 1_000), sample(2, 2_000)])
    with storage.transaction() as tx:
        assert tx.newest_sample_us("shop-home", 3_000) == 2_000
        assert tx.newest_sample_us("shop-home", 2_000) == 1_000
        assert tx.newest_sample_us("shop-home", 1_000) is None
        assert tx.newest_sample_us("shop-dns", 3_000) is None


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_field_of_a_sample_is_kept(storage: Storage, outcome: Outcome) -> None:
    # Past 2038 and with an id beyond 32 bits: nothing may be cut.
    whole = Sample(
        "a", "e", "", 2**40, "c", "r", 4_102_444_800_000_001, outcome, "http.status", 2**33
    )
    bare = whole._replace(seq=2**40 + 1, kind=None, took_us=None)
    append(storage, [], [whole, bare])
    with storage.transaction() as tx:
        assert tx.samples("c", 0, 2**62) == [whole, bare]


def test_both_of_two_conflicting_lines_are_kept(storage: Storage) -> None:
    up, down = sample(1, 1_000), sample(1, 1_000, Outcome.DOWN)
    conflict = Conflict(up.id, b"other\n", 99, down)
    append(storage, [segment(1, b"first\n")], [up])
    with storage.transaction() as tx:
        tx.append([], [], [], [], [conflict])
    with storage.transaction() as tx:
        assert tx.samples("shop-home", 0, 10_000) == [
            up._replace(digest=digest_of_line(b"first\n")),
            down._replace(digest=digest_of_line(b"other\n")),
        ]
        assert tx.line(up.id) == b"first\n"
        assert tx.conflicts(up.id) == [Conflict(up.id, b"other\n", 99)]


def test_both_of_two_conflicting_anchor_rounds_are_kept(storage: Storage) -> None:
    good = AnchorRound("fra-1", "e1", "shop", 1, 10, 4, 4)
    bad = good._replace(ok=0)
    with storage.transaction() as tx:
        tx.append([segment(1, b"good\n")], [], [good], [], [])
        tx.append([], [], [], [], [Conflict(bad.id, b"bad\n", 99, bad)])
        assert tx.anchors(["fra-1"], 0, 100) == [
            good._replace(digest=digest_of_line(b"good\n")),
            bad._replace(digest=digest_of_line(b"bad\n")),
        ]


def test_anchor_rounds_come_by_time_for_the_agents_asked_for(storage: Storage) -> None:
    rounds = [AnchorRound(a, "e1", "@anchors", 1, at, 3, 4) for a, at in (("b", 20), ("a", 10))]
    with storage.transaction() as tx:
        tx.append([], [], rounds, [], [])
        assert tx.anchors(["a", "b", "stranger"], 0, 100) == rounds[::-1]
        assert tx.anchors(["b"], 0, 20) == []
        assert tx.anchors([], 0, 100) == []


def test_the_last_good_anchor_round(storage: Storage) -> None:
    oks = {10: 4, 20: 2, 30: 1}
    rounds = [AnchorRound("a", "e1", "@anchors", at, at, ok, 4) for at, ok in oks.items()]
    with storage.transaction() as tx:
        tx.append([], [], rounds, [], [])
        assert tx.last_good_anchor_us("a", 100) == 20, "half of them is good enough"
        assert tx.last_good_anchor_us("a", 20) == 10
        assert tx.last_good_anchor_us("a", 10) is None
        assert tx.last_good_anchor_us("b", 100) is None


def test_quarantined_lines_are_no_samples(storage: Storage) -> None:
    future = ResultId("fra-1", "e1", "shop", 1)
    with storage.transaction() as tx:
        tx.append([segment(1, b"future\n")], [], [], [Quarantined(future, "from the future")], [])
    with storage.transaction() as tx:
        assert tx.samples("shop-home", 0, 2**62) == []
        assert tx.line(future) == b"future\n"
        assert tx.quarantined() == [Quarantined(future, "from the future")]


def test_an_exception_undoes_everything_and_what_was_cached(storage: Storage) -> None:
    def half_way() -> None:
        with storage.transaction() as tx:
            tx.append([segment(1, b"1\n")], [sample(1, 1_000)], [], [], [])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_way()
    with storage.transaction() as tx:
        assert tx.positions() == []
        assert tx.samples("shop-home", 0, 10_000) == []
    append(storage, [segment(1, b"1\n")], [sample(1, 1_000)])
    with storage.transaction() as tx:
        assert tx.samples("shop-home", 0, 10_000) == [sample(1, 1_000)]


def test_many_samples_of_many_streams_go_in_at_once(storage: Storage) -> None:
    many = [sample(i, i, agent=f"agent-{i % 7}") for i in range(1, 5_001)]
    append(storage, [], many)
    with storage.transaction() as tx:
        assert tx.samples("shop-home", 0, 10_000) == many
