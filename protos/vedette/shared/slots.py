"""When a check runs in a region: slots counted from the epoch, spread evenly over the regions."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cadence:
    """Run k is at `phase_us + k * interval_us` since the Unix epoch; `0 <= phase_us < interval_us`."""

    interval_us: int
    phase_us: int


def cadence_of(
    check: str, interval_us: int, region: str, regions: Sequence[str], *, place: int = 0
) -> Cadence:
    """The cadence of `check` in `region`, for the agent that has `place` among those of the region.

    The phase comes from the check's id and the region's rank among the check's regions (sorted, so that
    the order in the file does not matter): regions are spread evenly over the interval, so a failure is
    seen after about interval/regions, and a restart changes nothing. Agents of a region share what it has
    of the interval; one that comes or goes moves no other. ValueError if the region is not one of the
    regions.
    """
    rank = sorted(regions).index(region)
    spread = int.from_bytes(hashlib.sha256(check.encode()).digest()[:8])
    numerator, denominator = share_of(place)
    within_us = interval_us * numerator // (denominator * len(regions))
    phase_us = spread + rank * interval_us // len(regions) + within_us
    return Cadence(interval_us, phase_us % interval_us)


def share_of(place: int) -> tuple[int, int]:
    """Where place 0, 1, 2, ... of any number stands, as a fraction: 0, 1/2, 1/4, 3/4, 1/8, 5/8, ...

    The sequence of van der Corput: every beginning of it is spread evenly, and a further one moves none.
    """
    bits = max(place.bit_length(), 1)
    reversed_bits = int(format(place, f"0{bits}b")[::-1], 2)
    return reversed_bits, 1 << bits


def slot_at(cadence: Cadence, now_us: int) -> int:
    """Number of the slot that `now_us` falls in.

    Counted from the epoch and not from start-up: a restarted agent gives the same run the same number.
    """
    return (now_us - cadence.phase_us) // cadence.interval_us


def slot_start_us(cadence: Cadence, slot: int) -> int:
    """The instant at which `slot` begins, and its probe is due."""
    return cadence.phase_us + slot * cadence.interval_us
