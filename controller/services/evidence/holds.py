"""Holds: what they cover is not pruned, however old it is. Appended to, and in the ledger of acts."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from controller.core.sla.claims.claims import Claim, ClaimState
from controller.errors import BadInput, NotFound, Rejected
from controller.ports.custody import Actor
from controller.ports.holds import HoldEvent, HoldKind, in_force
from controller.ports.seals import StreamId
from controller.ports.storage import Storage, Transaction
from controller.services.contracts.terms import Terms
from controller.services.evidence.disputed import Asked, Meant, meant
from controller.services.people.texts import text_of
from vedette.shared.definitions import decode_check
from vedette.shared.limits import HOLDS_MAX

_HANDLE: Final = re.compile(r"(?:HLD-)?([1-9][0-9]{0,17})", re.IGNORECASE)
_ENDS: Final = frozenset({ClaimState.SETTLED, ClaimState.WITHDRAWN, ClaimState.SUPERSEDED})


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as it was placed, and how it was lifted, if it was. `came_late`: lines of it were pruned before."""

    placed: HoldEvent
    lifted: HoldEvent | None = None
    came_late: bool = False


class Holds:
    """Places, lifts and lists them. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, terms: Terms, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._terms = terms
        self._now_us = now_us

    def place(self, asked: Asked, reason: str, by: Actor) -> Hold:
        """Hold what is asked for. NotFound, BadInput: there is no such thing, or it is not one thing."""
        why = _reason(reason)
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            found = meant(tx, self._terms, asked, now_us)
            placed = HoldEvent(
                _next(tx), HoldKind.PLACED, now_us, by.name, by.role, by.peer, found.subject,
                tuple(found.checks), found.from_us, found.to_us, why,
            )  # fmt: skip
            _put(tx, placed, by)
            return Hold(placed, came_late=_is_pruned(tx, found))

    def lift(self, handle: str, reason: str, by: Actor) -> Hold:
        """Let what is held be pruned when its time is over. Rejected: it is lifted already, or a claim's own."""
        number, why = _number(handle), _reason(reason)
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            hold = _by_number(tx).get(number)
            if hold is None:
                raise NotFound(
                    f"There is no hold HLD-{number}: `vedette evidence hold list` shows them."
                )
            if hold.lifted is not None:
                raise Rejected(f"HLD-{number} was lifted already, by {hold.lifted.who}.")
            if hold.placed.claim:
                raise Rejected(
                    f"HLD-{number} is of CLM-{hold.placed.claim}, which is disputed: it is lifted when that is settled"
                    " or withdrawn."
                )
            lifted = _lifted(hold.placed, now_us, by, why)
            _put(tx, lifted, by)
        return Hold(hold.placed, lifted)

    def list(self, *, is_all: bool = False) -> Sequence[Hold]:
        """The holds in force, or all that there ever were, the newest first."""
        with self._storage.transaction() as tx:
            found = _by_number(tx)
        listed = [found[number] for number in sorted(found, reverse=True)]
        return [one for one in listed if is_all or one.lifted is None]


def follow_claim(
    tx: Transaction, claim: Claim, checks: Sequence[str], by: Actor, now_us: int
) -> None:
    """A claim that is disputed holds what it rests on until it comes to its end."""
    held = [one for one in in_force(tx.hold_events()) if one.claim == claim.number]
    if claim.state is ClaimState.DISPUTED and not held:
        facts = claim.facts
        placed = HoldEvent(
            _next(tx), HoldKind.PLACED, now_us, by.name, by.role, by.peer,
            f"{facts.contract} {facts.label}", tuple(checks), facts.from_us, facts.to_us,
            f"{claim.handle} is disputed", claim.number,
        )  # fmt: skip
        _put(tx, placed, by)
    if claim.state in _ENDS:
        for one in held:
            _put(tx, _lifted(one, now_us, by, f"{claim.handle} is {claim.state}"), by)


def _is_pruned(tx: Transaction, found: Meant) -> bool:
    """Lines of that time were pruned, of a service that one of the checks was ever of."""
    revisions = [one for one in tx.check_revisions() if one.check in found.checks]
    services = {decode_check(one.definition).service for one in revisions if one.definition}
    for position in tx.positions():
        stream = StreamId(position.agent, position.epoch, position.stream)
        if stream.stream not in services or not (runs := tx.pruned(stream)):
            continue
        numbers = tx.seals_over(stream, found.from_us, found.to_us)
        if numbers and any(
            run.first_seal <= numbers[-1] and numbers[0] <= run.last_seal for _, run in runs
        ):
            return True
    return False


def _put(tx: Transaction, event: HoldEvent, by: Actor) -> None:
    tx.put_hold_event(event)
    action = "hold.place" if event.kind is HoldKind.PLACED else "hold.lift"
    tx.record(by.act(event.at_us, action, event.handle, f"{event.subject}: {event.reason}"))


def _lifted(placed: HoldEvent, now_us: int, by: Actor, why: str) -> HoldEvent:
    return replace(
        placed,
        kind=HoldKind.LIFTED,
        at_us=now_us,
        who=by.name,
        role=by.role,
        peer=by.peer,
        reason=why,
    )


def _next(tx: Transaction) -> int:
    """The number of a new hold. Rejected if there are too many in force."""
    events = tx.hold_events()
    if len(in_force(events)) >= HOLDS_MAX:
        raise Rejected(f"{HOLDS_MAX} holds are in force, which is the most: lift one first.")
    return max((one.number for one in events), default=0) + 1


def _by_number(tx: Transaction) -> dict[int, Hold]:
    found: dict[int, Hold] = {}
    for one in tx.hold_events():
        if one.kind is HoldKind.PLACED:
            found[one.number] = Hold(one)
        else:
            found[one.number] = replace(found[one.number], lifted=one)
    return found


def _number(handle: str) -> int:
    match = _HANDLE.fullmatch(handle)
    if match is None:
        raise BadInput(f"Expected the handle of a hold such as HLD-3, found {handle!r}.")
    return int(match[1])


def _reason(text: str) -> str:
    said = text_of(text, "reason")
    if not said:
        raise BadInput(
            "Expected a reason: whoever finds lines that should be gone will ask for one."
        )
    return said
