"""Conformance of IncidentStore and CarriedStore."""

from dataclasses import replace

import pytest

from controller.ports.incidents import StoredIncident
from controller.ports.outcomes import OutageScope, StoredOutage
from controller.ports.storage import Storage


def test_an_incident_comes_back_as_it_was_put(storage: Storage) -> None:
    with storage.transaction() as tx:
        assert tx.incident(1) is None
        first = tx.put_incident(StoredIncident(0, 100, (3, 1)))
        second = tx.put_incident(StoredIncident(0, 200, (7,)))
    with storage.transaction() as tx:
        assert second > first
        assert tx.incident(first) == StoredIncident(first, 100, (1, 3))
        assert [one.number for one in tx.incidents(include_gone=False, limit=9)] == [second, first]
        assert [one.number for one in tx.incidents(include_gone=False, limit=1)] == [second]
        assert tx.incidents_of([1, 2, 3, 7]) == {1: first, 3: first, 7: second}


def test_an_outage_is_in_one_incident_at_a_time(storage: Storage) -> None:
    with storage.transaction() as tx:
        first = tx.put_incident(StoredIncident(0, 100, (1, 3)))
        second = tx.put_incident(StoredIncident(0, 200, (7,)))
        tx.put_incident(StoredIncident(second, 200, (3, 7)))
    with storage.transaction() as tx:
        assert tx.incidents_of([1, 3, 7]) == {1: first, 3: second, 7: second}
        assert tx.incident(first) == StoredIncident(first, 100, (1,))


def test_an_incident_that_is_gone_stays_known_by_its_number(storage: Storage) -> None:
    with storage.transaction() as tx:
        first = tx.put_incident(StoredIncident(0, 100, (1,)))
        second = tx.put_incident(StoredIncident(0, 200, (2,)))
        gone = StoredIncident(second, 200, (), 300, first)
        tx.put_incident(gone)
        third = tx.put_incident(StoredIncident(0, 400, (2,)))
    with storage.transaction() as tx:
        assert tx.incident(second) == gone
        assert [one.number for one in tx.incidents(include_gone=False, limit=9)] == [third, first]
        assert len(tx.incidents(include_gone=True, limit=9)) == 3
        with pytest.raises(ValueError, match="no incident 99"):
            tx.put_incident(replace(gone, number=99))


def test_how_far_the_ledger_was_followed_is_remembered(storage: Storage) -> None:
    with storage.transaction() as tx:
        assert tx.followed_event() is None
        tx.put_followed_event(0)
        tx.put_followed_event(12)
    with storage.transaction() as tx:
        assert tx.followed_event() == 12


def test_outages_are_found_by_scope(storage: Storage) -> None:
    whole = StoredOutage(0, "shop", 100, None, 120, None, b"{}")
    with storage.transaction() as tx:
        first = tx.put_outage(whole)
        second = tx.put_outage(replace(whole, started_us=50, region="fra"))
        assert second > first
    with storage.transaction() as tx:
        numbers = {scope: [one.number for one in tx.outages(scope=scope)] for scope in OutageScope}
        assert numbers[OutageScope.GLOBAL] == [one.number for one in tx.outages()] == [first]
        assert numbers[OutageScope.REGIONAL] == [second]
        assert numbers[OutageScope.ALL] == [first, second]
        found = tx.outage(second)
        assert found is not None
        assert found.region == "fra"


def test_what_lies_across_settled_instants_is_kept_by_instant(storage: Storage) -> None:
    with storage.transaction() as tx:
        assert tx.carried("shop", 10**18, 5) == []
        for at_us in (100, 200, 300, -5):
            tx.put_carried("shop", at_us, b"[%d]" % at_us)
        tx.put_carried("shop", 200, b"again")
        tx.put_carried("other", 150, b"[]")
    with storage.transaction() as tx:
        assert tx.carried("shop", 299, 5) == [(200, b"again"), (100, b"[100]"), (-5, b"[-5]")]
        assert tx.carried("shop", 300, 1) == [(300, b"[300]")]
        assert tx.carried_instants("shop") == [-5, 100, 200, 300]
        tx.forget_carried("shop", 100, 300)
    with storage.transaction() as tx:
        assert tx.carried_instants("shop") == [-5, 300]
        assert tx.carried_instants("other") == [150]
