"""What agents captured of failures: routes, other resolvers, certificates and answers, out of result lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from controller.core.instants import instant_text, length_text

_TITLES: Final = {
    "route": "route",
    "resolver": "another resolver",
    "family": "the other address family",
    "chain": "certificates",
    "head": "answer",
    "answer": "answer",
}
_SEQ_END: Final = 1 << 63


class _Captured(msgspec.Struct):
    capture: dict[str, Any] | None = None


class _Target(msgspec.Struct):
    """What of a line says where the probe went."""

    addr: str | None = None
    attempts: int = 1


_captured: Final = msgspec.json.Decoder(_Captured)
_target: Final = msgspec.json.Decoder(_Target)


@dataclass(frozen=True, slots=True)
class CapturePart:
    """One thing that was captured, in words: a line each."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """What was captured of the failure in line `of_seq` of the same stream.

    `document` is the capture as it stands in the line, as JSON; `parts` is the same for people.
    """

    of_seq: int | None
    parts: tuple[CapturePart, ...]
    document: bytes


def capture_in(line: bytes) -> Capture | None:
    """The capture that stands in a line; None if there is none."""
    try:
        found = _captured.decode(line).capture
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not found:
        return None
    of = found.get("of")
    of_seq = of.get("seq") if isinstance(of, dict) else None
    return Capture(
        of_seq if isinstance(of_seq, int) and 0 < of_seq < _SEQ_END else None,
        tuple(_parts(found)),
        msgspec.json.encode(found),
    )


def target_in(line: bytes) -> tuple[str, int]:
    """The address that a line's probe went to (empty: unknown), and how many attempts it took."""
    try:
        found = _target.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "", 1
    return found.addr or "", found.attempts


def _parts(capture: Mapping[str, Any]) -> Iterator[CapturePart]:
    """The parts of a capture in words. What is of another shape than agents write is shown as it is."""
    for name, part in capture.items():
        if name == "of":
            continue
        if name == "answer" and isinstance(part, dict):
            for own in ("chain", "head"):
                if own in part:
                    yield CapturePart(_TITLES[own], tuple(_lines(own, part[own])))
            if "fault" in part:
                yield CapturePart("answer", (f"not captured: {part['fault']}",))
            continue
        yield CapturePart(_TITLES.get(name, name), tuple(_lines(name, part)))


def _lines(name: str, part: Any) -> Iterator[str]:
    if isinstance(part, dict) and "fault" in part:
        yield f"not captured: {part['fault']}"
        part = {key: value for key, value in part.items() if key != "fault"}
    if name == "route" and isinstance(part, dict):
        yield from _route(part)
    elif name == "chain" and isinstance(part, list):
        yield from (_certificate(one) for one in part)
    elif isinstance(part, dict):
        yield from (f"{key}: {_shown(key, value)}" for key, value in part.items())
    elif name == "cut":
        what = f": {_shown(name, part)}" if isinstance(part, list) else ""
        yield f"left out, because the line would have been too long{what}"
    else:
        yield _shown(name, part)


def _route(part: Mapping[str, Any]) -> Iterator[str]:
    hops = part.get("hops")
    for number, hop in enumerate(hops if isinstance(hops, list) else (), start=1):
        if isinstance(hop, dict):
            yield f"{number}. {hop.get('addr')} {_shown('us', hop.get('us'))}"
        else:
            yield f"{number}. no answer"
    if "reached" in part:
        yield "the target answered" if part["reached"] else "the target did not answer"


def _certificate(one: Any) -> str:
    if not isinstance(one, dict) or "subject" not in one:
        return f"a certificate that cannot be read: {_shown('', one)}"
    ends = f"{_shown('at', one.get('not_before'))} to {_shown('at', one.get('not_after'))}"
    return f"{one['subject']}, issued by {one.get('issuer')}, valid {ends}, SHA-256 {one.get('sha256')}"


def _shown(key: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if key in ("us", "took"):
            return length_text(value)
        return _instant(value) if key == "at" else str(value)
    if isinstance(value, list):
        return ", ".join(_shown("", one) for one in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(name, one)}" for name, one in value.items())
    return str(value)


def _instant(at_us: int) -> str:
    try:
        return instant_text(at_us)
    except OverflowError:
        return str(at_us)
