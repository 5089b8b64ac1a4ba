"""Importing maintenance from a calendar: what is new is declared, what changed is replaced, what is off withdrawn.

An occurrence is known by its event, by which one of the event's it is, and by the scope that it was imported for. So
importing a calendar again declares nothing twice. What has begun is history: an import leaves it as it is.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from controller.core.sla.terms.exclusions import Exclusion, ExclusionType, Source
from controller.errors import BadInput
from controller.ports.custody import Actor
from controller.ports.exclusions import EntryKind
from controller.ports.storage import Storage
from controller.services.contracts.declared import Declared
from controller.services.contracts.exclusion_ledger import ExclusionLedger, Occurrence
from controller.services.contracts.exclusions import Asked, exclusion_asked
from controller.services.contracts.terms import Terms
from vedette.shared.limits import CALENDAR_OCCURRENCES_MAX, CALENDAR_UID_CHARS_MAX

_PREFIX: Final = "cal-"
_DIGITS: Final = 12
# These may be declared after they began (S-27).
_AFTERWARDS: Final = frozenset({ExclusionType.FORCE_MAJEURE, ExclusionType.CUSTOMER_FAULT})


class Step(StrEnum):
    """What an import does about an occurrence."""

    DECLARE = "declare"
    REPLACE = "replace"
    WITHDRAW = "withdraw"
    KEEP = "keep"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """An occurrence in a calendar. `recurrence` says which of its event's it is; empty: the only one."""

    occurrence: Occurrence
    from_us: int
    to_us: int
    summary: str = ""
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class CalendarAsked:
    """A calendar over [from_us, until_us): its occurrences in that time, and the uids of all its events.

    `template` has the type, the scope and the evidence; its reason stands where an event has no summary.
    """

    template: Asked
    events: Sequence[CalendarEvent]
    uids: frozenset[str]
    from_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Done:
    """What was done about an occurrence, and why if that is not plain. `replaces` is the id of the old one."""

    step: Step
    id: str
    from_us: int
    to_us: int
    summary: str = ""
    why: str = ""
    replaces: str = ""


class CalendarImport:
    """Imports. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, terms: Terms, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._terms = terms
        self._now_us = now_us

    def run(self, asked: CalendarAsked, by: Actor, *, is_dry: bool) -> Sequence[Done]:
        """Import, whole or not at all; a dry one only tells what it would do."""
        _refuse_bad(asked)
        with self._storage.transaction() as tx:
            ledger = ExclusionLedger(tx, self._terms, self._now_us())
            work = _Import(ledger, asked, by, is_dry=is_dry)
            return [*work.events(), *work.vanished()]


class _Import:
    """One import, within its transaction."""

    def __init__(
        self, ledger: ExclusionLedger, asked: CalendarAsked, by: Actor, *, is_dry: bool
    ) -> None:
        self._ledger = ledger
        self._asked = asked
        self._by = by
        self._is_dry = is_dry
        self._scope = _scope_text(
            asked.template.checks, asked.template.services, is_for_all=asked.template.is_for_all
        )
        # Of each occurrence that was imported for this scope the exclusion that was declared last.
        self._known: dict[Occurrence, Declared] = {}
        for one in ledger.all:
            if one.declaration.source is Source.CALENDAR and self._is_mine(one):
                first = one.entries[0]
                self._known[Occurrence(first.uid, first.recurrence)] = one

    def events(self) -> Iterator[Done]:
        """What is done about each occurrence in the calendar."""
        for event in self._asked.events:
            yield self._done(event)

    def vanished(self) -> Iterator[Done]:
        """What is done about those that its events had, and have no more."""
        named = {one.occurrence for one in self._asked.events}
        for occurrence, known in list(self._known.items()):
            exclusion = known.declaration.exclusion
            from_us = exclusion.interval.from_us
            is_asked = self._asked.from_us <= from_us < self._asked.until_us
            if occurrence in named or occurrence.uid not in self._asked.uids or not is_asked:
                continue
            if known.declaration.withdrawn_us is None and from_us > self._ledger.now_us:
                yield self._withdrawn(known, "no longer in the calendar")

    def _done(self, event: CalendarEvent) -> Done:
        known = self._known.get(event.occurrence)
        old = known.declaration if known else None
        is_live = old is not None and old.withdrawn_us is None
        now_us = self._ledger.now_us
        has_begun = old is not None and old.exclusion.interval.from_us <= now_us
        if event.is_cancelled:
            if known is None or not is_live or has_begun:
                why = "has begun: withdraw it by command" if is_live else "cancelled"
                return _told(event, Step.SKIP, old.exclusion.id if old else "", why)
            return self._withdrawn(known, "cancelled in the calendar")
        new = self._exclusion(event)
        if known is not None and old is not None:
            is_same = old.exclusion.digest() == new.digest()
            if is_same and (is_live or _is_withdrawn_by_hand(known)):
                return _told(
                    event, Step.KEEP, old.exclusion.id, "" if is_live else "withdrawn by command"
                )
            if is_live and has_begun:
                why = "has begun: what changed is not taken over"
                return _told(event, Step.KEEP, old.exclusion.id, why)
        if event.from_us <= now_us and new.type not in _AFTERWARDS:
            return _told(event, Step.SKIP, "", "began before it was declared")
        if known is not None and is_live:
            self._append(
                known.declaration.exclusion,
                EntryKind.WITHDRAWN,
                event.occurrence,
                f"replaced by {new.id}",
            )
        self._append(new, EntryKind.DECLARED, event.occurrence)
        step = Step.REPLACE if is_live else Step.DECLARE
        return _told(event, step, new.id, replaces=old.exclusion.id if old and is_live else "")

    def _withdrawn(self, known: Declared, why: str) -> Done:
        exclusion, first = known.declaration.exclusion, known.entries[0]
        self._append(exclusion, EntryKind.WITHDRAWN, Occurrence(first.uid, first.recurrence), why)
        return Done(Step.WITHDRAW, exclusion.id, *exclusion.interval, exclusion.reason, why)

    def _append(
        self, exclusion: Exclusion, kind: EntryKind, occurrence: Occurrence, text: str = ""
    ) -> None:
        if not self._is_dry:
            self._ledger.append(exclusion, kind, self._by, text=text, occurrence=occurrence)

    def _exclusion(self, event: CalendarEvent) -> Exclusion:
        said = "\0".join((*event.occurrence, self._scope)).encode()
        base = _PREFIX + hashlib.sha256(said).hexdigest()[:_DIGITS]
        names = (base if n == 1 else f"{base}-{n}" for n in itertools.count(1))
        template = self._asked.template
        asked = replace(
            template,
            id=next(name for name in names if self._ledger.find(name) is None),
            from_us=event.from_us,
            to_us=event.to_us,
            reason=event.summary or template.reason,
        )
        return exclusion_asked(asked, self._ledger, self._by)

    def _is_mine(self, one: Declared) -> bool:
        scope = one.declaration.exclusion.scope
        if isinstance(scope, str):
            return self._scope == _scope_text((), (), is_for_all=True)
        return self._scope == _scope_text(scope.checks, scope.services, is_for_all=False)


def _scope_text(checks: Sequence[str], services: Sequence[str], *, is_for_all: bool) -> str:
    return "all" if is_for_all else f"{sorted(checks)} {sorted(services)}"


def _is_withdrawn_by_hand(known: Declared) -> bool:
    """A person withdrew it: a calendar that still has it does not bring it back."""
    last = known.entries[-1]
    return last.kind is EntryKind.WITHDRAWN and not last.uid


def _told(event: CalendarEvent, step: Step, name: str, why: str = "", replaces: str = "") -> Done:
    return Done(step, name, event.from_us, event.to_us, event.summary, why, replaces)


def _refuse_bad(asked: CalendarAsked) -> None:
    """BadInput for what a reader of calendars would not send."""
    if len(asked.events) > CALENDAR_OCCURRENCES_MAX:
        raise BadInput(
            f"Expected at most {CALENDAR_OCCURRENCES_MAX} occurrences, found {len(asked.events)}: import a"
            " shorter time."
        )
    seen: set[Occurrence] = set()
    for one in asked.events:
        if not one.occurrence.uid or len("".join(one.occurrence)) > CALENDAR_UID_CHARS_MAX + 32:
            raise BadInput(
                f"Expected a UID of 1 to {CALENDAR_UID_CHARS_MAX} characters, found {one.occurrence.uid[:40]!r}."
            )
        if one.occurrence in seen:
            raise BadInput(
                f"Expected each occurrence once, found one of {one.occurrence.uid!r} again."
            )
        seen.add(one.occurrence)
