"""What expectations cost: macros (`all`, `map` and so on) and joining texts, and how much each may be given.

A macro copies what it reads for every element that it visits, and `map` and `filter` copy their own result as well;
every + copies what the ones before it made. So the time goes with the square or the cube of the input, which a
target chooses. What follows bounds it beforehand: no macro inside another, none over what `map` made, and no
more elements than can be visited at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vedette.shared.limits import (
    EXPECTATION_ELEMENTS_MAX,
    EXPECTATION_JOINED_MAX,
    EXPECTATION_SEARCHED_MAX,
    MACRO_COPIED_ELEMENTS_MAX,
    MACRO_ELEMENTS_MAX,
)

_MACRO: Final = re.compile(r"\.\s*(all|exists|exists_one|filter|map)\s*\(")
_STRING: Final = re.compile(
    r"[rR][bB]?(?:\'\'\'[\s\S]*?\'\'\'|\"\"\"[\s\S]*?\"\"\"|'[^']*'|\"[^\"]*\")"
    r"|\'\'\'(?:[^\\]|\\.)*?\'\'\'|\"\"\"(?:[^\\]|\\.)*?\"\"\""
    r"|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|//[^\n]*"
)
# A name, or what stands below it, as a member of a list or a mapping that the expression makes.
_LISTED: Final = re.compile(r"[\[,{:]\s*[A-Za-z_](?:[\w.]|\[[^\[\]]*\])*\s*(?=[,\]}])")
_CALL: Final = re.compile(r"[A-Za-z_]\w*\s*\(")
_COPYING: Final = re.compile(r"\.\s*(?:map|filter|split)\s*\(|\bmatches\s*\(")
_CHARS_AN_ELEMENT: Final = 64
# What copying an element takes, against 64 characters.
_ELEMENT: Final = 4
WHOLE: Final = 1000
"""The thousandths that one expression may take."""
_TOO_LARGE: Final = WHOLE + 1
SINGLE: Final = frozenset({bool, int, float, type(None)})


@dataclass(frozen=True, slots=True)
class Size:
    """How large a value is: its elements, itself and inside it, and the characters of its texts and keys."""

    elements: int = 1
    chars: int = 0

    @property
    def weight(self) -> int:
        """Both in one number: a text counts as so many elements as it takes as long as."""
        return self.elements + self.chars // _CHARS_AN_ELEMENT


_ONE: Final = Size()


def size_of(value: Any) -> Size:
    """The size of `value`; counting ends soon after the most elements that any expression may have."""
    if type(value) in SINGLE:
        return _ONE
    waiting, elements, chars = [value], 0, 0
    while waiting and elements <= EXPECTATION_ELEMENTS_MAX:
        one = waiting.pop()
        elements += 1
        if type(one) in SINGLE:
            continue
        if isinstance(one, str | bytes):
            chars += len(one)
        elif isinstance(one, dict):
            chars += sum([len(str(key)) for key in one])
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
    return Size(elements, chars)


@dataclass(frozen=True, slots=True)
class Cost:
    """How often an expression names each variable, how many elements it may be given in all, and what it joins."""

    uses: Mapping[str, int]
    elements_max: int
    joins: int = 0
    listed: int = 0
    calls: int = 0
    has_macro: bool = False

    @property
    def is_free(self) -> bool:
        """It has neither macros nor anything to join: what it reads needs to be measured only where it is large."""
        return not (self.has_macro or self.joins or self.listed or self.calls)

    def refusal(self, sizes: Mapping[str, Size]) -> str:
        """What is too large about values of these sizes, for whoever meets the bound."""
        read = [sizes[name] for name in self.uses if name in sizes]
        elements, chars = sum(size.elements for size in read), sum(size.chars for size in read)
        most = (
            f"{EXPECTATION_ELEMENTS_MAX:,} or more"
            if elements > EXPECTATION_ELEMENTS_MAX
            else f"{elements:,}"
        )
        found = f"{most} elements with {chars:,} characters"
        if self.has_macro:
            most = f"macros visit at most {self.elements_max:,} elements here"
            return (
                f"{found}, and {most}: each use of a variable counts, and a long text by its length"
            )
        if elements > self.elements_max:
            return f"{found}, and at most {self.elements_max:,} elements are handed over"
        return f"{found} are copied or searched too often: write several expectations of it"

    def share(self, sizes: Mapping[str, Size]) -> int:
        """What evaluating over values of these sizes takes, in thousandths of what one expression may.

        Above WHOLE it may not be evaluated. Without a macro, elements cost only until they are handed over, which is done once for a check.
        """
        if not self.has_macro:
            elements = sum(sizes[name].elements for name in self.uses if name in sizes)
            if elements > self.elements_max:
                return _TOO_LARGE
            chars = sum(sizes[name].chars for name in self.uses if name in sizes)
            searched = self.calls * chars * WHOLE // EXPECTATION_SEARCHED_MAX
            return searched + self._copied(elements, chars)
        weight = sum(
            times * sizes[name].weight for name, times in self.uses.items() if name in sizes
        )
        if weight > self.elements_max:
            return _TOO_LARGE
        share = weight * weight * WHOLE // self.elements_max**2
        return max(share, self._copied(weight, 0))

    def _copied(self, elements: int, chars: int) -> int:
        """The share of what + joins, and of what is put into lists and mappings that the expression makes."""
        joined = self.joins**2 * (_ELEMENT * elements + chars // _CHARS_AN_ELEMENT)
        return (joined + self.listed * _ELEMENT * elements) * WHOLE // EXPECTATION_JOINED_MAX


def cost_of(text: str, names: frozenset[str]) -> Cost:
    """The cost of the expression `text`, which reads `names`."""
    plain = blanked(text)
    joins, listed = plain.count("+"), len(_LISTED.findall(plain))
    if _MACRO.search(plain) is None:
        calls = len(_CALL.findall(plain))
        return Cost(dict.fromkeys(names, 1), EXPECTATION_ELEMENTS_MAX, joins, listed, calls)
    uses = {name: len(re.findall(rf"(?<![\w.]){name}\b", plain)) or 1 for name in names}
    copies = _COPYING.search(plain) is not None
    most = MACRO_COPIED_ELEMENTS_MAX if copies else MACRO_ELEMENTS_MAX
    return Cost(uses, most, joins, listed, has_macro=True)


def macro_problem(text: str) -> tuple[int, str] | None:
    """Where a macro of `text` is refused (a column, from 1), and why."""
    plain = blanked(text)
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


def blanked(text: str) -> str:
    """`text` with its string literals and comments blanked, every other character in its place."""
    return _STRING.sub(lambda match: " " * len(match[0]), text)


def _closing(plain: str, start: int) -> int:
    """Where the bracket that was opened just before `start` closes."""
    depth = 1
    for place in range(start, len(plain)):
        depth += {"(": 1, ")": -1}.get(plain[place], 0)
        if depth == 0:
            return place
    return len(plain)
