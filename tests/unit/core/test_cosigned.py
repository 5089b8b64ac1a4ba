"""Which signatures of a witness are kept: one an hour of the last week, one a day before that."""

from hypothesis import given
from hypothesis import strategies as st

from controller.core.cosigned import Signed, superfluous

MINUTE = 60 * 1_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW = 20_000 * DAY + 5 * HOUR


def minutes(days: int) -> list[Signed]:
    """A signature a minute for so many days until now, each under a greater head."""
    count = days * 24 * 60
    return [Signed(n + 1, NOW - (count - n) * MINUTE) for n in range(count)]


def test_a_month_of_minutes_becomes_hours_and_days() -> None:
    signed = minutes(30)
    gone = superfluous(signed, NOW)
    kept = [one for one in signed if one.size not in gone]
    old = [one for one in kept if NOW - one.received_us >= 7 * DAY]
    assert (len(old), len(kept) - len(old)) == (24, 168)
    assert kept[-1] == signed[-1]
    assert not superfluous(kept, NOW)


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 40 * DAY)), unique_by=lambda s: s[0]))
def test_the_greatest_of_every_day_stays_and_thinning_twice_changes_nothing(
    drawn: list[tuple[int, int]],
) -> None:
    signed = [Signed(size, NOW - ago) for size, ago in drawn]
    gone = superfluous(signed, NOW)
    kept = [one for one in signed if one.size not in gone]
    for one in signed:
        day = [s.size for s in signed if s.received_us // DAY == one.received_us // DAY]
        assert max(day) in {s.size for s in kept}
    assert not superfluous(kept, NOW)


def test_what_came_in_one_hour_is_the_greatest_head_whatever_came_last() -> None:
    assert superfluous([Signed(9, NOW), Signed(7, NOW + 1)], NOW + 2) == {7}
