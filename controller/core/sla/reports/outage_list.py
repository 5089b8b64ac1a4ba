"""Outages as `vedette outage list --json` prints them: what a timeline does not say, for computing offline.

Lines say when a check was down. When that was known, told, taken on and paused, stands in the ledgers of a
controller, and this document is what it gives away of them.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from controller.core.instants import instant_text
from controller.core.intervals import FOREVER_US
from controller.core.pauses import Mark, pauses
from controller.core.replay import Replay, ReplayedOutage
from controller.core.severity import Severity
from controller.core.sla.figures.clocks import clocks_of
from controller.core.sla.figures.reliability import OutageTimes

# An instant of these years: later ones have no calendar.
Micros = Annotated[int, Meta(ge=0, le=100_000_000_000_000_000)]
_PEOPLE = frozenset({"admin", "operator"})


class ListedRemark(msgspec.Struct, frozen=True):
    """What was said of an outage, by whom, and from when on it holds if that is another instant."""

    kind: Literal["ack", "annotation", "pause", "resume"]
    at_us: Micros
    role: str
    from_us: Micros | None = None


class ListedOutage(msgspec.Struct, frozen=True):
    """An outage, as far as people are measured by it."""

    id: str
    check: str
    severity: Severity
    started_us: Micros
    detected_us: Micros
    confirmed_us: Micros
    ended_us: Micros | None
    notified_us: Micros | None = None
    held_us: Micros | None = None
    region: str | None = None
    remarks: tuple[ListedRemark, ...] = ()
    retracted: Any = None


class OutageList(msgspec.Struct, frozen=True):
    """The document. `regional_not_shown` counts outages of single regions that it leaves out."""

    outages: tuple[ListedOutage, ...]
    regional_not_shown: Annotated[int, Meta(ge=0)] = 0
    is_cut: bool = msgspec.field(default=False, name="cut")


def decode_outages(data: bytes) -> OutageList:
    """The document that `data` is. ValueError says what is wrong with it."""
    try:
        found = msgspec.json.decode(data, type=OutageList)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    seen: set[str] = set()
    for one in found.outages:
        if one.id in seen:
            raise ValueError(f"expected each outage once, found {one.id} again")
        seen.add(one.id)
        if one.ended_us is not None and one.ended_us <= one.started_us:
            raise ValueError(f"expected the end of {one.id} after its start, {one.started_us}")
    return found


def outage_times(document: OutageList, check: str) -> list[OutageTimes]:
    """What people are measured by in the outages of a check and of its regions, by when they began."""
    found = [_times(one) for one in document.outages if one.check == check and not one.retracted]
    return sorted(found, key=lambda one: (one.started_us, one.region))


def _times(one: ListedOutage) -> OutageTimes:
    # A machine's word stops nobody's clock (S-47).
    acks = [said.at_us for said in one.remarks if said.kind == "ack" and said.role in _PEOPLE]
    marks = [
        Mark(said.kind == "pause", said.at_us if said.from_us is None else said.from_us, said.at_us)
        for said in one.remarks
        if said.kind in ("pause", "resume")
    ]
    return OutageTimes(
        started_us=one.started_us,
        ended_us=one.ended_us,
        detected_us=one.detected_us,
        notified_us=one.notified_us,
        held_us=one.held_us,
        acked_us=min(acks, default=None),
        confirmed_us=one.confirmed_us,
        handle=one.id,
        check=one.check,
        region=one.region or "",
        severity=one.severity,
        pauses=pauses(marks),
    )


def with_clocks(document: Replay, listed: OutageList, checks: Iterable[str]) -> Replay:
    """A replay document that knows what people are measured by in the outages of these checks.

    ValueError if it has an outage of which the list knows nothing: the list was cut, filtered, or made before.
    """
    found = dict(document.checks)
    for check in checks:
        times = outage_times(listed, check)
        for outage in found[check].outages:
            if not any(_is_same(one, outage) for one in times):
                raise ValueError(
                    f"expected the outage of check {check!r} that begins at"
                    f" {instant_text(outage.started_at)}, found none that overlaps it"
                )
        found[check] = msgspec.structs.replace(found[check], clocks=clocks_of(times))
    return msgspec.structs.replace(document, checks=found)


def _is_same(one: OutageTimes, other: ReplayedOutage) -> bool:
    starts_before = one.started_us < _until(other.ended_at)
    return not one.region and starts_before and other.started_at < _until(one.ended_us)


def _until(ended_us: int | None) -> int:
    return FOREVER_US if ended_us is None else ended_us
