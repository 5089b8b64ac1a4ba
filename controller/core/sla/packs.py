"""Which periods a pack of reports consists of: the one that is asked for, and the months that it is made of."""

import re
from typing import Final

_QUARTER: Final = re.compile(r"(\d{4})-Q([1-4])")
_YEAR: Final = re.compile(r"\d{4}")


def pack_labels(label: str) -> list[str]:
    """The label itself, then the months of a quarter, or the quarters of a year (X-64). Of others none."""
    if quarter := _QUARTER.fullmatch(label):
        first = 3 * int(quarter[2]) - 2
        return [label, *(f"{quarter[1]}-{month:02}" for month in range(first, first + 3))]
    if _YEAR.fullmatch(label):
        return [label, *(f"{label}-Q{number}" for number in range(1, 5))]
    return [label]
