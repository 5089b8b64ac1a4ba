"""What became of an expectation, with the values that it read.

Values are shown twice: in full for a person at the site, and redacted for the line, because bodies and header
values never leave the agent.
"""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from vedette.shared.failure import Failure
from vedette.shared.limits import SHOWN_CHARS_MAX

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


def _seen(text: str, read: Mapping[str, Any]) -> tuple[Seen, ...]:
    """The values at the paths that stand in `text`, each path once."""
    found: dict[str, Seen] = {}
    plain = _blanked(text)
    for match in _PATH.finditer(plain):
        name = re.match(r"\w+", match[0])
        if name is None or name[0] not in read or plain[: match.start()].endswith("."):
            continue
        path, value = _followed(text[match.start() : match.end()], read)
        whole = value_shown(value)
        public = _shape(value) if _is_private(name[0], value) else whole
        found.setdefault(path, Seen(path, whole, public))
    return tuple(found.values())


def result_shown(value: Any, names: Set[str]) -> str:
    """What an expression that reads `names` gave, fit for a line: of what may not stand there, its shape."""
    return _shape(value) if any(_is_private(name, value) for name in names) else value_shown(value)


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


def value_shown(value: Any) -> str:
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
        text = "[" + ", ".join(value_shown(item) for item in value[:20]) + "]"
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
