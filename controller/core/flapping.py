"""How much a check flaps (S-18). For presentation only: no figure depends on it."""

import itertools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

STATES: Final = 21
"""How many states the score looks at; the newest stand last."""

_CHANGES: Final = STATES - 1
# 0.75 + 0.5 * (x - 1) / 19, as so many of 76 parts.
_PARTS: Final = 76
_LEAST: Final = 57
_STARTS_ABOVE: Final = Fraction(30, 100)
_ENDS_BELOW: Final = Fraction(20, 100)
# Whether a check flaps depends on whether it did before: a day of checking every minute is looked back.
_STEPS_BACK_MAX: Final = 1440
_UNKNOWN: Final = "UNKNOWN"
_DOWN: Final = "DOWN"


@dataclass(frozen=True, slots=True)
class Flapping:
    """How a check flaps at an instant: its score, 0 to 1, and whether that counts as flapping."""

    score: Fraction
    is_flapping: bool

    @property
    def percent(self) -> str:
        """The score with two decimals, cut and not rounded."""
        hundredths = self.score.numerator * 10_000 // self.score.denominator
        return f"{hundredths // 100}.{hundredths % 100:02}"


CALM: Final = Flapping(Fraction(0), False)
"""A check that does not change."""


def flap_score(states: Sequence[Hashable]) -> Fraction:
    """The share of weighted changes among the last 21 states, 0 to 1; the newest change weighs most.

    Fewer states than 21 are the newest ones: what came before them counts as no change.
    """
    recent = states[-STATES:]
    first = STATES - len(recent) + 1
    parts = sum(
        _LEAST + 2 * (position - 1)
        for position, (old, new) in enumerate(itertools.pairwise(recent), start=first)
        if old != new
    )
    return Fraction(parts, _PARTS * _CHANGES)


def is_flapping(score: Fraction, *, was_flapping: bool) -> bool:
    """Whether a check flaps now: it starts at 30 % and ends below 20 %."""
    return score >= (_ENDS_BELOW if was_flapping else _STARTS_ABOVE)


def flapping_at(verdicts: Sequence[tuple[int, int, str]], every_us: int, now_us: int) -> Flapping:
    """How a check flaps at `now_us`, by its verdicts (from, to, verdict) in order of time.

    The states are what it was at each run of its schedule, `every_us` apart and counted from the epoch (down
    or not), and what it was only between two of them. Time of which nothing is known changes nothing. It
    does not flap where `verdicts` begin.
    """
    score, was = Fraction(0), False
    states: list[bool] = []
    for is_down, count in _stretches(verdicts, every_us, now_us):
        # Once 20 states say the same, more of them make no difference.
        for _ in range(min(count, STATES)):
            states.append(is_down)
            score = flap_score(states)
            was = is_flapping(score, was_flapping=was)
        del states[:-STATES]
    return Flapping(score, was)


def looks_back_us(every_us: int) -> int:
    """How much time before an instant decides whether a check flaps then."""
    return _STEPS_BACK_MAX * every_us


def _stretches(
    verdicts: Sequence[tuple[int, int, str]], every_us: int, now_us: int
) -> list[tuple[bool, int]]:
    """Whether the check was down, and at how many runs one after another: until now, as far as is known."""
    first_us = now_us - looks_back_us(every_us)
    merged: list[tuple[bool, int]] = []
    for from_us, to_us, verdict in verdicts:
        start_us, end_us = max(from_us, first_us), min(to_us, now_us + 1)
        if verdict == _UNKNOWN or end_us <= start_us:
            continue
        runs = -(-end_us // every_us) - -(-start_us // every_us)
        is_down = verdict == _DOWN
        if merged and merged[-1][0] is is_down:
            merged[-1] = (is_down, merged[-1][1] + runs)
        else:
            merged.append((is_down, runs))
    return [(is_down, max(runs, 1)) for is_down, runs in merged]
