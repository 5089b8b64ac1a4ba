"""Outages for people: what is known of them now, or was at an instant, and how that came about."""

from collections.abc import Callable, Sequence
from typing import Final

from controller.core.instants import instant_text
from controller.errors import BadInput, NotFound
from controller.ports.events import EventKind, OutageEvent
from controller.ports.outcomes import OutageScope
from controller.ports.storage import Storage, Transaction
from controller.services.outages.explain import Explaining
from controller.services.outages.explanation import Explanation
from controller.services.outages.grading import Grading
from controller.services.outages.outage_history import Entry, entries
from controller.services.outages.outage_names import number_of
from controller.services.outages.outage_views import Known, OutageView, Views
from controller.services.timeline.evaluate import Evaluator

_LIST_MAX: Final = 1000


class Outages:
    """Lists, shows and explains outages. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, evaluator: Evaluator, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._now_us = now_us
        self._grading = Grading()
        self._explaining = Explaining(evaluator)

    def list(
        self,
        *,
        check: str | None = None,
        from_us: int | None = None,
        to_us: int | None = None,
        open_only: bool = False,
        limit: int = 0,
        as_of_us: int | None = None,
        scope: OutageScope = OutageScope.GLOBAL,
    ) -> Sequence[OutageView]:
        """Outages that touch the time, newest first, at most `limit` (0: 1000). NotFound: no such check.

        `as_of_us`: those that were known at that instant, as they were known (S-21). BadInput: a time that ends
        before it begins.
        """
        if from_us is not None and to_us is not None and from_us > to_us:
            raise BadInput("Expected a time that begins before it ends: --from is later than --to.")
        with self._storage.transaction() as tx:
            if check is not None and check not in self._evaluator.checks(tx):
                raise NotFound(f"There is no check {check!r}, and there never was one.")
            most = limit or _LIST_MAX
            views = self._views(tx)
            if as_of_us is not None:
                events = tx.events_as_of(as_of_us, check)
                then = [one for one in _alive(events, scope) if _touches(one, from_us, to_us)]
                then.sort(key=lambda one: (-one.body.started_us, -one.number))
                return views.then(
                    [k for k in then if _is_wanted(k.ended_us, open_only)][:most], as_of_us
                )
            rows = tx.outages(check, from_us, to_us, scope=scope, open_only=open_only, limit=most)
            last = {one.number: one for one in tx.newest_events([row.number for row in rows])}
            return views.now([Known.of_row(row, last.get(row.number)) for row in rows])

    def count(self, *, check: str | None, open_only: bool, scope: OutageScope) -> int:
        """How many outages of that scope there are."""
        with self._storage.transaction() as tx:
            return tx.outage_count(check, scope=scope, open_only=open_only)

    def show(self, handle: str, as_of_us: int | None = None) -> OutageView:
        """The outage of that handle (OUT-12), also one that was retracted. NotFound: there never was one."""
        number = number_of(handle)
        with self._storage.transaction() as tx:
            views = self._views(tx)
            if as_of_us is not None:
                return views.then([_then(tx, number, as_of_us)], as_of_us)[0]
            return views.now([_now(tx, number)])[0]

    def history(self, handle: str) -> tuple[OutageView, Sequence[Entry]]:
        """The outage, and everything that was learnt of it, the oldest first."""
        number = number_of(handle)
        with self._storage.transaction() as tx:
            return self._learnt(tx, number)

    def explain(self, handle: str) -> Explanation:
        """What decided the outage of that handle, or did before it was retracted."""
        number = number_of(handle)
        with self._storage.transaction() as tx:
            view, history = self._learnt(tx, number)
            return self._explaining.of(tx, view, history, self._now_us())

    def _learnt(self, tx: Transaction, number: int) -> tuple[OutageView, Sequence[Entry]]:
        known = _now(tx, number)
        view = self._views(tx).now([known])[0]
        self._evaluator.checks(tx)  # reads the definitions that say how often the check runs
        prompt_us = self._evaluator.prompt_us(known.check)
        return view, entries(tx.events_of(number), prompt_us)

    def _views(self, tx: Transaction) -> Views:
        return Views(tx, self._evaluator, self._grading, self._now_us())


def _is_wanted(ended_us: int | None, open_only: bool) -> bool:
    return ended_us is None or not open_only


def _alive(events: Sequence[OutageEvent], scope: OutageScope) -> list[Known]:
    alive = (Known.of_event(one) for one in events if one.kind is not EventKind.RETRACTED)
    return [one for one in alive if scope in (OutageScope.ALL, one.body.scope)]


def _touches(known: Known, from_us: int | None, to_us: int | None) -> bool:
    is_before = from_us is not None and known.ended_us is not None and known.ended_us <= from_us
    return not is_before and (to_us is None or known.body.started_us < to_us)


def _now(tx: Transaction, number: int) -> Known:
    """What is known of an outage; of a retracted one, what was last."""
    last = next(iter(tx.newest_events([number])), None)
    row = tx.outage(number)
    if row is not None:
        return Known.of_row(row, last)
    if last is None:
        raise NotFound(f"There is no outage OUT-{number}, and there never was one.")
    return Known.of_event(last)


def _then(tx: Transaction, number: int, as_of_us: int) -> Known:
    """What was known of an outage at an instant."""
    events = tx.events_of(number)
    if not events:
        raise NotFound(f"There is no outage OUT-{number}, and there never was one.")
    before = [one for one in events if one.recorded_us <= as_of_us]
    if not before:
        raise NotFound(
            f"OUT-{number} was not known at {instant_text(as_of_us)}: it was recorded at"
            f" {instant_text(events[0].recorded_us)}."
        )
    return Known.of_event(before[-1])
