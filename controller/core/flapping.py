"""How much a check flaps (S-18). For presentation only: no figure depends on it."""

import itertools
from collections.abc import Hashable, Sequence
from fractions import Fraction
from typing import Final

STATES: Final = 21
"""How many states the score looks at; the newest stand last."""

_LEAST: Final = Fraction(3, 4)
_SPREAD: Final = Fraction(1, 2)
_STARTS_ABOVE: Final = Fraction(30, 100)
_ENDS_BELOW: Final = Fraction(20, 100)


def flap_score(states: Sequence[Hashable]) -> Fraction:
    """The share of weighted changes among the last 21 states, 0 to 1; the newest change weighs most.

    Fewer states than 21 are the newest ones: what came before them counts as no change.
    """
    recent = states[-STATES:]
    changes = STATES - 1
    first = STATES - len(recent) + 1
    total = Fraction(0)
    for position, (old, new) in enumerate(itertools.pairwise(recent), start=first):
        if old != new:
            total += _LEAST + _SPREAD * Fraction(position - 1, changes - 1)
    return total / changes


def is_flapping(score: Fraction, *, was_flapping: bool) -> bool:
    """Whether a check flaps now: it starts at 30 % and ends below 20 %."""
    return score >= (_ENDS_BELOW if was_flapping else _STARTS_ABOVE)
