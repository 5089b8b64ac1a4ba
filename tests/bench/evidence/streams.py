"""Streams as agents write them: results and rounds of anchors, a minute at a time, and a seal over each minute."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.ports.seals import StoredSeal, StreamId
from vedette.shared.identity import ANCHORS
from vedette.shared.note import signed_note
from vedette.shared.result import ClockReading, Outcome, ResultLine, encode_line
from vedette.shared.seal import ClockState, Payload, Seal, Slots, Span, StreamName, checks_digest

REGIONS: Final = ("fra", "nyc", "sin")
CHECKS: Final = tuple(f"check-{number}" for number in range(5))
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
_MINUTE_NS: Final = MINUTE * 1000
_EPOCH: Final = "9f31c2d0"
_SERVICE: Final = "shop"
_ROUNDS: Final = 3
# Each check fails everywhere for so many minutes, once in a week or so, and no two at once.
_DOWN_MINUTES: Final = 7
_TURNS: Final = 1500
_IN_FORCE: Final = checks_digest([f"{number:064x}" for number in range(len(CHECKS))])


@dataclass(slots=True)
class Minute:
    """What a stream was given in a minute: its lines, the first one's number, and the seal over them."""

    stream: StreamId
    first_seq: int
    lines: Sequence[bytes]
    seal: StoredSeal


@dataclass(slots=True)
class Chain:
    """A stream of an agent, and how far it has come."""

    organisation: str
    region: str
    stream: str
    key: Ed25519PrivateKey
    number: int = 0
    prev: str | None = None
    covered: int = 0
    revisions: Mapping[str, str] = field(default_factory=dict)

    @property
    def agent(self) -> str:
        """The agent's id."""
        return f"{self.region}-1"

    def minute(self, from_us: int) -> Minute:
        """The next minute: its lines, sealed."""
        stream = StreamId(self.agent, _EPOCH, self.stream)
        first = self.covered + 1
        lines = list(self._rounds(from_us) if self.stream == ANCHORS else self._results(from_us))
        self.covered += len(lines)
        return Minute(stream, first, lines, self._sealed(stream, first, lines, from_us))

    def _results(self, from_us: int) -> Iterator[bytes]:
        """One line a check, each a little later than the one before."""
        tick, place = from_us // MINUTE, REGIONS.index(self.region)
        for number, check in enumerate(CHECKS):
            seq = self.covered + number + 1
            is_down = tick // _DOWN_MINUTES % _TURNS == number * _TURNS // len(CHECKS)
            yield encode_line(
                ResultLine(
                    agent=self.agent, epoch=_EPOCH, stream=self.stream, seq=seq, check=check,
                    region=self.region, rev=self.revisions[check], slot=tick,
                    at=from_us + place * 15 * SECOND + number * 2 * SECOND,
                    took=12_345 + seq * 37 % 20_000, lag=213, clock=ClockReading(0, 900),
                    outcome=Outcome.DOWN if is_down else Outcome.UP,
                    kind="connect_refused" if is_down else None, addr="192.0.2.7:443",
                    phases={"resolve": 311, "connect": 1022 + seq * 13 % 900, "tls": 4001,
                            "send": 12, "first_byte": 5005 + seq * 29 % 4000, "transfer": 90},
                    http={"status": 503 if is_down else 200, "body_size": 512},
                )
            )  # fmt: skip

    def _rounds(self, from_us: int) -> Iterator[bytes]:
        """A round of anchors every 20 s."""
        for number in range(_ROUNDS):
            yield encode_line(
                ResultLine(
                    agent=self.agent, epoch=_EPOCH, stream=ANCHORS, seq=self.covered + number + 1,
                    check=ANCHORS, region=self.region, at=from_us + number * MINUTE // _ROUNDS,
                    took=20_123, clock=ClockReading(0, 900), outcome=Outcome.UP, ok=6, total=6,
                    anchors={"any": {"ok": 2, "total": 2}, "ipv4": {"ok": 4, "total": 4}},
                )
            )  # fmt: skip

    def _sealed(
        self, stream: StreamId, first: int, lines: Sequence[bytes], from_us: int
    ) -> StoredSeal:
        """The seal over those lines, signed at the end of their minute."""
        body, end_us = b"".join(lines), from_us + MINUTE
        self.number += 1
        done = 0 if self.stream == ANCHORS else len(lines)
        name = StreamName(self.organisation, self.agent, self.stream, _EPOCH)
        payload = Payload(
            first, self.covered, len(lines), hashlib.sha256(body).hexdigest(), len(body)
        )
        seal = Seal(
            name, self.number, self.prev, payload, Slots(done, 0), _IN_FORCE,
            Span(from_us, end_us, (self.number - 1) * _MINUTE_NS, self.number * _MINUTE_NS), ClockState(True, -120, 900, 0),
        )  # fmt: skip
        note = signed_note(seal.text(), name.key_name, self.key)
        self.prev = hashlib.sha256(note).hexdigest()
        return StoredSeal(
            stream, self.number, note, first, self.covered, self.covered, len(lines), done, done, 0, 0,
            end_us, end_us + SECOND,
        )  # fmt: skip


def chains(organisation: str) -> list[Chain]:
    """Each agent's stream of results, and its stream of anchors."""
    keys = [Ed25519PrivateKey.generate() for _ in REGIONS]
    return [
        Chain(organisation, region, stream, key)
        for region, key in zip(REGIONS, keys, strict=True)
        for stream in (_SERVICE, ANCHORS)
    ]
