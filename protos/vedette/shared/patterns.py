"""Regular expressions that match in linear time, whatever text and pattern are (RE2).

Python's own take exponential time on some patterns, and would stop every probe of an agent for as long.
Linear still is steps of the pattern times length of the text, so whoever matches bounds their product.
"""

from functools import lru_cache
from typing import Any, Final

import re2

from vedette.shared.limits import (
    MATCH_STEPS_MAX,
    PATTERN_MEMORY_BYTES_MAX,
    PATTERN_STEPS_MAX,
    PATTERNS_KEPT_MAX,
)


class BadPattern(ValueError):
    """A text that is no regular expression. The message says why."""


class Pattern:
    """A compiled pattern over bytes: what a target sends need not be text."""

    def __init__(self, text: str) -> None:
        self._compiled = _compiled(text, _OF_BYTES, PATTERN_STEPS_MAX)
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


class TextPattern:
    """A compiled pattern over text. `steps` is what a match can take at most, for each byte of the text."""

    def __init__(self, text: str) -> None:
        self._compiled = _compiled(text, _OF_TEXT, MATCH_STEPS_MAX)
        self.steps: int = self._compiled.programsize

    def is_in(self, text: bytes) -> bool:
        """It matches somewhere in `text`, which is UTF-8. Other threads run meanwhile."""
        return self._compiled.search(text) is not None


@lru_cache(maxsize=PATTERNS_KEPT_MAX)
def pattern_of(text: str) -> Pattern:
    """The pattern over bytes that `text` says. BadPattern if it says none, or one that is too large."""
    return Pattern(text)


@lru_cache(maxsize=PATTERNS_KEPT_MAX)
def text_pattern_of(text: str) -> TextPattern:
    """The pattern over text that `text` says. BadPattern if it says none, or one that is too large."""
    return TextPattern(text)


def _compiled(text: str, options: Any, steps_max: int) -> Any:
    try:
        compiled = re2.compile(text.encode(errors="replace"), options)
    except re2.error as error:
        raise BadPattern(_reason(error)) from error
    steps = compiled.programsize
    if steps > steps_max:
        most = f"of at most {steps_max} steps; this one has {steps}: repeat fewer times"
        raise BadPattern(most)
    return compiled


def _options(encoding: Any) -> Any:
    options = re2.Options()
    options.encoding = encoding
    options.max_mem = PATTERN_MEMORY_BYTES_MAX
    options.log_errors = False
    return options


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else "not a regular expression"
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


_OF_BYTES: Final = _options(re2.Options.Encoding.LATIN1)
_OF_TEXT: Final = _options(re2.Options.Encoding.UTF8)
