"""`matches` of expectations: patterns over texts, both bounded, because either may be a target's.

A match takes as long as the pattern has steps and the text has bytes, multiplied. What all matches of one
evaluation take together has a bound; one that goes beyond it is not begun.
"""

from typing import Any, Final

from vedette.shared.limits import MATCH_WORK_MAX, PATTERN_CHARS_MAX
from vedette.shared.patterns import BadPattern, text_pattern_of

# What compiling a pattern takes, as bytes of text.
_COMPILING_BYTES: Final = 256


class Matching:
    """The function that programs call. It gives nothing, and says why in `problem`, where it cannot match."""

    def __init__(self) -> None:
        self._left = MATCH_WORK_MAX
        self.problem: str | None = None

    def begin(self) -> None:
        """Another expectation begins: what it cannot match is its own problem."""
        self.problem = None

    def __call__(self, text: Any = None, pattern: Any = None, *more: Any) -> bool | None:
        """Whether `pattern` matches somewhere in `text`."""
        if self.problem is not None:
            return None
        if not isinstance(text, str) or not isinstance(pattern, str) or more:
            self.problem = "matches() takes a text and a pattern"
            return None
        if len(pattern) > PATTERN_CHARS_MAX:
            self.problem = f"matches() takes a pattern of up to {PATTERN_CHARS_MAX} characters"
            return None
        try:
            compiled = text_pattern_of(pattern)
        except BadPattern:
            # One that stands in the expression was read by `plan`: this one is what the target sent.
            self.problem = (
                "matches() takes a regular expression, and was given none, or one too long"
            )
            return None
        data = text.encode(errors="replace")
        work = compiled.steps * (len(data) + _COMPILING_BYTES)
        if work > self._left:
            self.problem = (
                f"too large to evaluate: a pattern of {compiled.steps} steps over {len(data):,} bytes; "
                "take a shorter pattern, with fewer repetitions, or a smaller page"
            )
            return None
        self._left -= work
        return compiled.is_in(data)
