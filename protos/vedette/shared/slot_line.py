"""Whether a result line is of a slot: all that a seal counts of it, so that who verifies seals need read no more."""

from typing import Final

import msgspec


class _Slotted(msgspec.Struct):
    slot: int | None = None


_slots: Final = msgspec.json.Decoder(_Slotted)


def is_of_slot(line: bytes) -> bool:
    """The line `line` is the result of a slot, and not of an order; False if it cannot be read."""
    try:
        return _slots.decode(line).slot is not None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
