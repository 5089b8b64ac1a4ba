"""Macros of expectations (`all`, `map` and so on): which are refused, and how much one may be given.

A macro copies what it reads for every element that it visits, and `map` and `filter` copy their own result as well.
So the time goes with the square or the cube of the input, which a target chooses. What follows bounds it beforehand:
no macro inside another, none over what `map` made, and no more elements than can be visited at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vedette.shared.limits import (
    EXPECTATION_ELEMENTS_MAX,
    MACRO_COPIED_ELEMENTS_MAX,
    MACRO_ELEMENTS_MAX,
)

_MACRO: Final = re.compile(r"\.\s*(all|exists|exists_one|filter|map)\s*\(")
_STRING: Final = re.compile(
    r"[rR][bB]?(?:\'\'\'[\s\S]*?\'\'\'|\"\"\"[\s\S]*?\"\"\"|'[^']*'|\"[^\"]*\")"
    r"|\'\'\'(?:[^\\]|\\.)*?\'\'\'|\"\"\"(?:[^\\]|\\.)*?\"\"\""
    r"|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|//[^\n]*"
)
_COPYING: Final = re.compile(r"\.\s*(?:map|filter|split)\s*\(|\bmatches\s*\(")
_CHARS_AN_ELEMENT: Final = 64
_SINGLE: Final = frozenset({bool, int, float, type(None)})


@dataclass(frozen=True, slots=True)
class Cost:
    """How often an expression names each variable, and how many elements it may be given in all."""

    uses: Mapping[str, int]
    elements_max: int

    def is_too_large(self, read: Mapping[str, Any]) -> bool:
        """What is read has more elements than can be evaluated at once; a text counts by its length."""
        left = self.elements_max
        for name, value in read.items():
            elements = 1 if type(value) in _SINGLE else _elements(value, left)
            left -= self.uses.get(name, 1) * elements
            if left < 0:
                return True
        return False


def cost_of(text: str, names: frozenset[str]) -> Cost:
    """The cost of the expression `text`, which reads `names`."""
    plain = _blanked(text)
    if _MACRO.search(plain) is None:
        return Cost(dict.fromkeys(names, 1), EXPECTATION_ELEMENTS_MAX)
    uses = {name: len(re.findall(rf"(?<![\w.]){name}\b", plain)) or 1 for name in names}
    copies = _COPYING.search(plain) is not None
    return Cost(uses, MACRO_COPIED_ELEMENTS_MAX if copies else MACRO_ELEMENTS_MAX)


def macro_problem(text: str) -> tuple[int, str] | None:
    """Where a macro of `text` is refused (a column, from 1), and why."""
    plain = _blanked(text)
    found = list(_MACRO.finditer(plain))
    for match in found:
        inner = _MACRO.search(plain, match.end(), _closing(plain, match.end()))
        if inner is not None:
            why = (
                f"{inner[1]} stands inside {match[1]}, which takes its time squared: "
                "write one that needs no other inside, or an expectation for each"
            )
            return inner.start(1) + 1, why
    mapping = next((match for match in found if match[1] == "map"), None)
    if mapping is not None and len(found) > 1:
        why = (
            "map stands beside another macro, and what it makes can grow: compare inside one macro"
        )
        return mapping.start(1) + 1, why
    return None


def _elements(value: Any, most: int) -> int:
    """How many elements `value` has, itself and inside it; counting ends soon after `most`."""
    waiting, count = [value], 0
    while waiting and count <= most:
        one = waiting.pop()
        count += 1
        if isinstance(one, str | bytes):
            count += len(one) // _CHARS_AN_ELEMENT
        elif isinstance(one, Mapping):
            count += sum(len(str(key)) for key in one) // _CHARS_AN_ELEMENT
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
    return count


def _blanked(text: str) -> str:
    return _STRING.sub(lambda match: " " * len(match[0]), text)


def _closing(plain: str, start: int) -> int:
    """Where the bracket that was opened just before `start` closes."""
    depth = 1
    for place in range(start, len(plain)):
        depth += {"(": 1, ")": -1}.get(plain[place], 0)
        if depth == 0:
            return place
    return len(plain)
