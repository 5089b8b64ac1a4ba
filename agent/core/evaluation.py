"""Expectations of a check, evaluated over what its probe saw, within bounds that a target cannot move.

Evaluating keeps this process's other probes waiting, and its time goes with what the target sent. So every
expression has a bound, all expressions of a check together have one, and what cannot be counted beforehand
(patterns) is counted while it goes on. All bounds are in sizes and not in time: the same answer is judged the
same on every machine.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from agent.core.assertions import Assertion, result_shown
from agent.core.matching import Matching
from vedette.shared.cel_library import cel
from vedette.shared.definitions import Check
from vedette.shared.expectations import MATCHING, Expectation, compiled
from vedette.shared.failure import Failure
from vedette.shared.limits import (
    EXPECTATION_ELEMENTS_MAX,
    EXPECTATION_SHARES_MAX,
    LIGHT_ELEMENTS_MAX,
    LIGHT_MATCH_WORK_MAX,
    LIGHT_SHARES_MAX,
    SHOWN_CHARS_MAX,
)
from vedette.shared.macros import SINGLE, WHOLE, Size, size_of
from vedette.shared.probes import DnsProbe, HttpProbe

# What holds where a check says nothing, and the kind of failure that it is when it does not.
DEFAULTS: Final[Mapping[str, Sequence[tuple[str, Failure]]]] = {
    "http": (("status >= 200 && status < 300", Failure.BAD_STATUS),),
    "dns": (
        ("rcode == 'NOERROR'", Failure.BAD_RCODE),
        ("size(answers) > 0", Failure.NO_ANSWER),
    ),
    "icmp": (("received > 0", Failure.NO_REPLY),),
    "tcp": (("connected", Failure.CONNECT_REFUSED),),
}
# Where redirects are not followed, the redirect itself is the answer.
_UNFOLLOWED: Final = ("status >= 200 && status < 400", Failure.BAD_STATUS)
# Added to the default ones of a DNS check that asks for these things.
_DNSSEC: Final = ("dnssec.state == 'secure'", Failure.DNSSEC_INVALID)
_SERIALS: Final = ("serials_equal", Failure.SERIALS_DIFFER)
_CALLED: Final = re.compile(r"(?:function: '|Function ')(\w+)'")
_TAKES: Final[Mapping[str, str]] = {
    "size": "a text, a list or a mapping",
    **dict.fromkeys(("contains", "startsWith", "endsWith"), "texts"),
    "timestamp": "a text such as '2026-01-31T12:00:00Z'",
    "duration": "a text such as '90s'",
    **dict.fromkeys(("int", "uint", "double"), "a number, or a text that is one"),
}
_UNFIT: Final = (
    "the types do not fit: a text, a number and true or false cannot be compared or joined"
)


@dataclass(frozen=True)
class Expected:
    """What a check expects, each with its kind of failure."""

    pairs: Sequence[tuple[Expectation, Failure]]

    @cached_property
    def names(self) -> frozenset[str]:
        """The variables that are read."""
        return frozenset().union(*(e.names for e, _ in self.pairs))

    @cached_property
    def is_plain(self) -> bool:
        """It is one expression that costs nothing but the handing over of what it reads."""
        return len(self.pairs) == 1 and self.pairs[0][0].cost.is_free and not self.match_steps

    @cached_property
    def is_free(self) -> bool:
        """None of them costs anything but the handing over of what they read."""
        return all(e.cost.is_free for e, _ in self.pairs)

    @cached_property
    def match_steps(self) -> int:
        """The steps of all patterns together."""
        return sum(e.match_steps for e, _ in self.pairs)


def expectations_of(check: Check) -> Expected:
    """What `check` expects: its own expressions, or the default ones of its kind of probe."""
    probe = check.probe
    if probe.expect:
        return _own(check.kind, tuple(probe.expect))
    if isinstance(probe, DnsProbe):
        return _default("dns", probe.dnssec is not None, probe.serials)
    if isinstance(probe, HttpProbe) and not probe.redirects.follow:
        return _unfollowed()
    return _default(check.kind)


@lru_cache(maxsize=4096)
def _own(kind: str, texts: tuple[str, ...]) -> Expected:
    return Expected(tuple((compiled(text, kind), Failure.EXPECTATION_FAILED) for text in texts))


@lru_cache(maxsize=1)
def _unfollowed() -> Expected:
    text, failure = _UNFOLLOWED
    return Expected(((compiled(text, "http"), failure),))


@lru_cache(maxsize=64)
def _default(kind: str, is_signed: bool = False, has_serials: bool = False) -> Expected:
    texts = [*DEFAULTS[kind], *([_DNSSEC] if is_signed else ()), *([_SERIALS] if has_serials else ())]  # fmt: skip
    return Expected(tuple((compiled(text, kind), failure) for text, failure in texts))


def names_read(check: Check) -> frozenset[str]:
    """The variables that the expectations of `check` read: what a prober need not make for nothing."""
    return expectations_of(check).names


def is_light(check: Check, variables: Mapping[str, Any]) -> bool:
    """Evaluating is sure to be done within milliseconds: it needs no thread of its own."""
    expected = expectations_of(check)
    if expected.is_plain and all(type(variables.get(name)) in SINGLE for name in expected.names):
        return True
    sizes = _sizes(expected, variables)
    elements = chars = 0
    for size in sizes.values():
        elements += size.elements
        chars += size.chars
    if elements > LIGHT_ELEMENTS_MAX or expected.match_steps * chars > LIGHT_MATCH_WORK_MAX:
        return False
    if expected.is_free:
        return True
    return sum(min(e.cost.share(sizes), WHOLE) for e, _ in expected.pairs) <= LIGHT_SHARES_MAX


def evaluated(check: Check, variables: Mapping[str, Any]) -> tuple[Assertion, ...]:
    """Every expectation of `check` over `variables`, in the order of the definition."""
    expected = expectations_of(check)
    if expected.is_plain:
        ((only, kind),) = expected.pairs
        read = _read(only, variables)
        if all(type(value) in SINGLE for value in read.values()):
            return (_evaluated(only, kind, read, read),)
    return _Evaluation(expected, variables).assertions()


class _Evaluation:
    """One run of all expectations of a check. What they read is handed to the library once for all of them."""

    def __init__(self, expected: Expected, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._pairs = expected.pairs
        self._matching = Matching() if expected.match_steps else None
        self._refusals = _refusals(expected, _sizes(expected, variables))
        read: set[str] = set()
        for (expectation, _), refusal in zip(self._pairs, self._refusals, strict=True):
            if refusal is None:
                read |= expectation.names
        functions: dict[str, Callable[..., Any]] | None = (
            None if self._matching is None else {MATCHING: self._matching}
        )
        values = {name: variables[name] for name in read if name in variables}
        self._context = cel.Context(values, functions)

    def assertions(self) -> tuple[Assertion, ...]:
        """One for each expectation, in order."""
        found = []
        for (expectation, kind), refusal in zip(self._pairs, self._refusals, strict=True):
            read = _read(expectation, self._variables)
            if refusal is not None:
                found.append(Assertion(expectation.text, False, kind, refusal, read))
            else:
                found.append(self._one(expectation, kind, read))
        return tuple(found)

    def _one(self, expectation: Expectation, kind: Failure, read: dict[str, Any]) -> Assertion:
        if self._matching is not None:
            self._matching.begin()
        assertion = _evaluated(expectation, kind, read, self._context)
        problem = None if self._matching is None else self._matching.problem
        if problem is None:
            return assertion
        return Assertion(expectation.text, False, kind, problem, read)


def _read(expectation: Expectation, variables: Mapping[str, Any]) -> dict[str, Any]:
    return {name: variables[name] for name in expectation.names if name in variables}


def _sizes(expected: Expected, variables: Mapping[str, Any]) -> dict[str, Size]:
    return {name: size_of(variables[name]) for name in expected.names if name in variables}


def _refusals(expected: Expected, sizes: Mapping[str, Size]) -> list[str | None]:
    """For each expectation, why it is not evaluated over values of these sizes; None where it is."""
    refusals: list[str | None] = []
    if expected.is_free and sum([s.elements for s in sizes.values()]) <= EXPECTATION_ELEMENTS_MAX:
        return [None] * len(expected.pairs)
    left = EXPECTATION_SHARES_MAX
    for expectation, _ in expected.pairs:
        share = expectation.cost.share(sizes)
        if share > WHOLE:
            refusals.append(f"too large to evaluate: {expectation.cost.refusal(sizes)}")
        elif share > left:
            refusals.append(
                "too large to evaluate after the expectations before it: give it a check of its own"
            )
        else:
            left -= share
            refusals.append(None)
    return refusals


def _evaluated(
    expectation: Expectation, kind: Failure, read: dict[str, Any], context: Any
) -> Assertion:
    try:
        result = expectation.program.execute(context)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        why = _why_not(expectation, read, error)
        return Assertion(expectation.text, False, kind, why, read)
    if result is True:
        return Assertion(expectation.text, True, kind, None, read)
    reason = (
        None
        if result is False
        else f"gives {result_shown(result, expectation.names)}, not true or false"
    )
    return Assertion(expectation.text, False, kind, reason, read)


def _why_not(expectation: Expectation, read: Mapping[str, Any], error: Exception) -> str:
    """Why the expression has no value, in words."""
    missing = sorted(name for name in expectation.names if name not in read)
    if missing:
        return f"{', '.join(missing)} not reached"
    if isinstance(error, KeyError):
        key = str(error.args[0]).strip("'")
        # A key that does not stand in the expression is a value of the target's.
        return f"no {key!r} was seen" if key in expectation.text else "no such key was seen"
    if isinstance(error, TypeError):
        return _UNFIT
    text = str(error)
    called = _CALLED.search(text)
    if called is not None:
        return f"{called[1]}() takes {_TAKES.get(called[1], 'something else')}"
    first = text.splitlines()[0] if text else type(error).__name__
    return first.split(". Check")[0][:SHOWN_CHARS_MAX]
