"""Reading a frame of result lines: what is new in it, and why it may have to be refused."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from controller.core.admission import admitted
from controller.core.samples import AnchorRound, Quarantined, Sample
from controller.ports.evidence import Conflict
from vedette.shared.identity import ANCHORS, is_epoch, is_id
from vedette.shared.limits import FRAME_BYTES_MAX, FRAME_LINES_MAX, ID_CHARS_MAX, SEQ_MAX
from vedette.shared.result import decode_line

# What a signed 64-bit integer holds, with room for sums: beyond it a number is no evidence but a fault.
_TOOK_US_MAX: Final = 1 << 62
_ANCHORS_COUNTED_MAX: Final = 65_535
_KIND: Final = re.compile(rf"[A-Za-z0-9_.:-]{{1,{ID_CHARS_MAX}}}")
_SHOWN_CHARS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class IncomingFrame:
    """Consecutive result lines of one stream, as an agent sent them (vedette.v1.Frame)."""

    epoch: str
    stream: str
    first_seq: int
    count: int
    lines: bytes
    lost: int = 0
    is_backlog: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """Every line of the stream up to `seq` is durable and evaluated."""

    epoch: str
    stream: str
    seq: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A frame that was not taken; resend from `resend_from`, unless it is 0: then that cannot help."""

    epoch: str
    stream: str
    first_seq: int
    resend_from: int
    reason: str


class Refusal(Exception):
    """Why a frame is not taken. The text is for people."""

    def __init__(self, reason: str, resend_from: int = 0) -> None:
        super().__init__(reason)
        self.resend_from = resend_from


@dataclass(slots=True)
class Gathered:
    """What was read from frames and waits to be committed together.

    `strays` are samples of checks that there are not. `rounds` come with their agent's region; `disputes`
    are checks for which another line counts now, and the event time of the first of these. `lost` lines
    stand between what is durable and what came.
    """

    samples: list[Sample] = field(default_factory=list)
    strays: list[Sample] = field(default_factory=list)
    rounds: list[tuple[str, AnchorRound]] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    disputes: dict[str, int] = field(default_factory=dict)
    lines: int = 0
    duplicates: int = 0
    lost: int = 0

    def add(self, other: "Gathered") -> None:
        """Take over what another one gathered, after what is here."""
        self.samples += other.samples
        self.strays += other.strays
        self.rounds += other.rounds
        self.quarantined += other.quarantined
        self.conflicts += other.conflicts
        for check, at_us in other.disputes.items():
            self.dispute(check, at_us)
        self.lines += other.lines
        self.duplicates += other.duplicates
        self.lost += other.lost

    def dispute(self, check: str, at_us: int) -> None:
        """Another line counts for a check now, one of them at `at_us`."""
        self.disputes[check] = min(at_us, self.disputes.get(check, at_us))


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a frame comes from, as its certificate says, and when it came."""

    agent: str
    region: str
    received_us: int


def split_lines(frame: IncomingFrame) -> list[bytes]:
    """The lines of a frame without their newlines. Refusal if the frame is not well formed."""
    if not is_epoch(frame.epoch):
        raise Refusal(f"expected an epoch of letters and digits, found {_shown(frame.epoch)}")
    if frame.stream not in ("", ANCHORS) and not is_id(frame.stream):
        raise Refusal(f"expected the name of a service as stream, found {_shown(frame.stream)}")
    last_seq = frame.first_seq + max(frame.count, 1) - 1
    if not 1 <= frame.first_seq <= last_seq <= SEQ_MAX or not 0 <= frame.lost < frame.first_seq:
        raise Refusal(
            f"expected a first_seq of 1 or more, a smaller lost and no number beyond {SEQ_MAX},"
            f" found first_seq {frame.first_seq}, lost {frame.lost}"
        )
    if len(frame.lines) > FRAME_BYTES_MAX:
        raise Refusal(f"expected at most {FRAME_BYTES_MAX} bytes, found {len(frame.lines)}")
    lines = frame.lines.split(b"\n")
    if lines.pop():
        raise Refusal("expected every line to end in a newline, found a last line without one")
    if len(lines) != frame.count or frame.count > FRAME_LINES_MAX:
        raise Refusal(
            f"expected {frame.count} lines, {FRAME_LINES_MAX} at most, found {len(lines)}"
        )
    if frame.count == 0 and frame.lost == 0:
        raise Refusal("expected at least one line, found none")
    return lines


def read_lines(
    frame: IncomingFrame,
    sender: Sender,
    lines: Sequence[bytes],
    first_seq: int,
    checks: Set[str],
) -> Gathered:
    """What lines of `frame` count as, the first of them being number `first_seq`.

    Refusal if one cannot be read, or claims another identity than its sender's.
    """
    found = Gathered(lines=len(lines))
    samples, agent, region, epoch, stream = (
        found.samples, sender.agent, sender.region, frame.epoch, frame.stream,
    )  # fmt: skip
    received_us = sender.received_us
    for seq, line in enumerate(lines, first_seq):
        try:
            evidence = decode_line(line)
            if (
                evidence.seq != seq
                or evidence.agent != agent
                or evidence.region != region
                or evidence.epoch != epoch
                or evidence.stream != stream
            ):
                raise ValueError(_foreign(evidence, sender, frame, seq))
            one = admitted(evidence, received_us)
            if isinstance(one, Sample):
                if one.at_us < 0 or one.kind is not None or one.took_us is not None:
                    _check_ranges(one)
                if one.check in checks:
                    samples.append(one)
                else:
                    found.strays.append(_stray(one))
            elif isinstance(one, AnchorRound):
                if not (one.at_us >= 0 and one.total <= _ANCHORS_COUNTED_MAX):
                    raise ValueError("expected an instant since 1970 and small counts")
                found.rounds.append((region, one))
            else:
                found.quarantined.append(one)
        except ValueError as error:
            raise Refusal(f"line {seq} of stream {stream!r}: {error}: {_shown(line)}") from error
    return found


def _stray(sample: Sample) -> Sample:
    if not is_id(sample.check):
        raise ValueError(f"expected the id of a check, found {_shown(sample.check)}")
    return sample


def _check_ranges(sample: Sample) -> None:
    if sample.at_us < 0:
        raise ValueError(f"expected an instant since 1970, found {sample.at_us}")
    if sample.took_us is not None and not 0 <= sample.took_us < _TOOK_US_MAX:
        raise ValueError(f"expected a `took` of microseconds, found {sample.took_us}")
    if sample.kind is not None and _KIND.fullmatch(sample.kind) is None:
        raise ValueError(
            f"expected a `kind` of up to {ID_CHARS_MAX} letters, digits and _.:-,"
            f" found {_shown(sample.kind)}"
        )


def _foreign(evidence: object, sender: Sender, frame: IncomingFrame, seq: int) -> str:
    """Which part of a line's identity is not what it must be."""
    expected = {
        "agent": sender.agent,
        "region": sender.region,
        "epoch": frame.epoch,
        "stream": frame.stream,
        "seq": seq,
    }
    for name, value in expected.items():
        found = getattr(evidence, name)
        if found != value:
            return f"expected {name} {value!r}, found {_shown(found)}"
    raise AssertionError("the caller found a difference")


def _shown(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    text = text if len(text) <= _SHOWN_CHARS_MAX else f"{text[: _SHOWN_CHARS_MAX - 3]}..."
    return repr(text)
