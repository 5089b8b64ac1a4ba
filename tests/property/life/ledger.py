"""Whether the ledger of outages tells what is stored, and no more than once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby, pairwise
from typing import Final

from controller.ports.events import EventKind, OutageEvent
from controller.ports.outcomes import OutageScope, StoredOutage
from controller.ports.storage import Storage, Transaction
from controller.services.outages.outage_body import decode_body
from controller.services.outages.telling import seen
from controller.services.timeline.evaluate import Evaluator

_EVERYTHING: Final = 10**9
_OPENS: Final = {EventKind.OPENED, EventKind.REOPENED}
_ONCE: Final = (EventKind.OPENED, EventKind.CONFIRMED, EventKind.RETRACTED)


def wrong_in_ledger(storage: Storage) -> list[str]:
    """What replaying the events gives otherwise than what is stored, and events that cannot be."""
    with storage.transaction() as tx:
        events = tx.events_after(0, _EVERYTHING)
        stored = {one.number: one for one in tx.outages(scope=OutageScope.ALL)}
    found: list[str] = []
    last: dict[int, OutageEvent] = {}
    by_outage = groupby(sorted(events, key=lambda one: one.number), lambda one: one.number)
    for number, group in by_outage:
        own = list(group)
        found += [f"OUT-{number}: {problem}" for problem in _impossible(own)]
        if own[-1].kind is not EventKind.RETRACTED:
            last[number] = own[-1]
    if last.keys() != stored.keys():
        found.append(f"the ledger has outages {sorted(last)}, stored are {sorted(stored)}")
    for number in last.keys() & stored.keys():
        if _told(last[number]) != _kept(stored[number]):
            found.append(
                f"OUT-{number}: told as {_told(last[number])}, not {_kept(stored[number])}"
            )
    return found


def _impossible(events: Sequence[OutageEvent]) -> Iterator[str]:
    """What cannot be in the life of one outage."""
    kinds = [one.kind for one in events]
    if [one.revision for one in events] != list(range(1, len(events) + 1)):
        yield f"revisions {[one.revision for one in events]}"
    if [one.sequence for one in events] != sorted(one.sequence for one in events):
        yield "its events are not in order"
    if kinds[0] is not EventKind.OPENED or any(kinds.count(kind) > 1 for kind in _ONCE):
        yield f"it was {kinds}"
    if EventKind.RETRACTED in kinds[:-1]:
        yield "something happened after it was retracted"
    is_open = False
    for old, new in pairwise([None, *events]):
        assert new is not None
        ended = decode_body(new.body).ended_us is not None
        if new.kind is EventKind.CLOSED and not (is_open and ended):
            yield f"revision {new.revision} closed what was not open"
        if new.kind in _OPENS:
            if is_open:
                yield f"revision {new.revision} opened what was open"
            is_open = True
        elif new.kind is EventKind.CLOSED:
            is_open = False
        if new.kind is EventKind.REVISED and old is not None and _all_of(old) == _all_of(new):
            yield f"revision {new.revision} says nothing new"


def _all_of(event: OutageEvent) -> tuple[object, ...]:
    body = decode_body(event.body)
    return seen(body), body.until_us, body.downtime_us, body.unknown_us, tuple(body.regions)


def _told(event: OutageEvent) -> tuple[object, ...]:
    return event.check, event.detected_us, event.closed_known_us, seen(decode_body(event.body))


def _kept(one: StoredOutage) -> tuple[object, ...]:
    return one.check, one.detected_us, one.closed_known_us, seen(decode_body(one.body))


class _Undone(Exception):
    """The restart that was only tried."""


class _Trial:
    """A storage whose transactions are undone at their end, and how many events they would have added."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.new: list[OutageEvent] = []

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with suppress(_Undone), self._storage.transaction() as tx:
            known = tx.events_after(0, _EVERYTHING)
            yield tx
            self.new += tx.events_after(known[-1].sequence if known else 0, _EVERYTHING)
            raise _Undone

    def close(self) -> None:
        """Nothing is held."""


def told_by_restart(storage: Storage, now_us: int) -> list[str]:
    """The events that a restart at that instant would add: there should be none."""
    trial = _Trial(storage)
    Evaluator(trial).rebuild(now_us)
    return [f"a restart tells that {one.handle} was {one.kind}" for one in trial.new]
