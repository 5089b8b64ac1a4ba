"""What the parts of a check share: how strict they are, and the kinds of text that stand in them."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from vedette.shared.durations import EXPECTED, PATTERN
from vedette.shared.limits import EXPECTATION_CHARS_MAX, EXPECTATIONS_MAX

DurationText = Annotated[str, Meta(pattern=PATTERN, description=EXPECTED)]
Expectations = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=EXPECTATION_CHARS_MAX)]],
    Meta(max_length=EXPECTATIONS_MAX, description="CEL expressions that must all be true"),
]
Finding = tuple[tuple[str | int, ...], str, str]
"""(path, expected, found): one thing that is wrong."""


class Family(StrEnum):
    """Which addresses of a name are used."""

    ANY = "any"
    IPV4 = "ipv4"
    IPV6 = "ipv6"


class Part(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A part of a check. Unknown keys are refused: a misspelt one must not silently do nothing."""
