"""Chance is the same everywhere, and has the distributions that it claims."""

from fractions import Fraction

import pytest

from controller.core.simulation.chance import Chance, Gaps, Spread, mixed

DRAWS = 20_000


def test_the_mixing_is_that_of_splitmix64() -> None:
    """The first numbers of SplitMix64 from seed 1234567, as its reference implementation prints them."""
    state, found = 1234567, []
    for _ in range(3):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        found.append(mixed(state))
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_draw_hangs_on_seed_name_and_counter_and_nothing_else() -> None:
    one = Chance(7, "loss", "fra-1")
    assert one.at(3) == Chance(7, "loss", "fra-1").at(3)
    others = {Chance(8, "loss", "fra-1").at(3), Chance(7, "loss", "fra-2").at(3), one.at(4)}
    assert len({one.at(3), *others}) == 4
    assert one.at(3) == 1252096756958777382, "the same on every machine, for ever"


def test_bounds_are_included_and_every_value_is_as_likely() -> None:
    chance = Chance(1, "between")
    counts = [0, 0, 0]
    for counter in range(DRAWS):
        counts[chance.between(counter, -1, 1) + 1] += 1
    assert all(abs(count - DRAWS / 3) < DRAWS / 50 for count in counts)


@pytest.mark.parametrize("share", [Fraction(1, 2), Fraction(1, 100), Fraction(1, 100_000)])
def test_gaps_are_geometric(share: Fraction) -> None:
    chance, gaps = Chance(1, "gaps"), Gaps(share)
    found = [gaps.drawn(chance, counter) for counter in range(DRAWS)]
    mean = float((1 - share) / share)
    assert abs(sum(found) / DRAWS - mean) < 0.03 * mean
    # The share of gaps of no tick at all is the probability itself.
    none = sum(gap == 0 for gap in found) / DRAWS
    assert abs(none - float(share)) < 0.01


def test_lengths_fall_into_octaves_alike() -> None:
    chance, spread = Chance(1, "spread"), Spread(1000, 8000)
    found = [spread.drawn(chance, counter) for counter in range(DRAWS)]
    assert min(found) >= 1000
    assert max(found) <= 8000
    short = sum(length < 2000 for length in found) / DRAWS
    assert abs(short - 1 / 4) < 0.02  # 8000 itself is an octave of its own
    assert abs(sum(found) / DRAWS - float(spread.mean)) < 0.02 * float(spread.mean)


def test_a_spread_without_width_is_its_length() -> None:
    assert {Spread(5, 5).drawn(Chance(1, "x"), counter) for counter in range(100)} == {5}
    assert Spread(5, 5).mean == 5
