"""What can be said of a part of a file from which something had to be left out, because it could not be read.

All that is wrong is to be told at once. But what hangs on a value that was left out would be judged by its default,
and blame what is right.
"""

from collections.abc import Iterable, Iterator, Set
from typing import Final

from vedette.shared.documents import Path
from vedette.shared.probes import Finding

# What is said of these hangs on the others: with one of them unread, nothing is said of any.
_TOGETHER: Final = frozenset({"every", "timeout", "degraded_over", "quorum", "outage"})


def sayable(found: Iterable[Finding], left_out: Set[Path]) -> Iterator[Finding]:
    """Those of `found` that hold whatever stood at the paths in `left_out`.

    A key that was left out silences all that stands under the same topmost key; an item of a list only that list, whose
    other items moved up.
    """
    keys = {path[0] for path in left_out if path and not isinstance(path[-1], int)}
    lists = {path[:-1] for path in left_out if path and isinstance(path[-1], int)}
    silent = keys | (_TOGETHER if keys & _TOGETHER else frozenset())
    for finding in found:
        where = finding[0]
        is_below = any(where[: len(path)] == path for path in lists)
        if not left_out or (where and where[0] not in silent and not is_below):
            yield finding
