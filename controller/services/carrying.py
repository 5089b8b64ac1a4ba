"""Regional outages that lie across a settled instant, as they are stored: JSON."""

from collections.abc import Sequence
from typing import Final

import msgspec

from controller.core.regional import Carried

_decoder: Final = msgspec.json.Decoder(list[Carried])
_encoder: Final = msgspec.json.Encoder()


def encode_carried(carried: Sequence[Carried]) -> bytes:
    """The bytes that are stored."""
    return _encoder.encode(carried)


def decode_carried(data: bytes) -> list[Carried]:
    """What stored bytes say. ValueError if they are damaged."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ValueError(f"stored regional outages are damaged: {error}") from error
