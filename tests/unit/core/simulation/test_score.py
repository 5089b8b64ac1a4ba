"""How alarms and true outages are matched, and what a rule is scored by."""

from fractions import Fraction

from controller.core.intervals import Interval
from controller.core.outages import Span
from controller.core.simulation.alarms import Alarm
from controller.core.simulation.figures import seconds, share
from controller.core.simulation.score import Truth, percentile, score, truths_of

TRUTH = Truth("c", 100, 200, 100)


def alarm(start: int, end: int, raised: int, *, check: str = "c", gone: int | None = None) -> Alarm:
    return Alarm(check, raised, Span(start, end, end, end - start, 0), gone)


def test_an_alarm_is_right_if_it_has_an_instant_in_common_with_a_true_outage() -> None:
    found = score([alarm(110, 190, 130), alarm(200, 250, 260)], [TRUTH])
    assert (found.alarms, found.right, found.found, found.truths) == (2, 1, 1, 1)
    assert (found.precision, found.recall) == (Fraction(1, 2), Fraction(1))
    assert (found.delays_us, found.errors_us, found.false_us) == ((30,), (20,), (260,))


def test_an_alarm_of_another_check_is_false() -> None:
    found = score([alarm(110, 190, 130, check="d")], [TRUTH])
    assert (found.right, found.found, found.recall) == (0, 0, Fraction(0))


def test_two_alarms_may_be_right_about_one_outage() -> None:
    found = score([alarm(110, 130, 140), alarm(150, 220, 120)], [TRUTH])
    assert (found.right, found.found) == (2, 1)
    assert found.delays_us == (20,), "the one that was raised first"
    assert found.errors_us == (10,), "both are on record"


def test_one_alarm_may_be_right_about_two_outages() -> None:
    found = score([alarm(110, 320, 90)], [TRUTH, Truth("c", 300, 310, 10)])
    assert (found.right, found.found) == (1, 2)
    assert found.delays_us == (0, 0), "it stood already"


def test_what_was_withdrawn_was_told_but_is_not_on_record() -> None:
    found = score([alarm(110, 190, 130, gone=400), alarm(300, 310, 320, gone=400)], [TRUTH])
    assert (found.alarms, found.withdrawn, found.right, found.found) == (2, 2, 1, 1)
    assert found.errors_us == (100,)


def test_without_alarms_or_outages_there_is_no_share() -> None:
    nothing = score([], [])
    assert (nothing.precision, nothing.recall) == (None, None)


def test_true_outages_less_than_the_merge_gap_apart_are_one() -> None:
    down = {"c": [Interval(0, 10), Interval(15, 20), Interval(30, 40)], "d": []}
    assert truths_of(down, 10) == [Truth("c", 0, 20, 15), Truth("c", 30, 40, 10)]


def test_a_percentile_is_a_value_that_was_seen() -> None:
    values = list(range(1, 101))
    assert [percentile(values, p) for p in (50, 99, 100)] == [50, 99, 100]
    assert percentile([7], 50) == 7
    assert percentile([], 50) is None


def test_figures_are_rounded_to_the_disadvantage() -> None:
    assert (share(Fraction(2, 3)), share(Fraction(1)), share(None)) == ("66.66 %", "100.00 %", "-")
    assert (seconds(1), seconds(1_100_000), seconds(None)) == ("0.1 s", "1.1 s", "-")
