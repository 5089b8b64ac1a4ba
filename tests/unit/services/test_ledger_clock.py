"""The clock of what is recorded: later instants for later facts, whatever is done to the machine's."""

from controller.clock import LedgerClock


def test_s21_what_is_recorded_later_has_a_later_instant() -> None:
    wall = iter([100, 100, 100, 50, 20, 200, 150])
    clock = LedgerClock(lambda: next(wall))
    assert [clock() for _ in range(7)] == [100, 101, 102, 103, 104, 200, 201]


def test_s21_after_a_restart_it_goes_on_after_what_was_issued() -> None:
    clock = LedgerClock(lambda: 100)
    clock.go_on_after(500)
    assert clock() == 501
    clock.go_on_after(200)
    assert clock() == 502, "nothing is taken back"
