"""Expectations: CEL expressions over what a probe saw, checked when a definition is read.

Compiling is shared, so that what `plan` accepts is what an agent can run. Evaluating is the agent's.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from vedette.shared.cel_library import cel
from vedette.shared.definitions import KINDS, Check
from vedette.shared.limits import EXPECTATION_CHARS_MAX, MATCH_STEPS_MAX
from vedette.shared.macros import Cost, blanked, cost_of, macro_problem
from vedette.shared.patterns import BadPattern, text_pattern_of
from vedette.shared.probes import PROBES, Finding

VARIABLES: Final = {kind: probe.variables for kind, probe in PROBES.items()}
RCODES: Final = frozenset({
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI", "BADVERS", "BADSIG", "BADKEY", "BADTIME",
    "BADMODE", "BADNAME", "BADALG", "BADTRUNC", "BADCOOKIE",
})  # fmt: skip

_PLACE: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_BOUND: Final = re.compile(
    r"\.(?:all|exists|exists_one|filter|map)\(\s*([A-Za-z_]\w*)\s*,"
)  # names that a macro binds
_LIKED: Final = re.compile(r" expecting (?:\{.*\}|'[^']*'|<EOF>)$")
_ADVICE: Final = {
    r"token recognition error at: '= ?": "write == to compare",
    r"input 'and'": "write && for and",
    r"input 'or'": "write || for or",
    r"input 'not'": "write ! for not",
    r"input 'contains'": "write text.contains('part'), or 'item' in list",
}
_CALL: Final = re.compile(r"\bmatches(?=\s*\()")
_LITERAL: Final = re.compile(r"\s*\(\s*([rR]?(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'))\s*\)")
_RCODE: Final = re.compile(r"\brcode\s*(?:[!=]=\s*([\"'])(?P<one>.*?)\1|in\s*\[(?P<list>[^\]]*)\])")
_QUOTED: Final = re.compile(r"[\"'](.*?)[\"']")


FUNCTIONS: Final = frozenset({
    "size", "contains", "startsWith", "endsWith", "matches", "int", "uint", "double", "string", "bytes",
    "timestamp", "duration", "type", "dyn", "has", "all", "exists", "exists_one", "filter", "map",
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours",
    "getMinutes", "getSeconds", "getMilliseconds",
})  # fmt: skip
# What `matches` is called in a program: the library's own would stop everything for as long as it takes.
MATCHING: Final = "matched"


class BadExpectation(ValueError):
    """An expression that cannot be used: where in it, and why."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        super().__init__(f"{reason} (column {column})" if column else reason)
        self.text = text
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Expectation:
    """A compiled expression. `program.execute(context)` evaluates it; `names` are the variables it reads.

    The context has a function MATCHING(text, pattern) where `match_steps` is not 0: the steps of its patterns
    together, with the most that there can be for one that is not known yet.
    """

    text: str
    program: Any
    names: frozenset[str]
    cost: Cost
    match_steps: int = 0


@lru_cache(maxsize=4096)
def compiled(text: str, kind: str) -> Expectation:
    """The expression `text` for probes of `kind`.

    BadExpectation if it cannot be parsed, reads a name that such a probe never has, calls a function that there
    is not, holds a regular expression that is none, compares with a response code that does not exist, or
    nests macros.
    """
    try:
        program = cel.compile(text)
    except ValueError as error:
        match = _PLACE.search(str(error))
        column, reason = (int(match[2]), match[3]) if match else (0, str(error))
        raise BadExpectation(text, column, _advised(reason)) from error
    _check_functions(text, program)
    names = frozenset(str(name) for name in program.variables())
    names -= set(_BOUND.findall(text)) - VARIABLES[kind]
    unknown = sorted(names - VARIABLES[kind])
    if unknown:
        known = ", ".join(sorted(VARIABLES[kind]))
        column = text.find(unknown[0]) + 1
        reason = f"unknown variable {unknown[0]}; {kind} probes have {known}"
        raise BadExpectation(text, column, reason + _header_advice(text, unknown[0]))
    if (nested := macro_problem(text)) is not None:
        raise BadExpectation(text, *nested)
    if kind == "dns":
        _check_rcodes(text)
    steps = _match_steps(text)
    if steps:
        program = cel.compile(_with_matching(text))
    return Expectation(text, program, names, cost_of(text, names), steps)


def problems_of_expectations(check: Check) -> Iterator[Finding]:
    """What is wrong with the expectations of `check`: (path, expected, found) each."""
    for kind in KINDS:
        yield from problems_of_texts(kind, getattr(getattr(check, kind), "expect", ()))


def problems_of_texts(kind: str, texts: Iterable[object]) -> Iterator[Finding]:
    """What is wrong with the expectations `texts` of a probe of `kind`; what is no text is passed over."""
    for place, text in enumerate(texts):
        if not isinstance(text, str) or not 0 < len(text) <= EXPECTATION_CHARS_MAX:
            continue
        try:
            compiled(text, kind)
        except BadExpectation as error:
            yield (kind, "expect", place), f"a CEL expression ({error})", repr(text)


def _advised(reason: str) -> str:
    """What the parser says, without the tokens that it would have liked, and with what was probably meant."""
    if "Recursion limit" in reason:
        return "brackets or operators nested too deep"
    said = _LIKED.sub("", reason).replace("'<EOF>'", "the end")
    for pattern, advice in _ADVICE.items():
        if re.search(pattern, said):
            return f"{said}; {advice}"
    return said


def _header_advice(text: str, unknown: str) -> str:
    """For `headers.content-type`, which is a subtraction."""
    match = re.search(rf"\bheaders(?:_all)?\.(\w+(?:-\w+)*)-{unknown}\b", text)
    return "" if match is None else f"; write headers['{match[1].lower()}-{unknown.lower()}']"


def _check_functions(text: str, program: Any) -> None:
    """Refuse functions that there are not: the library would only say so of every run."""
    for name in program.functions():
        if name.isidentifier() and not name.startswith("_") and name not in FUNCTIONS:
            column = text.find(name) + 1
            known = ", ".join(sorted(FUNCTIONS))
            raise BadExpectation(text, column, f"unknown function {name}; there are {known}")


def _match_steps(text: str) -> int:
    """The steps of all patterns in `text`. Literal ones that are no regular expressions are refused."""
    plain, steps = blanked(text), 0
    for call in _CALL.finditer(plain):
        literal = _LITERAL.match(text, call.end())
        if literal is None:
            steps += MATCH_STEPS_MAX
            continue
        try:
            steps += text_pattern_of(str(cel.evaluate(literal[1]))).steps
        except (BadPattern, ValueError) as error:
            reason = f"not a regular expression: {error}"
            raise BadExpectation(text, literal.start(1) + 1, reason) from error
    return steps


def _with_matching(text: str) -> str:
    """`text` with our own function for `matches`, of the same length."""
    parts, end = [], 0
    for call in _CALL.finditer(blanked(text)):
        parts += [text[end : call.start()], MATCHING]
        end = call.end()
    return "".join([*parts, text[end:]])


def _check_rcodes(text: str) -> None:
    """Refuse response codes that do not exist: comparing with one is never what was meant."""
    for match in _RCODE.finditer(text):
        words = [match["one"]] if match["list"] is None else _QUOTED.findall(match["list"])
        for word in words:
            if word not in RCODES:
                column = text.find(word, match.start()) + 1
                known = ", ".join(sorted(RCODES))
                raise BadExpectation(
                    text, column, f"unknown response code {word}; there are {known}"
                )
