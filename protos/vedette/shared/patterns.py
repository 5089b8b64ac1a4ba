"""Regular expressions that match in linear time, whatever text and pattern are (RE2).

Python's own take exponential time on some patterns, and would stop every probe of an agent for as long.
Expectations use the same syntax: their `matches` is of the same family.
"""

from functools import lru_cache
from typing import Any, Final

import re2

from vedette.shared.limits import PATTERN_MEMORY_BYTES_MAX, PATTERN_STEPS_MAX


class BadPattern(ValueError):
    """A text that is no regular expression. The message says why."""


class Pattern:
    """A compiled pattern over bytes: what a target sends need not be text."""

    def __init__(self, text: str) -> None:
        try:
            self._compiled: Any = re2.compile(text.encode(), _OPTIONS)
        except re2.error as error:
            raise BadPattern(_reason(error)) from error
        steps = self._compiled.programsize
        if steps > PATTERN_STEPS_MAX:
            most = f"of at most {PATTERN_STEPS_MAX} steps; this one has {steps}: repeat fewer times"
            raise BadPattern(most)
        named = {number: name.decode() for name, number in self._compiled.groupindex.items()}
        self.text = text
        self.groups: tuple[str, ...] = tuple(
            named.get(number, str(number)) for number in range(1, self._compiled.groups + 1)
        )
        """The names of its groups in order; the number of one that has none."""

    def found_in(
        self, data: bytes, begin: int = 0, end: int | None = None
    ) -> "tuple[int, dict[str, str]] | None":
        """(end of the first match, text of every group) in `data`; None if it does not match.

        The match lies between `begin` and `end`; `^` and `$` still are where `data` begins and ends.
        A group that took no part is empty. Bytes that are no UTF-8 become replacement characters.
        """
        match = self._compiled.search(data, begin, len(data) if end is None else end)
        if match is None:
            return None
        values = (match.group(number) or b"" for number in range(1, len(self.groups) + 1))
        texts = (value.decode("utf-8", "replace") for value in values)
        return match.end(), dict(zip(self.groups, texts, strict=True))


@lru_cache(maxsize=4096)
def pattern_of(text: str) -> Pattern:
    """The pattern that `text` says. BadPattern if it says none, or one that is too large."""
    return Pattern(text)


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = PATTERN_MEMORY_BYTES_MAX
    options.log_errors = False
    return options


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else "not a regular expression"
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


_OPTIONS: Final = _options()
