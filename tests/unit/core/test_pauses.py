"""Pauses: what declarations make of them, and which declarations cannot be."""

import pytest

from controller.core.instants import instant
from controller.core.intervals import FOREVER_US, Interval
from controller.core.pauses import BACKDATED_US_MAX, Mark, Spell, pauses, refusal

MINUTE = 60 * 1_000_000
START = instant("2026-06-10T10:00:00Z")
OPEN = Spell(START, None)
CLOSED = Spell(START, START + 30 * MINUTE)


def mark(*, is_pause: bool, minute: int, said: int | None = None) -> Mark:
    return Mark(
        is_pause, START + minute * MINUTE, START + (minute if said is None else said) * MINUTE
    )


PAUSED = mark(is_pause=True, minute=5)
RESUMED = mark(is_pause=False, minute=15)


def test_s47_pauses_follow_the_declarations() -> None:
    assert pauses([]) == []
    assert pauses([PAUSED]) == [Interval(PAUSED.from_us, FOREVER_US)]
    again = mark(is_pause=True, minute=20)
    assert pauses([PAUSED, RESUMED, again]) == [
        Interval(PAUSED.from_us, RESUMED.from_us),
        Interval(again.from_us, FOREVER_US),
    ]
    assert pauses([PAUSED, mark(is_pause=False, minute=5)]) == [], "it lasted no time"


@pytest.mark.parametrize(
    ("before", "new", "spell"),
    [
        pytest.param([], PAUSED, OPEN, id="a pause now"),
        pytest.param([PAUSED], RESUMED, OPEN, id="its end"),
        pytest.param([], mark(is_pause=True, minute=0, said=60), OPEN, id="said an hour later"),
        pytest.param(
            [PAUSED],
            mark(is_pause=False, minute=29, said=40),
            CLOSED,
            id="its end, after that of all",
        ),
    ],
)
def test_s47_what_may_be_declared(before: list[Mark], new: Mark, spell: Spell) -> None:
    assert refusal(before, new, spell) is None


@pytest.mark.parametrize(
    ("before", "new", "spell", "why"),
    [
        ([PAUSED], mark(is_pause=True, minute=6), OPEN, "is paused already, since 2026-06-10T10:05:00Z"),
        ([], RESUMED, OPEN, "is not paused, so there is nothing to resume"),
        ([PAUSED, RESUMED], RESUMED, OPEN, "is not paused"),
        ([], mark(is_pause=True, minute=40), CLOSED, "is over since 2026-06-10T10:30:00Z"),
        ([PAUSED], mark(is_pause=False, minute=40), CLOSED, "its pause ended with it"),
        ([], mark(is_pause=True, minute=9, said=8), OPEN, "is not before now"),
        ([], mark(is_pause=True, minute=0, said=61), OPEN, "more than 1h afterwards"),
        ([PAUSED], mark(is_pause=False, minute=4, said=9), OPEN, "was paused at"),
        ([PAUSED, RESUMED], mark(is_pause=True, minute=14, said=16), OPEN, "was resumed at"),
        ([], mark(is_pause=True, minute=-1, said=1), OPEN, "began at 2026-06-10T10:00:00Z"),
    ],
)  # fmt: skip
def test_s47_what_makes_no_sense_is_refused(
    before: list[Mark], new: Mark, spell: Spell, why: str
) -> None:
    assert BACKDATED_US_MAX == 60 * MINUTE
    assert why in (refusal(before, new, spell) or "")
