"""Claims (S-50): how a claim for credits goes from a draft to its end, as a function of what was done to it.

Acts are only ever appended. Whoever reads a claim folds them, so that nobody can have changed it unseen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec

DAYS_UNIT: Final = "days"


class ClaimState(StrEnum):
    """How far a claim is. The last three are ends."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DISPUTED = "disputed"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class ClaimAction(StrEnum):
    """What is done to a claim."""

    CREATE = "create"
    SUBMIT = "submit"
    ACCEPT = "accept"
    DISPUTE = "dispute"
    SETTLE = "settle"
    WITHDRAW = "withdraw"
    SUPERSEDE = "supersede"


class Move(msgspec.Struct, frozen=True):
    """Where an act leads, from where it may be done, and what has to be said with it."""

    to: ClaimState
    from_: frozenset[ClaimState]
    needs_reason: bool = False
    takes_amount: bool = False


_OPEN: Final = frozenset({ClaimState.DRAFT, ClaimState.SUBMITTED, ClaimState.DISPUTED})
MOVES: Final = {
    ClaimAction.SUBMIT: Move(ClaimState.SUBMITTED, frozenset({ClaimState.DRAFT})),
    ClaimAction.ACCEPT: Move(
        ClaimState.ACCEPTED,
        frozenset({ClaimState.SUBMITTED, ClaimState.DISPUTED}),
        takes_amount=True,
    ),
    ClaimAction.DISPUTE: Move(
        ClaimState.DISPUTED, frozenset({ClaimState.SUBMITTED}), needs_reason=True, takes_amount=True
    ),
    ClaimAction.SETTLE: Move(
        ClaimState.SETTLED,
        frozenset({ClaimState.ACCEPTED, ClaimState.DISPUTED}),
        takes_amount=True,
    ),
    ClaimAction.WITHDRAW: Move(ClaimState.WITHDRAWN, _OPEN, needs_reason=True),
    ClaimAction.SUPERSEDE: Move(ClaimState.SUPERSEDED, _OPEN),
}


class ClaimFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim is about: settled when it is made. Times are integer microseconds.

    `unit` is a currency, or days; `deadline_us` the first instant that is too late, `last_day` the last day
    in the contract's zone. `supersedes` is the number of the claim in whose place it stands (0: of none).
    `seal` names the sealed report that it rests on; where it is empty, the figures are pinned by `as_of_us`.
    `is_outdated`: what came since says otherwise than that report.
    """

    contract: str
    revision: int
    title: str
    party: str
    level: str
    objectives: tuple[str, ...]
    label: str
    from_us: int
    to_us: int
    tz: str
    as_of_us: int
    amount: str
    unit: str
    deadline_us: int | None = None
    last_day: str | None = None
    supersedes: int = 0
    seal: str = ""
    is_outdated: bool = False
    manifest: str = ""


@dataclass(frozen=True, slots=True)
class ClaimAct:
    """One act: who did what, when, in which role and from where, and why.

    `amount` is what was accepted, conceded or settled. `late` is why it is done after the deadline.
    `by_claim` is the number of the claim that supersedes it.
    """

    action: ClaimAction
    at_us: int
    who: str
    role: str
    peer: str
    reason: str = ""
    amount: str | None = None
    late: str = ""
    by_claim: int = 0


class ClaimRefused(ValueError):
    """An act that the rules of claims do not allow. The text is a whole sentence."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim after its acts. `accepted` and `settled` are amounts in its unit; None: none yet."""

    number: int
    facts: ClaimFacts
    state: ClaimState
    acts: tuple[ClaimAct, ...]
    accepted: str | None = None
    settled: str | None = None
    superseded_by: int = 0

    @property
    def handle(self) -> str:
        """The name for people: CLM-12."""
        return f"CLM-{self.number}"

    @property
    def is_live(self) -> bool:
        """It was neither withdrawn nor superseded: what it claims is not to be claimed again."""
        return self.state not in (ClaimState.WITHDRAWN, ClaimState.SUPERSEDED)

    @property
    def late(self) -> str:
        """Why something was done after the deadline; empty: nothing was."""
        return next((one.late for one in self.acts if one.late), "")

    def after(self, act: ClaimAct) -> "Claim":
        """The claim once that was done to it. ClaimRefused says why it cannot be."""
        move = MOVES.get(act.action)
        if move is None or self.state not in move.from_:
            raise ClaimRefused(self._unfit(act.action))
        if move.needs_reason and not act.reason:
            raise ClaimRefused(f"Expected a reason to {act.action} {self.handle}, found none.")
        if act.action is ClaimAction.SUBMIT:
            self.require_in_time(act)
        amount = self._amount(act, move)
        return replace(
            self,
            state=move.to,
            acts=(*self.acts, replace(act, amount=amount)),
            accepted=amount if act.action is ClaimAction.ACCEPT else self.accepted,
            settled=amount if act.action is ClaimAction.SETTLE else self.settled,
            superseded_by=act.by_claim or self.superseded_by,
        )

    def require_in_time(self, act: ClaimAct) -> None:
        """ClaimRefused if the deadline is over, and nobody said why it is done all the same."""
        deadline_us = self.facts.deadline_us
        if deadline_us is None or act.at_us < deadline_us:
            if act.late:
                last = self.facts.last_day or "which the contract does not name"
                raise ClaimRefused(f"The last day, {last}, is not over: leave --late out.")
            return
        if act.late or self.late:
            return
        raise ClaimRefused(
            f"The last day to {act.action} a claim for {self.facts.label} was {self.facts.last_day}"
            f" ({self.facts.tz}). If there is a reason to do it all the same, say so: --late REASON."
        )

    def _unfit(self, action: ClaimAction) -> str:
        fitting = [
            name.value
            for name, move in MOVES.items()
            if self.state in move.from_ and name is not ClaimAction.SUPERSEDE
        ]
        if not fitting:
            return f"{self.handle} is {self.state}, which is its end: nothing can be done to it any more."
        return f"{self.handle} is {self.state}: expected {' or '.join(fitting)}, found {action}."

    def _amount(self, act: ClaimAct, move: Move) -> str | None:
        """The amount of an act: what is left out when accepting is all, when settling what was accepted."""
        if not move.takes_amount:
            if act.amount is not None:
                raise ClaimRefused(
                    f"Expected no amount to {act.action} a claim, found {act.amount}."
                )
            return None
        if act.amount is None:
            if act.action is ClaimAction.DISPUTE:
                return None
            if act.action is ClaimAction.SETTLE and self.accepted is None:
                raise ClaimRefused(
                    f"{self.handle} is disputed: say what was settled on, --amount in {self.facts.unit}."
                )
            return self.accepted or self.facts.amount
        if Fraction(act.amount) > Fraction(self.facts.amount):
            raise ClaimRefused(
                f"Expected at most the {self.facts.amount} {self.facts.unit} that {self.handle} claims, found"
                f" {act.amount}. What is more needs a claim of its own."
            )
        return act.amount


def new_claim(number: int, facts: ClaimFacts, act: ClaimAct) -> Claim:
    """A claim as it is made. ClaimRefused where the deadline is over and no reason given."""
    assert act.action is ClaimAction.CREATE, "a claim begins by being made"
    claim = Claim(number, facts, ClaimState.DRAFT, ())
    claim.require_in_time(act)
    return replace(claim, acts=(act,))


def folded(number: int, facts: ClaimFacts, acts: Sequence[ClaimAct]) -> Claim:
    """The claim that acts made, the oldest first. ClaimRefused if they do not follow from one another."""
    claim = new_claim(number, facts, acts[0])
    for act in acts[1:]:
        claim = claim.after(act)
    return claim


def worth(amount: str, unit: str) -> str:
    """An amount with its unit: money, or days of service."""
    if unit == DAYS_UNIT:
        return f"{amount} {'day' if amount == '1' else 'days'} of service"
    return f"{amount} {unit}"


def amount_problem(text: str, unit: str, digits: int) -> str | None:
    """What is wrong with an amount of that unit; None if nothing is."""
    whole, _, rest = text.partition(".")
    if not whole.isascii() or not whole.isdigit() or len(whole) > 12:
        return f"a decimal amount of {unit}"
    if "." in text and not (rest.isascii() and rest.isdigit() and len(rest) <= digits):
        return f"at most {digits} digits after the point, for {unit}"
    return None
