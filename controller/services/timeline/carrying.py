"""Regional outages that lie across settled instants: what is noted of them there, and for how many instants.

An engine that is made anew begins at such an instant, and need not read them back to their beginning.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from controller.core.regional import Carried
from controller.ports.storage import Transaction

_HOUR_US: Final = 3600 * 1_000_000
_DAY_US: Final = 24 * _HOUR_US
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


def keep_carried(tx: Transaction, check: str, at_us: int, carried: Sequence[Carried]) -> None:
    """Note what lies across a settled instant; of a day ago one note an hour is kept, of earlier one a day."""
    tx.put_carried(check, at_us, encode_carried(carried))
    for instant_us in superfluous(tx.carried_instants(check)):
        tx.forget_carried(check, instant_us, instant_us + 1)


def superfluous(instants: Sequence[int]) -> list[int]:
    """Of instants in order of time, those that are no longer worth a note."""
    taken: set[tuple[int, int]] = set()
    found: list[int] = []
    for at_us in reversed(instants):
        age_us = instants[-1] - at_us
        if age_us < _HOUR_US:
            continue
        length_us = _HOUR_US if age_us < _DAY_US else _DAY_US
        place = (length_us, at_us // length_us)
        if place in taken:
            found.append(at_us)
        taken.add(place)
    return found
