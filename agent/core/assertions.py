"""Expectations of a check, evaluated over what its probe saw.

Each result carries the values that the expression read, twice: in full for a person at the site, and
redacted for the line, because bodies and header values never leave the agent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec

from vedette.shared.definitions import Check
from vedette.shared.expectations import Expectation, compiled
from vedette.shared.failure import Failure
from vedette.shared.limits import SHOWN_CHARS_MAX
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
_PRIVATE: Final = frozenset(
    {"body", "json", "headers", "headers_all", "hops", "url", "reason", "captures"}
)
_PATH: Final = re.compile(
    r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\s*(?:\d+|'[^']*'|\"[^\"]*\")\s*\])*(?!\w*\()"
)
_STEP: Final = re.compile(r"\.?([A-Za-z_]\w*)|\[\s*(?:(\d+)|'([^']*)'|\"([^\"]*)\")\s*\]")
_STRING: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Seen:
    """A value that an expression read: where it stands, for the site's eyes, and for the line."""

    path: str
    shown: str
    public: str


class Assertion(msgspec.Struct, frozen=True, eq=False):
    """One expectation after evaluation. `reason` says why it does not hold, unless its values say so.

    `read` holds the variables that it read; what is worth showing of them is found when it is asked for,
    because most expectations hold and nobody asks. They stay out of what is printed: bodies are among them.
    """

    text: str
    holds: bool
    kind: Failure = Failure.EXPECTATION_FAILED
    reason: str | None = None
    read: dict[str, Any] = {}

    def __repr__(self) -> str:
        """What it says and whether that holds, without what it read."""
        return f"Assertion({self.text!r}, holds={self.holds}, kind={self.kind!r}, reason={self.reason!r})"

    @property
    def seen(self) -> tuple[Seen, ...]:
        """The values at the paths that stand in the expression, each path once."""
        return _seen(self.text, self.read)

    def explained(self, *, public: bool = True) -> str:
        """Why it does not hold, with the values it read, in one line."""
        values = ", ".join(f"{s.path} is {s.public if public else s.shown}" for s in self.seen)
        why = "; ".join(part for part in (self.reason, values) if part)
        return f"{self.text}: {why}" if why else self.text


def expectations_of(check: Check) -> Sequence[tuple[Expectation, Failure]]:
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
def _own(kind: str, texts: tuple[str, ...]) -> Sequence[tuple[Expectation, Failure]]:
    return tuple((compiled(text, kind), Failure.EXPECTATION_FAILED) for text in texts)


@lru_cache(maxsize=1)
def _unfollowed() -> Sequence[tuple[Expectation, Failure]]:
    text, failure = _UNFOLLOWED
    return ((compiled(text, "http"), failure),)


@lru_cache(maxsize=64)
def _default(
    kind: str, is_signed: bool = False, has_serials: bool = False
) -> Sequence[tuple[Expectation, Failure]]:
    texts = [*DEFAULTS[kind], *([_DNSSEC] if is_signed else ()), *([_SERIALS] if has_serials else ())]  # fmt: skip
    return tuple((compiled(text, kind), failure) for text, failure in texts)


def names_read(check: Check) -> frozenset[str]:
    """The variables that the expectations of `check` read: what a prober need not make for nothing."""
    return frozenset().union(*(e.names for e, _ in expectations_of(check)))


def evaluated(check: Check, variables: Mapping[str, Any]) -> tuple[Assertion, ...]:
    """Every expectation of `check` over `variables`, in the order of the definition."""
    return tuple([_evaluated(e, kind, variables) for e, kind in expectations_of(check)])


def _evaluated(expectation: Expectation, kind: Failure, variables: Mapping[str, Any]) -> Assertion:
    read = {name: variables[name] for name in expectation.names if name in variables}
    if expectation.cost.is_too_large(read):
        why = f"too large to evaluate: more than {expectation.cost.elements_max} elements"
        return Assertion(expectation.text, False, kind, why, read)
    try:
        result = expectation.program.execute(read)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        why = _why_not(expectation, read, error)
        return Assertion(expectation.text, False, kind, why, read)
    if result is True:
        return Assertion(expectation.text, True, kind, None, read)
    reason = None if result is False else f"gives {_shown(result)}, not true or false"
    return Assertion(expectation.text, False, kind, reason, read)


def _why_not(expectation: Expectation, read: Mapping[str, Any], error: Exception) -> str:
    """Why the expression has no value, in words."""
    missing = sorted(name for name in expectation.names if name not in read)
    if missing:
        return f"{', '.join(missing)} not reached"
    if isinstance(error, KeyError):
        return f"no {str(error.args[0])!r} was seen"
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return first.split(": the operation")[0].split(". Check")[0][:SHOWN_CHARS_MAX]


def _seen(text: str, read: Mapping[str, Any]) -> tuple[Seen, ...]:
    """The values at the paths that stand in `text`, each path once."""
    found: dict[str, Seen] = {}
    plain = _blanked(text)
    for match in _PATH.finditer(plain):
        name = re.match(r"\w+", match[0])
        if name is None or name[0] not in read or plain[: match.start()].endswith("."):
            continue
        path, value = _followed(text[match.start() : match.end()], read)
        shown = _shown(value)
        public = _shape(value) if _is_private(name[0], value) else shown
        found.setdefault(path, Seen(path, shown, public))
    return tuple(found.values())


def _is_private(name: str, value: Any) -> bool:
    """`value` may not stand in a line: texts of the target's, and anything but a bool from its body."""
    if name not in _PRIVATE or isinstance(value, bool):
        return False
    return name == "json" or not isinstance(value, int | float)


def _blanked(text: str) -> str:
    """`text` with string literals blanked, except those that index something."""

    def blank(match: re.Match[str]) -> str:
        return match[0] if text[: match.start()].rstrip().endswith("[") else " " * len(match[0])

    return _STRING.sub(blank, text)


def _followed(path: str, variables: Mapping[str, Any]) -> tuple[str, Any]:
    """The longest part of `path` that leads to a value, and the value."""
    value: Any = variables
    end = 0
    for match in _STEP.finditer(path):
        index = match[2]
        key = next((k for k in (match[1], match[3], match[4]) if k is not None), None)
        inner: Any = _ABSENT
        if isinstance(value, Mapping) and key is not None:
            inner = value.get(key, _ABSENT)
        elif isinstance(value, Sequence) and not isinstance(value, str) and index is not None:
            inner = value[int(index)] if int(index) < len(value) else _ABSENT
        if inner is _ABSENT:
            break
        value, end = inner, match.end()
    return path[:end], value


def _shown(value: Any) -> str:
    """`value` for a person, cut to a readable length."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        text = "{" + ", ".join(str(key) for key in list(value)[:20]) + "}"
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(_shown(item) for item in value[:20]) + "]"
    else:
        text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[: SHOWN_CHARS_MAX - 3]}..."


def _shape(value: Any) -> str:
    """What kind of thing `value` is, without saying what is in it."""
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    if isinstance(value, Mapping):
        return f"a mapping of {len(value)}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return "null" if value is None else "a number"
