"""Which report somebody wants: a revision, an instant, or what is known now."""

from dataclasses import dataclass
from typing import Any, Final

import click

from controller.core.instants import EXPECTED, instant
from controller.errors import BadInput

NOW: Final = "now"
# Microseconds since 1970 have more digits than anybody issues revisions.
_REVISION_DIGITS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A revision, or as of an instant, or a fresh one; without any of these the last that was issued."""

    as_of_us: int | None = None
    revision: int = 0
    is_fresh: bool = False


class AsOfType(click.ParamType[int | str]):
    """An instant, or `now`."""

    name = "instant"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | str:
        """Microseconds since the Unix epoch, or `now`."""
        if isinstance(value, int):
            return value
        if value == NOW:
            return NOW
        try:
            return instant(value)
        except ValueError:
            self.fail(f"expected `now`, or {EXPECTED}, found {value!r}", param, ctx)


def wanted(as_of: int | str | None, revision: int | None) -> Wanted:
    """What these options ask for."""
    if as_of is not None and revision is not None:
        raise BadInput("Expected --as-of or --revision, found both: a revision has its instant.")
    if isinstance(as_of, str):
        return Wanted(is_fresh=True)
    return Wanted(as_of, revision or 0)


def side(name: str, text: str) -> Wanted:
    """What one of two arguments asks for: `1`, an instant, or `now`."""
    if text == NOW:
        return Wanted(is_fresh=True)
    if text.isdecimal() and len(text) <= _REVISION_DIGITS_MAX:
        if not int(text):
            raise BadInput(f"{name}: expected a revision from 1, found {text}.")
        return Wanted(revision=int(text))
    try:
        return Wanted(instant(text))
    except ValueError as error:
        expected = "a revision from 1, `now`, or an instant as 2026-07-04T00:00:00Z"
        raise BadInput(f"{name}: expected {expected}, found {text!r}.") from error
