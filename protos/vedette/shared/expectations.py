"""Expectations: CEL expressions over what a probe saw, checked when a definition is read.

Compiling is shared, so that what `plan` accepts is what an agent can run. Evaluating is the agent's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from vedette.shared.cel_library import cel
from vedette.shared.definitions import KINDS, Check
from vedette.shared.macros import Cost, cost_of, macro_problem
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
_MATCHES: Final = re.compile(r"\bmatches\(\s*(r?(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'))\s*\)")
_RCODE: Final = re.compile(r"\brcode\s*(?:[!=]=\s*([\"'])(?P<one>.*?)\1|in\s*\[(?P<list>[^\]]*)\])")
_QUOTED: Final = re.compile(r"[\"'](.*?)[\"']")


class BadExpectation(ValueError):
    """An expression that cannot be used: where in it, and why."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        super().__init__(f"{reason} (column {column})" if column else reason)
        self.text = text
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Expectation:
    """A compiled expression. `program.execute(variables)` evaluates it; `names` are the variables it reads."""

    text: str
    program: Any
    names: frozenset[str]
    cost: Cost


@lru_cache(maxsize=4096)
def compiled(text: str, kind: str) -> Expectation:
    """The expression `text` for probes of `kind`.

    BadExpectation if it cannot be parsed, reads a name that such a probe never has, holds a regular
    expression that is none, compares with a response code that does not exist, or nests macros.
    """
    try:
        program = cel.compile(text)
    except ValueError as error:
        match = _PLACE.search(str(error))
        raise BadExpectation(
            text, int(match[2]) if match else 0, match[3] if match else str(error)
        ) from error
    names = frozenset(str(name) for name in program.variables())
    names -= set(_BOUND.findall(text)) - VARIABLES[kind]
    unknown = sorted(names - VARIABLES[kind])
    if unknown:
        known = ", ".join(sorted(VARIABLES[kind]))
        column = text.find(unknown[0]) + 1
        raise BadExpectation(
            text, column, f"unknown variable {unknown[0]}; a {kind} probe has {known}"
        )
    if (nested := macro_problem(text)) is not None:
        raise BadExpectation(text, *nested)
    _check_patterns(text)
    if kind == "dns":
        _check_rcodes(text)
    return Expectation(text, program, names, cost_of(text, names))


def problems_of_expectations(check: Check) -> Iterator[Finding]:
    """What is wrong with the expectations of `check`: (path, expected, found) each."""
    for kind in KINDS:
        probe = getattr(check, kind)
        for place, text in enumerate(getattr(probe, "expect", ())):
            try:
                compiled(text, kind)
            except BadExpectation as error:
                yield (kind, "expect", place), f"a CEL expression ({error})", repr(text)


def _check_patterns(text: str) -> None:
    """Refuse literal patterns that can never match, because they are not regular expressions."""
    for match in _MATCHES.finditer(text):
        try:
            cel.evaluate(f"''.matches({match[1]})")
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[-1].removeprefix("error: ").split(". Check")[0]
            raise BadExpectation(
                text, match.start(1) + 1, f"not a regular expression: {reason}"
            ) from error


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
