import msgspec

from agent.core.accounts import SlotAccount, Standing, Statement, revisions_by_stream
from agent.core.assignment import Assigned
from vedette.shared.definitions import Check
from vedette.shared.probes import IcmpProbe
from vedette.shared.slots import Cadence

SECOND = 1_000_000
LATE = 2 * SECOND


def assigned(check: str, service: str = "shop") -> Assigned:
    return Assigned(
        Check(id=check, service=service, every="10s", icmp=IcmpProbe(host="shop.example")),
        f"digest of {check}",
    )


def account(now: int = 0, **services: str) -> SlotAccount:
    """An account of checks by id, each every ten seconds from second 5 on."""
    made = SlotAccount(LATE)
    put(made, now, 10, **services)
    return made


def put(made: SlotAccount, now: int, every: int = 10, /, **services: str) -> None:
    checks = {check: assigned(check, service) for check, service in services.items()}
    cadences = dict.fromkeys(services, Cadence(every * SECOND, 5 * SECOND))
    made.replace(checks, cadences, now * SECOND)


def run(made: SlotAccount, check: str, slot: int, stream: str = "shop") -> None:
    made.due(check, slot)
    made.started(stream)


def settled(made: SlotAccount, now: int) -> dict[str, int]:
    return dict(made.statement(now * SECOND).settled)


def test_a_slot_that_is_running_is_settled_when_it_ends() -> None:
    made = account(home="shop")
    run(made, "home", 0)
    assert settled(made, 6) == {"shop": 0}
    made.ended("shop")
    assert settled(made, 7) == {"shop": 1}
    assert settled(made, 8) == {"shop": 0}


def test_a_slot_without_a_run_is_settled_once_it_is_too_late_for_it() -> None:
    made = account(home="shop")
    assert settled(made, 6) == {}
    assert settled(made, 7) == {"shop": 1}
    assert settled(made, 16) == {}


def test_slots_that_were_passed_over_count_when_the_next_one_is_taken() -> None:
    made = account(home="shop")
    run(made, "home", 3)
    made.ended("shop")
    assert settled(made, 36) == {"shop": 4}


def test_a_crowded_out_slot_is_due_without_a_run() -> None:
    made = account(home="shop")
    made.due("home", 0)
    assert settled(made, 6) == {"shop": 1}


def test_streams_are_counted_apart() -> None:
    made = account(home="shop", name="dns")
    run(made, "home", 0)
    made.ended("shop")
    assert settled(made, 8) == {"shop": 1, "dns": 1}
    assert made.streams() == {"shop", "dns"}


def test_an_assignment_that_keeps_a_check_neither_loses_nor_doubles_its_slot() -> None:
    made = account(home="shop")
    put(made, 6, 10, home="shop", more="shop")
    run(made, "home", 0)
    made.ended("shop")
    assert settled(made, 8) == {"shop": 1}


def test_a_check_that_goes_or_changes_is_counted_until_then() -> None:
    made = account(home="shop")
    put(made, 26)
    assert settled(made, 100) == {"shop": 3}
    made = account(home="shop")
    put(made, 26, 20, home="shop")
    assert settled(made, 47) == {"shop": 4}


def test_a_restart_settles_what_the_dead_process_did_not() -> None:
    made = account(home="shop")
    run(made, "home", 0)
    run(made, "home", 1)
    before = made.statement(16 * SECOND)
    assert before.settled == {"shop": 0}
    run(made, "home", 2)  # and here the process died, at second 26

    stored = msgspec.json.decode(msgspec.json.encode(before.standing), type=Standing)
    after = account()
    after.restore(stored)
    put(after, 58, 10, home="shop")
    run(after, "home", 6)
    # Two that ran, one that was taken, 3 to 5 in the time between; 6 is running.
    assert settled(after, 66) == {"shop": 6}
    after.ended("shop")
    assert settled(after, 67) == {"shop": 1}


def test_a_slot_that_comes_twice_because_the_clock_was_set_back_is_one_more() -> None:
    made = account(home="shop")
    for _ in range(2):
        run(made, "home", 3)
        made.ended("shop")
    assert settled(made, 36) == {"shop": 5}


def test_a_slot_of_a_check_that_is_gone_counts_nothing() -> None:
    made = account()
    made.due("home", 4)
    assert made.statement(0) == Statement({}, Standing())


def test_revisions_go_by_stream() -> None:
    found = revisions_by_stream([assigned("a"), assigned("b", "dns"), assigned("c")])
    assert found == {"shop": ["digest of a", "digest of c"], "dns": ["digest of b"]}
