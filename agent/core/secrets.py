"""Secrets in checks: put in place just before a probe, and taken out of what it saw.

`${secret:name}` may stand in every text of a probe except its expectations. In a URL the value is
percent-encoded, so that it cannot change what is asked; elsewhere it stands as it is. What a probe saw
shows `secret:name@version` wherever the value would have stood: as it is, as it travels in URLs, JSON,
HTML and base64 (so in basic authorization), in any case, and cut off.
"""

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec

from vedette.shared.definitions import Check, findings
from vedette.shared.documents import path_text

_REFERENCE: Final = re.compile(r"\$\{secret:([^}]*)\}")
_URLS: Final = frozenset({"url", "proxy", "token_url"})
_EXPECTATIONS: Final = "expect"
# So much of a value, or all of it if it is shorter, is taken for the value: lines hold texts that were cut.
_NEEDLE_CHARS: Final = 16
_TAIL_CHARS_MIN: Final = 6
_LINE_CHARS_MIN: Final = 12
_CUT_MARKS: Final = "…. '\""


class Unusable(ValueError):
    """A secret does not fit where it stands. The text shows nothing of it."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as this agent holds it, in memory only."""

    name: str
    version: int
    value: str = field(repr=False)

    @property
    def label(self) -> str:
        """What stands in lines for it."""
        return f"secret:{self.name}@{self.version}"


def secret_names(check: Check) -> frozenset[str]:
    """The secrets that the probe of `check` names."""
    return frozenset(_names(msgspec.to_builtins(check.probe)))


def revealed(check: Check, secrets: Mapping[str, Secret]) -> Check:
    """`check` with the values in place. Unusable if one does not fit, KeyError if one is not held."""
    plain = msgspec.to_builtins(check)
    plain[check.kind] = _revealed(plain[check.kind], secrets)
    try:
        made = msgspec.convert(plain, Check)
    except msgspec.ValidationError as error:
        raise Unusable(f"with its secrets in place: {error}") from None
    wrong = findings(made)
    if wrong:
        path, expected, _ = wrong[0]
        raise Unusable(f"with its secrets in place, {path_text(path)}: expected {expected}")
    return made


class Mask:
    """Takes the values of secrets out of texts, and of whatever holds texts."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        shapes = [(shape, secret.label) for secret in secrets for shape in _shapes(secret.value)]
        shapes.sort(key=lambda pair: -len(pair[0]))
        # Lowered as texts are: a letter for a letter, or the places would not be the same.
        lowered = [(_lowered(shape), label) for shape, label in shapes]
        self._shapes = [(low[:_NEEDLE_CHARS], low, label) for low, label in lowered]

    def of(self, value: Any) -> Any:
        """`value` with every text in it masked: mappings, lists and tuples included."""
        if not self._shapes:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.of(key): self.of(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)([self.of(part) for part in value])
        if isinstance(value, bytes):
            return self.text(value.decode("latin-1")).encode("latin-1")
        return value

    def text(self, text: str) -> str:
        """`text` with labels where values, or the beginnings of cut ones, stood."""
        low = _lowered(text)
        spans = [span for shape in self._shapes for span in _spans(low, *shape)]
        tail = self._tail(low)
        if tail is not None:
            spans.append(tail)
        if not spans:
            return text
        parts: list[str] = []
        at = 0
        for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= at:
                parts += [text[at:start], label]
            at = max(at, end)
        return "".join([*parts, text[at:]])

    def _tail(self, low: str) -> tuple[int, int, str] | None:
        """A text that was cut in the middle of a value ends with the beginning of it."""
        end = len(low.rstrip(_CUT_MARKS))
        for _, shape, label in self._shapes:
            for length in range(min(len(shape) - 1, _NEEDLE_CHARS, end), _TAIL_CHARS_MIN - 1, -1):
                if low.startswith(shape[:length], end - length):
                    return end - length, end, label
        return None


def _spans(low: str, needle: str, shape: str, label: str) -> Iterator[tuple[int, int, str]]:
    """Where `shape`, or enough of its beginning, stands in `low`, and how far it goes."""
    at = low.find(needle)
    while at >= 0:
        end, known = at + len(needle), len(needle)
        while known < len(shape) and end < len(low) and low[end] == shape[known]:
            end, known = end + 1, known + 1
        yield at, end, label
        at = low.find(needle, end)


def _lowered(text: str) -> str:
    """`text` in lower case, where that keeps every character in its place."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def _shapes(value: str) -> frozenset[str]:
    """How a value may look in what a target sends back."""
    raw = value.encode()
    texts = {
        value,
        raw.decode("latin-1"),
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        html.escape(value),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        raw.hex(),
        *_base64_shapes(raw),
    }
    if "\n" in value:
        lines = (line.strip() for line in value.splitlines())
        texts |= {line for line in lines if len(line) >= _LINE_CHARS_MIN and "-----" not in line}
    return frozenset(texts)


def _base64_shapes(raw: bytes) -> Iterator[str]:
    """What is the same of a value's base64 wherever the value stands in what is encoded."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode()
        start = -(-before * 8 // 6)
        end = (before + len(raw)) * 8 // 6
        inner = text[start:end]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))


def _names(plain: Any) -> Iterator[str]:
    if isinstance(plain, str):
        yield from _REFERENCE.findall(plain)
    elif isinstance(plain, dict):
        for key, part in plain.items():
            if key != _EXPECTATIONS:
                yield from _names(part)
    elif isinstance(plain, list | tuple):
        for part in plain:
            yield from _names(part)


def _revealed(plain: Any, secrets: Mapping[str, Secret], key: str = "") -> Any:
    if isinstance(plain, dict):
        return {
            name: part if name == _EXPECTATIONS else _revealed(part, secrets, name)
            for name, part in plain.items()
        }
    if isinstance(plain, list | tuple):
        return [_revealed(part, secrets, key) for part in plain]
    if not isinstance(plain, str):
        return plain

    def value(match: re.Match[str]) -> str:
        text = secrets[match[1]].value
        return quote(text, safe="") if key in _URLS else text

    return _REFERENCE.sub(value, plain)
