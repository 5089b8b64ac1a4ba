"""Expectations: CEL expressions over what a probe saw, checked when a definition is read.

Compiling is shared, so that what `plan` accepts is what an agent can run. Evaluating is the agent's.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cel

VARIABLES: Final[dict[str, frozenset[str]]] = {
    "http": frozenset({
        "status", "reason", "version", "headers", "headers_all", "body", "body_size", "body_sha256",
        "json", "hops", "url", "addr", "tls", "phases", "took_ms",
    }),
    "dns": frozenset({
        "rcode", "flags", "answers", "authority", "additional", "records", "ttl_min", "server",
        "transport", "took_ms",
    }),
    "icmp": frozenset({"sent", "received", "loss", "rtt_ms", "addr", "ttl"}),
}  # fmt: skip

_PLACE: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")


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


@lru_cache(maxsize=4096)
def compiled(text: str, kind: str) -> Expectation:
    """The expression `text` for probes of `kind`. BadExpectation if it cannot be parsed or reads unknown names."""
    try:
        program = cel.compile(text)
    except ValueError as error:
        match = _PLACE.search(str(error))
        raise BadExpectation(
            text, int(match[2]) if match else 0, match[3] if match else str(error)
        ) from error
    names = frozenset(str(name) for name in program.variables())
    unknown = sorted(names - VARIABLES[kind])
    if unknown:
        known = ", ".join(sorted(VARIABLES[kind]))
        column = text.find(unknown[0]) + 1
        raise BadExpectation(
            text, column, f"unknown variable {unknown[0]}; a {kind} probe has {known}"
        )
    return Expectation(text, program, names)
