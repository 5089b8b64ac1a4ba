"""Pauses of an outage: when the clocks of people stand still (S-47), as people declared them.

A pause is declared and taken back by remarks, in that order and never at once. Each says from when on it
holds, which may be a little before it was said; both instants are kept.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from controller.core.instants import instant_text, length_text
from controller.core.intervals import FOREVER_US, Interval

# So much may a pause begin or end before it is declared: a call is taken first and written down after.
BACKDATED_US_MAX: Final = 3600 * 1_000_000


class Mark(NamedTuple):
    """That clocks stand still (or run again) from `from_us` on, declared at `declared_us`."""

    is_pause: bool
    from_us: int
    declared_us: int


class Spell(NamedTuple):
    """What an outage is at a moment: its time, as far as it is known."""

    started_us: int
    ended_us: int | None


def pauses(marks: Iterable[Mark]) -> list[Interval]:
    """The pauses that marks make, in the order in which they were declared; an open one has no end."""
    found: list[Interval] = []
    since_us: int | None = None
    for mark in marks:
        if mark.is_pause:
            since_us = mark.from_us
        elif since_us is not None:
            if since_us < mark.from_us:
                found.append(Interval(since_us, mark.from_us))
            since_us = None
    return found if since_us is None else [*found, Interval(since_us, FOREVER_US)]


def refusal(before: Sequence[Mark], new: Mark, spell: Spell) -> str | None:
    """Why a mark cannot be, after those `before` it, on an outage of that time; None if it can."""
    is_paused = bool(before) and before[-1].is_pause
    if new.is_pause and is_paused:
        return f"is paused already, since {instant_text(before[-1].from_us)}"
    if not new.is_pause and not is_paused:
        return "is not paused, so there is nothing to resume"
    if new.is_pause and spell.ended_us is not None:
        return f"is over since {instant_text(spell.ended_us)}, and its clocks with it"
    return _time_refusal(before, new, spell)


def _time_refusal(before: Sequence[Mark], new: Mark, spell: Spell) -> str | None:
    at = instant_text(new.from_us)
    if new.from_us > new.declared_us:
        return f"cannot be told of {at}: that is not before now ({instant_text(new.declared_us)})"
    if new.declared_us - new.from_us > BACKDATED_US_MAX:
        most = length_text(BACKDATED_US_MAX)
        return (
            f"cannot be told of {at}: more than {most} afterwards nobody has to believe it."
            " Say it with `vedette outage annotate`, which changes no clock"
        )
    if before and new.from_us < before[-1].from_us:
        did = "paused" if before[-1].is_pause else "resumed"
        return f"was {did} at {instant_text(before[-1].from_us)}, which is later than {at}"
    if new.from_us < spell.started_us:
        return f"began at {instant_text(spell.started_us)}, which is later than {at}"
    if spell.ended_us is not None and new.from_us >= spell.ended_us:
        over = instant_text(spell.ended_us)
        return f"is over since {over}, and its pause ended with it: expected --at before that"
    return None
