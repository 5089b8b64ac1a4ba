"""Conformance of FleetStore and OutcomeStore."""

from dataclasses import replace

import pytest

from controller.ports.fleet import CheckRevision, FleetRevision
from controller.ports.outcomes import OutageScope, StoredInterval, StoredOutage
from controller.ports.storage import Storage

OUTAGE = StoredOutage(0, "shop-home", 100, None, 120, None, b"{}")


def interval(from_us: int, to_us: int, verdict: str = "UP") -> StoredInterval:
    return StoredInterval("shop-home", from_us, to_us, verdict, "UP", "DOWN")


def test_the_newest_fleet_is_in_force_and_every_revision_stays(storage: Storage) -> None:
    first = FleetRevision(1, b"version: 1\n", "fleet.yaml", 10, "ada")
    second = replace(first, number=2, text=b"\xef\xbb\xbfversion: 1\n", applied_us=20)
    revisions = [
        CheckRevision("b", "d1", b"{}", 10),
        CheckRevision("a", "d2", b"{}", 10),
        CheckRevision("b", "", b"", 20),
    ]
    with storage.transaction() as tx:
        assert tx.fleet() is None
        tx.put_fleet(first, revisions[:2])
        tx.put_fleet(second, revisions[2:])
    with storage.transaction() as tx:
        assert tx.fleet() == second
        assert [tx.fleet(number) for number in (1, 2, 3)] == [first, second, None]
        assert (tx.fleets(), tx.fleets(after=1)) == ([first, second], [second])
        assert tx.check_revisions() == [revisions[1], revisions[0], revisions[2]]


@pytest.mark.parametrize(
    ("from_us", "new", "expected"),
    [
        pytest.param(
            20, [interval(20, 30, "DOWN")], [interval(0, 20), interval(20, 30, "DOWN")], id="appends"
        ),
        pytest.param(
            5, [interval(5, 9, "DOWN")], [interval(0, 5), interval(5, 9, "DOWN")], id="cuts what crosses"
        ),
        pytest.param(0, [interval(0, 7)], [interval(0, 7)], id="replaces all"),
        pytest.param(15, [], [interval(0, 10), interval(10, 15, "DOWN")], id="only cuts"),
    ],
)  # fmt: skip
def test_intervals_are_replaced_from_an_instant_on(
    storage: Storage, from_us: int, new: list[StoredInterval], expected: list[StoredInterval]
) -> None:
    other = replace(interval(0, 1000), check="shop-dns")
    with storage.transaction() as tx:
        tx.replace_intervals("shop-dns", 0, [other])
        tx.replace_intervals("shop-home", 0, [interval(0, 10), interval(10, 20, "DOWN")])
        tx.replace_intervals("shop-home", from_us, new)
    merged = [interval(0, 20)] if from_us == 20 else []
    with storage.transaction() as tx:
        found = list(tx.intervals("shop-home", 0, 1000))
        assert tx.intervals("shop-dns", 0, 1000) == [other]
    if merged:
        expected = [interval(0, 10), interval(10, 20, "DOWN"), *new]
    assert found == expected


def test_intervals_that_only_touch_the_window_are_left_out(storage: Storage) -> None:
    with storage.transaction() as tx:
        tx.replace_intervals("shop-home", 0, [interval(0, 10), interval(10, 20, "DOWN")])
        assert tx.intervals("shop-home", 10, 11) == [interval(10, 20, "DOWN")]
        assert tx.intervals("shop-home", 0, 10) == [interval(0, 10)]
        assert tx.intervals("nothing", 0, 10) == []


def test_until_when_a_check_was_last_something_else(storage: Storage) -> None:
    told = [
        interval(0, 10, "DOWN"),
        interval(10, 20, "UP"),
        interval(20, 30, "PARTIAL"),
        interval(30, 40, "UP"),
        replace(interval(40, 50, "UP"), high="UP"),
    ]
    with storage.transaction() as tx:
        assert tx.other_verdict_us("shop-home", "UP", 50) is None
        tx.replace_intervals("shop-home", 0, told)
        assert tx.other_verdict_us("shop-home", "UP", 50) == 30
        assert tx.other_verdict_us("shop-home", "DOWN", 50) == 50
        assert tx.other_verdict_us("shop-home", "UP", 25) == 25
        assert tx.other_verdict_us("shop-home", "UP", 20) == 10
        assert tx.other_verdict_us("shop-home", "DOWN", 10) is None
        assert tx.other_verdict_us("shop-dns", "UP", 50) is None


def test_a_number_is_given_once_even_after_its_outage_vanished(storage: Storage) -> None:
    with storage.transaction() as tx:
        first = tx.put_outage(OUTAGE)
        second = tx.put_outage(OUTAGE)
        tx.delete_outage(second)
    with storage.transaction() as tx:
        third = tx.put_outage(OUTAGE)
        assert (first, second, third) == (1, 2, 3)
        assert tx.outage(2) is None
        assert tx.outage(3) == replace(OUTAGE, number=3)
        assert replace(OUTAGE, number=3).handle == "OUT-3"


def test_an_outage_is_replaced_under_its_number(storage: Storage) -> None:
    with storage.transaction() as tx:
        number = tx.put_outage(OUTAGE)
        closed = replace(OUTAGE, number=number, ended_us=200, closed_known_us=260, body=b"{1}")
        assert tx.put_outage(closed) == number
        assert tx.outages() == [closed]
        with pytest.raises(ValueError, match="no outage 99"):
            tx.put_outage(replace(OUTAGE, number=99))


def test_outages_are_found_by_check_and_time_newest_first(storage: Storage) -> None:
    with storage.transaction() as tx:
        old = replace(OUTAGE, number=tx.put_outage(replace(OUTAGE, ended_us=200)), ended_us=200)
        late = replace(OUTAGE, started_us=300)
        late = replace(late, number=tx.put_outage(late))
        other = replace(OUTAGE, check="shop-dns", started_us=250)
        other = replace(other, number=tx.put_outage(other))
        assert tx.outages() == [late, other, old]
        assert tx.outages("shop-home") == [late, old]
        assert tx.outages("shop-home", from_us=200) == [late]
        assert tx.outages("shop-home", from_us=199) == [late, old]
        assert tx.outages(to_us=300) == [other, old]
        assert tx.outages(limit=2) == [late, other]
        assert tx.outages(open_only=True) == [late, other]
        assert tx.outage_count(scope=OutageScope.ALL) == 3
        assert tx.outage_count("shop-home", scope=OutageScope.GLOBAL, open_only=True) == 1
        assert tx.outage_count(scope=OutageScope.REGIONAL) == 0


def test_how_far_a_check_is_settled_moves_both_ways(storage: Storage) -> None:
    with storage.transaction() as tx:
        assert tx.settled_us("shop-home") is None
        for at_us in (10**16, 5):
            tx.put_settled("shop-home", at_us)
            assert tx.settled_us("shop-home") == at_us
        assert tx.settled_us("shop-dns") is None
        tx.put_settled("shop-home", None)
        assert tx.settled_us("shop-home") is None
