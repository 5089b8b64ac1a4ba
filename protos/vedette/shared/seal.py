"""The text of a seal: what an agent states, once a minute, about one stream of its lines.

Both sides write and read it here; it is signed as a note. docs/evidence.md explains each line.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vedette.shared.identity import ANCHORS, is_epoch, is_id

KIND: Final = "vedette.seal/v1"
_NOTHING: Final = "-"
_N: Final = r"(0|[1-9][0-9]{0,17})"
_Z: Final = r"(0|-?[1-9][0-9]{0,17}|-)"
_H: Final = r"([0-9a-f]{64})"
_LINES: Final = (
    ("stream", re.compile(r"stream ([^ ]+)/agent/([^ ]+) ([^ ]+) epoch ([^ ]+)")),
    ("seal", re.compile(rf"seal {_N}")),
    ("prev", re.compile(rf"prev (?:{_H}|-)")),
    ("lines", re.compile(rf"lines (?:{_N} {_N} {_N}|- - 0)")),
    ("payload", re.compile(rf"payload {_H} {_N}")),
    ("slots", re.compile(rf"slots {_N} {_N} {_N}")),
    ("checks", re.compile(rf"checks {_H}")),
    ("time", re.compile(rf"time {_N} {_N} mono {_N} {_N}")),
    (
        "clock",
        re.compile(rf"clock synced=([01-]) offset_us={_Z} error_us={_Z} step_us={_Z}"),
    ),
)


class BadSeal(ValueError):
    """A text that is no seal. The message says which line, what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class StreamName:
    """Whose stream: organisation, agent, service and epoch."""

    origin: str
    agent: str
    stream: str
    epoch: str

    @property
    def key_name(self) -> str:
        """The name under which the agent signs."""
        return f"{self.origin}/agent/{self.agent}"


@dataclass(frozen=True, slots=True)
class Payload:
    """The sealed lines: first and last number, how many, and the hash of their exact bytes.

    `first` and `last` are 0 where there is no line: that is a statement too.
    """

    first: int
    last: int
    count: int
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots that came to an end since the last seal: run, and not run."""

    done: int
    missed: int

    @property
    def scheduled(self) -> int:
        """All of them."""
        return self.done + self.missed


@dataclass(frozen=True, slots=True)
class Span:
    """From the last seal to this one, on the wall clock (microseconds) and a clock that never steps (nanoseconds)."""

    start_us: int
    end_us: int
    mono_start_ns: int
    mono_end_ns: int

    @property
    def step_us(self) -> int:
        """How far the wall clock was moved meanwhile."""
        return (self.end_us - self.start_us) - (self.mono_end_ns - self.mono_start_ns) // 1000


@dataclass(frozen=True, slots=True)
class ClockState:
    """What the agent knows of its clock; None: not known."""

    is_synced: bool | None = None
    offset_us: int | None = None
    error_us: int | None = None
    step_us: int | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal. `prev` is the SHA-256 of the note before it, None for the first of a stream."""

    name: StreamName
    number: int
    prev: str | None
    payload: Payload
    slots: Slots
    checks: str
    span: Span
    clock: ClockState

    def text(self) -> str:
        """The text to sign."""
        name, payload, slots, span, clock = (
            self.name, self.payload, self.slots, self.span, self.clock,
        )  # fmt: skip
        count = f"{payload.first} {payload.last} {payload.count}" if payload.count else "- - 0"
        synced = _NOTHING if clock.is_synced is None else int(clock.is_synced)
        return (
            f"{KIND}\n"
            f"stream {name.key_name} {name.stream} epoch {name.epoch}\n"
            f"seal {self.number}\n"
            f"prev {self.prev or _NOTHING}\n"
            f"lines {count}\n"
            f"payload {payload.sha256} {payload.bytes}\n"
            f"slots {slots.scheduled} {slots.done} {slots.missed}\n"
            f"checks {self.checks}\n"
            f"time {span.start_us} {span.end_us} mono {span.mono_start_ns} {span.mono_end_ns}\n"
            f"clock synced={synced} offset_us={_shown(clock.offset_us)}"
            f" error_us={_shown(clock.error_us)} step_us={_shown(clock.step_us)}\n"
        )


def checks_digest(digests: Iterable[str]) -> str:
    """SHA-256 over the revisions in force: their own digests, sorted, each on a line."""
    return hashlib.sha256(b"".join(f"{one}\n".encode() for one in sorted(digests))).hexdigest()


def parsed_seal(text: str) -> Seal:
    """The seal in `text`. BadSeal if it is not exactly as `Seal.text` writes it."""
    kind, *lines = text.split("\n")
    if kind != KIND:
        raise BadSeal(f"line 1: expected {KIND}, found {kind[:80]!r}")
    if len(lines) != len(_LINES) + 1 or lines[-1]:
        raise BadSeal(f"expected {len(_LINES) + 1} lines, found {len(lines)}")
    found: dict[str, tuple[str | None, ...]] = {}
    for at, ((name, pattern), line) in enumerate(zip(_LINES, lines, strict=False), 2):
        match = pattern.fullmatch(line)
        if match is None:
            raise BadSeal(f"line {at}: expected `{name}` and its values, found {line[:120]!r}")
        found[name] = match.groups()
    seal = _seal(found)
    _require_sense(seal)
    if seal.slots.scheduled != _number(found["slots"][0]):
        raise BadSeal(f"expected done + missed = scheduled, found `{lines[5]}`")
    return seal


def _seal(found: dict[str, tuple[str | None, ...]]) -> Seal:
    _, done, missed = map(_number, found["slots"])
    first, last, count = map(_number, found["lines"])
    synced, *clock = found["clock"]
    return Seal(
        StreamName(*(part or "" for part in found["stream"])),
        _number(found["seal"][0]),
        found["prev"][0],
        Payload(
            first,
            last,
            count,
            found["payload"][0] or "",
            _number(found["payload"][1]),
        ),
        Slots(done, missed),
        found["checks"][0] or "",
        Span(*map(_number, found["time"])),
        ClockState(
            None if synced == _NOTHING else synced == "1",
            *(None if one in (None, _NOTHING) else int(one) for one in clock),
        ),
    )


def _require_sense(seal: Seal) -> None:
    name, payload = seal.name, seal.payload
    is_named = is_id(name.agent) and is_epoch(name.epoch)
    if not is_named or not (is_id(name.stream) or name.stream == ANCHORS):
        raise BadSeal(f"expected an agent, a stream and an epoch, found {name}")
    if seal.number < 1 or (seal.prev is None) != (seal.number == 1):
        raise BadSeal(f"expected seals from 1, the first alone without `prev`, found {seal.number}")
    if payload.count:
        span = payload.last - payload.first + 1
        if not (payload.first >= 1 and 1 <= payload.count <= span):
            raise BadSeal(f"expected lines from first to last, found {payload}")
    elif payload.bytes or payload.sha256 != hashlib.sha256().hexdigest():
        raise BadSeal("expected the hash of nothing where there are no lines")


def _number(text: str | None) -> int:
    return int(text or 0)


def _shown(value: int | None) -> str:
    return _NOTHING if value is None else str(value)
