"""The life of an outage as the controller learnt of it: each event, what it changed, and what came with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from controller.core.instants import length_text
from controller.ports.events import Cause, EventKind, EventLine, OutageEvent
from controller.services.outages.outage_body import OutageBody, decode_body


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A fact of an outage before and after; None: it was not there.

    Instants and lengths (fields that end in `_us`) are integer microseconds in decimal, lists are words.
    """

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class CauseLine:
    """A line that came with an event; `late_us` is how long after its event time, if that is late."""

    line: EventLine
    late_us: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of an outage: what it is in words, what it changed, and what came with it."""

    event: OutageEvent
    words: str
    why: str
    changes: Sequence[FieldChange]
    lines: Sequence[CauseLine]


_FIELDS: Final[dict[str, Callable[[OutageBody], str | None]]] = {
    "started_us": lambda body: str(body.started_us),
    "ended_us": lambda body: None if body.ended_us is None else str(body.ended_us),
    "confirmed_us": lambda body: str(body.confirmed_us),
    "downtime_us": lambda body: str(body.downtime_us),
    "downtime_min_us": lambda body: str(body.downtime_us_min),
    "downtime_max_us": lambda body: str(body.downtime_us_max),
    "unknown_us": lambda body: str(body.unknown_us),
    "regions": lambda body: " ".join(body.regions),
    "kinds": lambda body: " ".join(sorted(kind for kind, _ in body.kinds)),
    "transients": lambda body: str(body.transients),
    "definition": lambda body: body.revision,
    "content_id": lambda body: body.id,
}
_WHY: Final = {
    Cause.TIME: "Time had passed: evidence had run out, or another definition had come into force.",
    Cause.DEFINITION: "A definition of the check came into force.",
    Cause.BACKLOG: "A backlog of results had been read; it is judged when no more of it comes.",
    Cause.RESTART: "The controller started and judged what was stored.",
    Cause.UPGRADE: "The ledger begins here: what was known before was not kept.",
}


def entries(events: Sequence[OutageEvent], prompt_us: int) -> list[Entry]:
    """The events of one outage, explained. A line is late if it came more than `prompt_us` after its time."""
    found: list[Entry] = []
    before: OutageBody | None = None
    for event in events:
        body = decode_body(event.body)
        lines = [CauseLine(one, _late_us(one, event, prompt_us)) for one in event.lines]
        entry = Entry(
            event, _words(event, before, body), _why(event, lines), _changes(before, body), lines
        )
        found.append(entry)
        before = body
    return found


def _late_us(line: EventLine, event: OutageEvent, prompt_us: int) -> int | None:
    after_us = event.recorded_us - line.at_us
    return after_us if after_us > prompt_us else None


def _changes(before: OutageBody | None, after: OutageBody) -> list[FieldChange]:
    if before is None:
        return []
    pairs = ((name, said(before), said(after)) for name, said in _FIELDS.items())
    return [FieldChange(name, old, new) for name, old, new in pairs if old != new]


def _why(event: OutageEvent, lines: Sequence[CauseLine]) -> str:
    if event.cause is not Cause.LINES:
        return _WHY[event.cause]
    count = event.line_count
    if not count:
        return "Results came."
    late = sum(one.late_us is not None for one in lines)
    came = "One line came" if count == 1 else f"{count} lines came"
    if not late:
        return f"{came}."
    if late == count:
        return f"{came}, late."
    return f"{came}, {late} of the {len(lines)} below late."


def _words(event: OutageEvent, before: OutageBody | None, body: OutageBody) -> str:
    """What happened, without instants: those stand in the changes."""
    match event.kind:
        case EventKind.OPENED:
            words = f"Opened: down in {_listed(body.regions)}."
        case EventKind.CONFIRMED:
            words = "Confirmed: down even by the most favourable reading of the evidence."
        case EventKind.CLOSED:
            words = f"Closed after {_for(body.downtime_us)} of downtime."
        case EventKind.REOPENED:
            words = "Reopened: its end is not its end any more."
        case EventKind.REVISED:
            words = f"Revised: {_difference(before, body)}."
        case EventKind.RETRACTED:
            into = f"; its time is part of OUT-{event.absorbed_by}" if event.absorbed_by else ""
            words = f"Retracted: by the evidence that is known now there was no such outage{into}."
        case _:
            assert_never(event.kind)
    if event.carried_from:
        words += " The handle stayed with the outage that overlaps most with what it stood for."
    return words


def _difference(before: OutageBody | None, after: OutageBody) -> str:
    """What people notice of a revision, the weightiest first."""
    if before is None:
        return "as it is now"
    parts = [
        *_moved("the start", before.started_us, after.started_us),
        *_moved("the end", before.ended_us, after.ended_us),
    ]
    is_closed = before.ended_us is not None and after.ended_us is not None
    if is_closed and before.downtime_us != after.downtime_us:
        parts.append(_grown("downtime", after.downtime_us - before.downtime_us))
    if before.regions != after.regions:
        parts.append(f"down in {_listed(after.regions)}, not {_listed(before.regions)}")
    bounds = [(one.downtime_us_min, one.downtime_us_max) for one in (before, after)]
    if not parts and is_closed and bounds[0] != bounds[1]:
        parts.append("other bounds of the downtime")
    if not parts and before.confirmed_us != after.confirmed_us:
        parts += _moved("the confirmation", before.confirmed_us, after.confirmed_us)
    if not parts and before.revision != after.revision:
        parts.append("judged by another definition")
    return ", ".join(parts or ["what was known of a part of it is something else"])


def _moved(what: str, before_us: int | None, after_us: int | None) -> list[str]:
    if before_us is None or after_us is None or before_us == after_us:
        return []
    direction = "earlier" if after_us < before_us else "later"
    return [f"{what} is {_for(abs(after_us - before_us))} {direction}"]


def _grown(what: str, by_us: int) -> str:
    return f"{_for(abs(by_us))} {'more' if by_us > 0 else 'less'} {what}"


def _for(length_us: int) -> str:
    return length_text(length_us)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or "no region"
