"""Conformance of EvidenceStore: what every database must do alike."""

import pytest

from controller.core.samples import AnchorRound, Quarantined, Sample
from controller.ports.agents import AgentRecord
from controller.ports.evidence import Conflict, Oddities, Position, Segment
from controller.ports.storage import Storage
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


def test_the_next_segments_are_found_over_any_hole(storage: Storage) -> None:
    far = 2**40
    parts = [
        segment(1, b"1\n", b"2\n"),
        segment(7, b"7\n", lost=4),
        segment(far, b"x\n", lost=far - 8),
    ]
    append(storage, parts, [])
    with storage.transaction() as tx:
        assert tx.next_segments("fra-1", "e1", "shop", 0, 9) == parts
        assert tx.next_segments("fra-1", "e1", "shop", 2, 2) == parts[:2]
        assert tx.next_segments("fra-1", "e1", "shop", 3, 1) == parts[1:2]
        assert tx.next_segments("fra-1", "e1", "shop", 8, 9) == parts[2:]
        assert tx.next_segments("fra-1", "e1", "shop", far + 1, 9) == []
        assert tx.next_segments("nyc-1", "e1", "shop", 0, 9) == []


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


def test_s02_both_of_two_conflicting_lines_are_kept_and_one_counts(storage: Storage) -> None:
    up, down = sample(1, 1_000), sample(1, 1_000, Outcome.DOWN)
    append(storage, [segment(1, b"first\n")], [up])
    with storage.transaction() as tx:
        tx.append([], [], [], [], [Conflict(up.id, b"other\n", 99, down, up)])
        tx.append([], [], [], [], [Conflict(up.id, b"third\n", 100)])
    with storage.transaction() as tx:
        assert tx.samples("shop-home", 0, 10_000) == [down]
        assert tx.line(up.id) == b"first\n"
        kept = [Conflict(up.id, b"other\n", 99), Conflict(up.id, b"third\n", 100)]
        assert tx.conflicts(up.id) == kept
        assert tx.conflicts_between("fra-1", "e1", "shop", 1, 2) == kept
        assert tx.conflicts_between("fra-1", "e1", "shop", 2, 9) == []
        assert tx.conflicts_between("nyc-1", "e1", "shop", 0, 9) == []


def test_s02_what_counts_may_be_of_another_check_or_an_anchor_round(storage: Storage) -> None:
    up, other = sample(1, 1_000), sample(1, 7_000, Outcome.DOWN)._replace(check="shop-dns")
    bad = AnchorRound("fra-1", "e1", "shop", 1, 10, 0, 4)
    with storage.transaction() as tx:
        # What is withdrawn may come in the same batch.
        tx.append([segment(1, b"1\n")], [up], [], [], [Conflict(up.id, b"2\n", 99, other, up)])
        assert tx.samples("shop-home", 0, 10_000) == []
        assert tx.samples("shop-dns", 0, 10_000) == [other]
        tx.append([], [], [], [], [Conflict(up.id, b"3\n", 99, bad, other)])
        assert tx.samples("shop-dns", 0, 10_000) == []
        assert tx.anchors(["fra-1"], 0, 100) == [bad]
        tx.append([], [], [], [], [Conflict(up.id, b"4\n", 99, up, bad)])
        assert tx.anchors(["fra-1"], 0, 100) == []
        assert tx.samples("shop-home", 0, 10_000) == [up]


def test_strays_are_found_by_the_name_of_their_check(storage: Storage) -> None:
    strays = [sample(seq, 1_000, agent=agent) for agent in ("nyc-1", "fra-1") for seq in (2, 1)]
    with storage.transaction() as tx:
        tx.append([], [], [], [], [], strays)
        tx.append([], [], [], [], [], [sample(3, 1_000)._replace(check="shop-dns")])
    with storage.transaction() as tx:
        assert tx.samples("shop-home", 0, 10_000) == []
        assert tx.strays("shop-home") == sorted(one.id for one in strays)
        tx.append([], [], [], [], [Conflict(strays[0].id, b"2\n", 99, None, strays[0])])
        assert tx.strays("shop-home") == sorted(one.id for one in strays[1:])
        tx.forget_strays("shop-home")
        assert (len(tx.strays("shop-home")), len(tx.strays("shop-dns"))) == (0, 1)


def test_what_does_not_simply_count_is_counted_by_agent(storage: Storage) -> None:
    one = sample(1, 1_000)
    other = one._replace(agent="nyc-1")
    with storage.transaction() as tx:
        tx.append([segment(9, b"1\n", lost=8)], [], [], [], [], [one, one._replace(seq=2)])
        tx.append([], [], [], [Quarantined(other.id, "later")], [Conflict(one.id, b"2\n", 99)])
    with storage.transaction() as tx:
        assert tx.oddities() == [
            Oddities("fra-1", conflicts=1, strays=2, lost=8), Oddities("nyc-1", quarantined=1),
        ]  # fmt: skip


def test_losses_are_added_up_whatever_agents_say(storage: Storage) -> None:
    huge = [Segment("fra-1", f"e{n}", "shop", 2**62, 0, b"", 77, 2**62 - 1) for n in range(9)]
    record = AgentRecord("fra-1", "fra", "box", 1, b"", b"", "0a", None, 2)
    with storage.transaction() as tx:
        tx.put_agent(record)
        tx.append(huge, [], [], [], [])
        assert [one.lost for one in tx.oddities()] == [9 * (2**62 - 1)]
        assert [one.lost for one in tx.agents()] == [2**63 - 1]


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
        assert tx.quarantined_between("fra-1", "e1", "shop", 1, 2) == {1: "from the future"}
        assert tx.quarantined_between("fra-1", "e1", "shop", 2, 9) == {}


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
