"""The whole of an outage as it is stored: JSON in the outage's row."""

from typing import Final

import msgspec

from controller.core.outages import Outage


class BodyVote(msgspec.Struct, frozen=True):
    """What a region said when the outage started, and since when that was certain."""

    region: str
    label: str
    confirmed_us: int | None


class OutageBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """An outage with what decided it. Times are integer microseconds.

    `region` is set if it is the outage of that region alone.
    """

    id: str
    check: str
    revision: str
    started_us: int
    until_us: int
    ended_us: int | None
    confirmed_us: int
    downtime_us: int
    downtime_us_min: int
    downtime_us_max: int
    unknown_us: int
    regions: list[str]
    kinds: list[tuple[str, int]]
    transients: int
    votes: list[BodyVote]
    region: str = ""

    @property
    def scope(self) -> str:
        """Whom it concerns: everybody, or those of one region (S-14)."""
        return "regional" if self.region else "global"


_decoder: Final = msgspec.json.Decoder(OutageBody)
_encoder: Final = msgspec.json.Encoder()


def body_of(outage: Outage) -> OutageBody:
    """The stored form of an outage."""
    span = outage.span
    return OutageBody(
        id=outage.id,
        check=outage.check,
        revision=outage.revision,
        started_us=span.started_us,
        until_us=span.until_us,
        ended_us=span.ended_us,
        confirmed_us=outage.confirmed_us,
        downtime_us=span.downtime_us,
        downtime_us_min=outage.downtime_us_min,
        downtime_us_max=outage.downtime_us_max,
        unknown_us=span.unknown_us,
        regions=list(outage.regions),
        kinds=list(outage.kinds),
        transients=outage.transients,
        votes=[BodyVote(v.region, v.label.name, v.confirmed_us) for v in outage.votes],
        region=outage.region,
    )


def encode_body(body: OutageBody) -> bytes:
    """The bytes that are stored."""
    return _encoder.encode(body)


def decode_body(data: bytes) -> OutageBody:
    """The outage in stored bytes. ValueError if they are damaged."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ValueError(f"a stored outage is damaged: {error}") from error
