"""Handles of outages, as people write them."""

import re
from typing import Final

from controller.errors import BadInput

_HANDLE: Final = re.compile(r"(?:OUT-)?([1-9][0-9]{0,17})", re.IGNORECASE)


def number_of(handle: str) -> int:
    """The number of OUT-12, out-12 or 12. BadInput if it is none."""
    match = _HANDLE.fullmatch(handle)
    if match is None:
        raise BadInput(f"Expected the handle of an outage such as OUT-12, found {handle!r}.")
    return int(match[1])
