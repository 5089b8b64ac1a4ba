"""Chance that everybody can repeat: draws that are pure functions of a seed, a name and a counter.

SplitMix64 (Steele, Lea, Flood 2014): a counter that moves by an odd constant, and a bijection of 64 bits
that mixes it. A draw needs no draw before it, so what happens on one path does not depend on whether another
was looked at, and no order of work changes a byte. Integers only: the same on every machine.
"""

import hashlib
from fractions import Fraction
from typing import Final

_BITS: Final = 64
_MASK: Final = (1 << _BITS) - 1
_STEP: Final = 0x9E3779B97F4A7C15
# Powers of what does not happen are held with so many bits after the point.
_FINE: Final = 128
_ONE: Final = 1 << _FINE
# A gap of 2**40 ticks is longer than any scenario.
_DOUBLINGS: Final = 40


def mixed(value: int) -> int:
    """The finaliser of SplitMix64: 64 bits to 64 bits, every bit hanging on every other."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class Chance:
    """Draws under one name. Different names give draws that have nothing to do with each other."""

    __slots__ = ("key",)

    def __init__(self, seed: int, *names: str | int) -> None:
        text = "\n".join(str(name) for name in (seed, *names))
        self.key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])

    def at(self, counter: int) -> int:
        """Draw number `counter`: uniform over 0 .. 2**64 - 1."""
        return mixed((self.key + (counter + 1) * _STEP) & _MASK)

    def between(self, counter: int, least: int, most: int) -> int:
        """A whole number from `least` to `most`, both included."""
        return least + (self.at(counter) * (most - least + 1) >> _BITS)


class Spread:
    """Lengths from `least` to `most`, as likely to lie in one octave (factor of two) as in another.

    Outages and bad spells are like that: many short ones, a few long ones. With least = most there is
    nothing to draw.
    """

    __slots__ = ("_octaves",)

    def __init__(self, least: int, most: int) -> None:
        assert 0 < least <= most
        self._octaves: list[tuple[int, int]] = []
        while least <= most:
            self._octaves.append((least, min(2 * least - 1, most)))
            least *= 2

    @property
    def mean(self) -> Fraction:
        """The mean of what is drawn."""
        total = sum(low + high for low, high in self._octaves)
        return Fraction(total, 2 * len(self._octaves))

    def drawn(self, chance: Chance, counter: int) -> int:
        """One length."""
        product = chance.at(counter) * len(self._octaves)
        low, high = self._octaves[product >> _BITS]
        return low + ((product & _MASK) * (high - low + 1) >> _BITS)


class Gaps:
    """How many ticks pass before something happens that happens in each tick with one probability.

    The geometric distribution, by bisection over powers of (1 - probability) in fixed point: one draw
    and at most 40 products, however many ticks pass.
    """

    __slots__ = ("_powers",)

    def __init__(self, probability: Fraction) -> None:
        assert 0 < probability < 1
        stays = _ONE - probability.numerator * _ONE // probability.denominator
        powers = [stays]
        while len(powers) < _DOUBLINGS:
            powers.append(powers[-1] * powers[-1] >> _FINE)
        self._powers = [(1 << place, power) for place, power in enumerate(powers) if power][::-1]

    def drawn(self, chance: Chance, counter: int) -> int:
        """Ticks without it, 0 or more."""
        limit = chance.at(counter) << (_FINE - _BITS)
        ticks, left = 0, _ONE
        for count, power in self._powers:
            further = left * power >> _FINE
            if further > limit:
                left, ticks = further, ticks + count
        return ticks
