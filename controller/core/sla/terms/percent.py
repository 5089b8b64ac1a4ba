"""Percentages as people write them, exactly."""

from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Final

from msgspec import Meta

from vedette.shared.probes import Finding

Decimal = Annotated[
    str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?$", description='a decimal in quotes: "99.9"')
]
_FULL: Final = 100
# The same few texts are read for every period of every contract.
_TEXTS_MAX: Final = 4096


@lru_cache(maxsize=_TEXTS_MAX)
def share_of_percent(text: str) -> Fraction:
    """A percentage as a share of 1."""
    return Fraction(text) / _FULL


def percent_findings(*said: tuple[str, str]) -> list[Finding]:
    """The fields among these (name, percentage) that are more than all there is."""
    return [((name,), "at most 100", text) for name, text in said if share_of_percent(text) > 1]
