"""The result line: one line of JSON, written once by the agent and never re-serialised (SEMANTICS 9).

`ResultLine` is what the agent writes. `Evidence` is the part that the controller computes from: it
decodes any line, ignoring keys that it does not know. All times are integer microseconds.
"""

import re
from enum import StrEnum
from typing import Any, Final

import msgspec

from vedette.shared.limits import LINE_BYTES_MAX
from vedette.shared.plain_json import require_plain, too_deep


class Outcome(StrEnum):
    """What a probe ended in (S-4)."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    AGENT_ERROR = "agent_error"


class Trigger(StrEnum):
    """Why a probe ran."""

    SCHEDULE = "schedule"
    CONFIRM = "confirm"
    MANUAL = "manual"


class ClockReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """The agent's clock minus the controller's, and the bound of that measurement's error.

    `offset` is None where it was never measured, or the clock was set since: the line is then no evidence
    (S-3). `synced` is False where the agent's system says that nothing keeps its clock.
    """

    offset: int | None = 0
    error: int | None = None
    synced: bool = True


class ResultLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One result as the agent writes it. Field order is the order in the line."""

    v: int = 1
    agent: str
    epoch: str
    stream: str = ""
    seq: int
    check: str
    region: str
    rev: str | None = None
    slot: int | None = None
    trigger: Trigger = Trigger.SCHEDULE
    at: int
    took: int | None = None
    lag: int | None = None
    loop_lag: int | None = None
    clock: ClockReading = ClockReading()
    outcome: Outcome
    kind: str | None = None
    detail: str | None = None
    attempts: int = 1
    addr: str | None = None
    phases: dict[str, int] | None = None
    http: dict[str, Any] | None = None
    dns: dict[str, Any] | None = None
    icmp: dict[str, Any] | None = None
    tcp: dict[str, Any] | None = None
    capture: dict[str, Any] | None = None
    ok: int | None = None
    total: int | None = None
    anchors: dict[str, Any] | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a line that figures are computed from.

    `ok` and `total` stand in anchor rounds only (`check` is then `@anchors`), and such a line may lack
    an outcome of its own.
    """

    agent: str
    epoch: str
    stream: str = ""
    seq: int
    check: str
    region: str
    rev: str | None = None
    at: int
    took: int | None = None
    clock: ClockReading = ClockReading()
    outcome: Outcome
    kind: str | None = None
    detail: str | None = None
    trigger: Trigger = Trigger.SCHEDULE
    attempts: int = 1
    ok: int | None = None
    total: int | None = None


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Evidence)

# What a terminal would obey or a reader be misled by, in text that a target chose: DEL and C1 controls, marks
# and overrides of direction, separators of lines. In UTF-8; JSON already escapes the controls below a space.
_UNSEEN: Final = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf"
)


def encode_line(line: ResultLine) -> bytes:
    """The bytes of `line`, ending in a newline. Characters that act instead of being seen are escaped."""
    data = _encoder.encode(line)
    if not data.isascii() or b"\x7f" in data:
        data = _UNSEEN.sub(_escaped, data)
    return data + b"\n"


def _escaped(match: re.Match[bytes]) -> bytes:
    return f"\\u{ord(match[0].decode()):04x}".encode()


def decode_line(data: bytes) -> Evidence:
    """What can be computed from the line `data`. ValueError says what is wrong with it.

    Its length is looked at before anything is parsed. A line that two readers could read differently is
    refused, also where the difference lies in keys that mean nothing here.
    """
    if len(data) > LINE_BYTES_MAX:
        raise ValueError(f"expected at most {LINE_BYTES_MAX} bytes, found {len(data)}")
    try:
        evidence = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    except UnicodeDecodeError as error:
        raise ValueError("the line is not UTF-8") from error
    except RecursionError as error:
        raise ValueError(too_deep()) from error
    require_plain(data)
    return evidence
