"""Claims: made, listed, moved on. Whatever happens to one is appended, and in the ledger of acts."""

import hashlib
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import msgspec

from controller.core.sla.claims.claims import (
    DAYS_UNIT,
    Claim,
    ClaimAct,
    ClaimAction,
    ClaimFacts,
    ClaimRefused,
    amount_problem,
    folded,
    new_claim,
)
from controller.core.sla.money.money import minor_digits, rounded
from controller.errors import BadInput, NotFound, Rejected
from controller.ports.claims import ClaimEvent, ClaimFile
from controller.ports.custody import Actor
from controller.ports.storage import Storage, Transaction
from controller.services.contracts.claim_basis import Basis, basis, deadline_for
from controller.services.contracts.claim_pack import Beside, Cover, PackFile, pack
from controller.services.contracts.claim_source import Source, listed_samples, sourced
from controller.services.contracts.terms import Terms
from controller.services.evidence.holds import follow_claim
from controller.services.timeline.evaluate import Evaluator
from vedette.shared.limits import REMARK_CHARS_MAX

_HANDLE: Final = re.compile(r"(?:CLM-)?([1-9][0-9]{0,17})", re.IGNORECASE)
_facts: Final = msgspec.json.Decoder(ClaimFacts)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be claimed: an objective or all, and which claim it stands in place of (empty: of none)."""

    contract: str
    period: str
    objective: str | None = None
    late: str = ""
    supersedes: str = ""


class Claims:
    """Makes and moves claims. Synchronous: runs in the storage thread."""

    def __init__(
        self,
        storage: Storage,
        evaluator: Evaluator,
        terms: Terms,
        organisation: str,
        now_us: Callable[[], int],
    ) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._organisation = organisation
        self._now_us = now_us
        self._terms = terms

    def create(self, asked: Asked, by: Actor) -> Claim:
        """A new claim in draft, with its pack. Rejected says why there can be none."""
        now_us, late = self._now_us(), _text(asked.late, "reason")
        with self._storage.transaction() as tx:
            source = sourced(tx, self._evaluator, self._terms, asked.contract, asked.period, now_us)
            found = basis(source.sight, source.agreed, asked.period, asked.objective)
            before = _superseded(tx, asked)
            _require_unclaimed(tx, found, before)
            facts = _facts_of(found, before, source)
            number = tx.last_claim() + 1
            act = ClaimAct(
                ClaimAction.CREATE, now_us, by.name, by.role, by.peer, late=late
            )  # fmt: skip
            claim = _allowed(lambda: new_claim(number, facts, act))
            cover = Cover(claim.handle, self._organisation, now_us, late)
            beside = Beside(listed_samples(tx, self._evaluator, found), source.report)
            files = pack(tx, found, facts, cover, beside)
            facts = msgspec.structs.replace(facts, manifest=files[-1].sha256)
            tx.put_claim_event(_event(number, 1, act, facts))
            tx.put_claim_files(_packed(number, files))
            tx.record(by.act(now_us, "claim.create", claim.handle, _told(facts)))
            if before is not None:
                gone = ClaimAct(
                    ClaimAction.SUPERSEDE, now_us, by.name, by.role, by.peer, by_claim=number
                )
                self._moved(tx, before, gone, by)
                tx.record(by.act(now_us, "claim.supersede", before.handle, claim.handle))
            return _claim(tx, number)

    def list(self, contract: str | None = None) -> Sequence[Claim]:
        """Every claim (of a contract), the newest first."""
        with self._storage.transaction() as tx:
            return [
                one for one in reversed(all_claims(tx)) if contract in (None, one.facts.contract)
            ]

    def show(self, handle: str) -> tuple[Claim, Sequence[ClaimFile]]:
        """A claim, and the files of its pack without their content. NotFound: there is none."""
        with self._storage.transaction() as tx:
            claim = _claim(tx, number_of(handle))
            return claim, tx.claim_files(claim.number)

    def file(self, handle: str, name: str) -> bytes:
        """The content of a file of a pack."""
        with self._storage.transaction() as tx:
            claim = _claim(tx, number_of(handle))
            for one in tx.claim_files(claim.number):
                if one.name == name:
                    return zlib.decompress(one.packed)
        raise NotFound(f"Expected a file of the pack of {claim.handle}, found {name!r}.")

    def move(
        self,
        handle: str,
        action: ClaimAction,
        by: Actor,
        *,
        reason: str = "",
        amount: str | None = None,
        late: str = "",
    ) -> Claim:
        """A claim after that was done to it. Rejected where the rules of claims do not allow it."""
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            claim = _claim(tx, number_of(handle))
            said = None if amount is None else _amount(amount, claim.facts.unit)
            act = ClaimAct(
                action, now_us, by.name, by.role, by.peer, _text(reason, "reason"), said,
                _text(late, "reason"),
            )  # fmt: skip
            after = self._moved(tx, claim, act, by)
            done = after.acts[-1]
            words = [f"{done.amount} {claim.facts.unit}"] if done.amount is not None else []
            words += [text for text in (done.reason, done.late) if text]
            tx.record(by.act(now_us, f"claim.{action}", claim.handle, ": ".join(words)))
            return after

    def _moved(self, tx: Transaction, claim: Claim, act: ClaimAct, by: Actor) -> Claim:
        """The claim after that; what it rests on is held as long as it is disputed."""
        after = _allowed(lambda: claim.after(act))
        tx.put_claim_event(_event(claim.number, len(after.acts), after.acts[-1], None))
        facts = claim.facts
        checks = self._terms.rested_on(tx, facts.contract, facts.as_of_us, act.at_us)
        follow_claim(tx, after, checks, by, act.at_us)
        return after


def all_claims(tx: Transaction) -> list[Claim]:
    """Every claim, by number."""
    events: dict[int, list[ClaimEvent]] = {}
    for one in tx.claim_events():
        events.setdefault(one.number, []).append(one)
    return [_folded(events[number]) for number in sorted(events)]


def number_of(handle: str) -> int:
    """The number of CLM-12, clm-12 or 12. BadInput if it is none."""
    match = _HANDLE.fullmatch(handle)
    if match is None:
        raise BadInput(f"Expected the handle of a claim such as CLM-12, found {handle!r}.")
    return int(match[1])


def _claim(tx: Transaction, number: int) -> Claim:
    events = tx.claim_events(number)
    if not events:
        raise NotFound(
            f"There is no claim CLM-{number}: `vedette claim list` shows those there are."
        )
    return _folded(events)


def _folded(events: Sequence[ClaimEvent]) -> Claim:
    acts = [
        ClaimAct(
            ClaimAction(one.action), one.at_us, one.who, one.role, one.peer, one.reason, one.amount,
            one.late, one.by_claim,
        )
        for one in events
    ]  # fmt: skip
    return folded(events[0].number, _facts.decode(events[0].facts), acts)


def _allowed(change: Callable[[], Claim]) -> Claim:
    try:
        return change()
    except ClaimRefused as error:
        raise Rejected(str(error)) from error


def _event(number: int, revision: int, act: ClaimAct, facts: ClaimFacts | None) -> ClaimEvent:
    said = b"" if facts is None else msgspec.json.encode(facts)
    return ClaimEvent(
        number, revision, act.action.value, act.at_us, act.who, act.role, act.peer, act.reason,
        act.amount, act.late, act.by_claim, said,
    )  # fmt: skip


def _superseded(tx: Transaction, asked: Asked) -> Claim | None:
    """The claim in whose place the new one is to stand."""
    if not asked.supersedes:
        return None
    before = _claim(tx, number_of(asked.supersedes))
    if (before.facts.contract, before.facts.label) != (asked.contract, asked.period):
        raise BadInput(
            f"{before.handle} is about {before.facts.contract} in {before.facts.label}: a claim can stand only in"
            " the place of one about the same contract and period."
        )
    return before


def _require_unclaimed(tx: Transaction, found: Basis, before: Claim | None) -> None:
    """Rejected if something of it is claimed already, by a claim that stands."""
    objectives = {one["objective"] for one in found.claimed}
    for one in all_claims(tx):
        is_other = before is None or one.number != before.number
        is_same = (one.facts.contract, one.facts.label) == (
            found.agreed.contract.first.id,
            found.period.label,
        )
        if is_other and is_same and one.is_live and objectives & set(one.facts.objectives):
            raise Rejected(
                f"{one.handle} ({one.state}) claims {', '.join(one.facts.objectives)} for {one.facts.label} already:"
                f" withdraw it, or make this one stand in its place with --supersedes {one.handle}."
            )


def _facts_of(found: Basis, before: Claim | None, source: Source) -> ClaimFacts:
    agreed, period = found.agreed, found.period
    first = agreed.contract.first
    deadline = deadline_for(agreed.contract, period)
    return ClaimFacts(
        contract=first.id,
        revision=found.claimed[-1]["revision"],
        title=first.title,
        party=first.party,
        level=first.level,
        objectives=tuple(dict.fromkeys(one["objective"] for one in found.claimed)),
        label=period.label,
        from_us=period.from_us,
        to_us=period.to_us,
        tz=first.period.tz,
        as_of_us=found.horizon_us,
        amount=found.amount,
        unit=found.unit,
        deadline_us=deadline.ends_us if deadline else None,
        last_day=deadline.last_day.isoformat() if deadline else None,
        supersedes=before.number if before else 0,
        seal=source.seal,
        is_outdated=source.is_outdated,
    )


def _packed(number: int, files: Sequence[PackFile]) -> list[ClaimFile]:
    return [
        ClaimFile(
            number, place, one.name, hashlib.sha256(one.content).hexdigest(), len(one.content),
            zlib.compress(one.content),
        )
        for place, one in enumerate(files)
    ]  # fmt: skip


def _told(facts: ClaimFacts) -> str:
    return f"{facts.contract} {facts.label}: {facts.amount} {facts.unit}"


def _amount(text: str, unit: str) -> str:
    """An amount as its unit writes it: 4.50 EUR, 3 days. BadInput if it is none."""
    is_days = unit == DAYS_UNIT
    problem = amount_problem(text, unit, 0 if is_days else minor_digits(unit))
    if problem is not None:
        raise BadInput(f"--amount: expected {problem}, found {text!r}.")
    return str(int(text)) if is_days else rounded(Fraction(text), unit)


def _text(text: str, what: str) -> str:
    said = " ".join(text.split())
    if len(said) > REMARK_CHARS_MAX:
        raise BadInput(
            f"Expected a {what} of at most {REMARK_CHARS_MAX} characters, found {len(said)}."
        )
    unseen = next((c for c in said if not c.isprintable()), None)
    if unseen is not None:
        raise BadInput(f"Expected printable characters in the {what}, found {unseen!r}.")
    return said
