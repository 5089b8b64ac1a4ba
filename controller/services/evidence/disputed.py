"""What people mean when they hold evidence or say something against it: a period, an outage, or a check."""

from dataclasses import dataclass
from typing import NamedTuple

from controller.core.instants import instant_text
from controller.core.intervals import FOREVER_US
from controller.errors import BadInput, NotFound, Rejected
from controller.ports.storage import Transaction
from controller.services.contracts.period_views import period_of
from controller.services.contracts.terms import Terms
from controller.services.outages.outage_body import decode_body
from controller.services.outages.outage_names import number_of


@dataclass(frozen=True, slots=True)
class Asked:
    """A contract and a period, an outage, or a check over [from_us, to_us); what is empty was not named."""

    contract: str = ""
    period: str = ""
    outage: str = ""
    check: str = ""
    from_us: int | None = None
    to_us: int | None = None


class Meant(NamedTuple):
    """What it is in words, and the checks over [from_us, to_us) that it is about."""

    subject: str
    checks: tuple[str, ...]
    from_us: int
    to_us: int


def meant(tx: Transaction, terms: Terms, asked: Asked, now_us: int) -> Meant:
    """What was asked for. BadInput unless it is one thing, NotFound if there is no such thing.

    An outage may be named with a contract, which it must be of: so a token for that contract is good for it.
    """
    if asked.outage and not (asked.period or asked.check):
        found = _outage(tx, asked.outage)
        if asked.contract:
            _require_of(tx, terms, asked.contract, found, now_us)
        return found
    if asked.contract and asked.period and not (asked.outage or asked.check):
        return _period(tx, terms, asked.contract, asked.period, now_us)
    if asked.check and not (asked.contract or asked.period or asked.outage):
        return _check(tx, asked)
    raise BadInput(
        "Expected one of these: a contract and a period, an outage, or a check with its times."
    )


def _outage(tx: Transaction, handle: str) -> Meant:
    number = number_of(handle)
    row = tx.outage(number)
    if row is not None:
        ends_us = FOREVER_US if row.ended_us is None else row.ended_us
        return Meant(f"OUT-{number}", (row.check,), row.started_us, ends_us)
    last = next(iter(tx.newest_events([number])), None)
    if last is None:
        raise NotFound(f"There is no outage OUT-{number}, and there never was one.")
    body = decode_body(last.body)
    return Meant(f"OUT-{number}", (last.check,), body.started_us, body.until_us)


def _require_of(tx: Transaction, terms: Terms, contract: str, found: Meant, now_us: int) -> None:
    if not set(found.checks) & set(terms.agreement(tx, contract, now_us).scope.members):
        raise Rejected(
            f"{found.subject} is of check {found.checks[0]}, which is not in the scope of {contract}."
        )


def _period(tx: Transaction, terms: Terms, contract: str, label: str, now_us: int) -> Meant:
    agreement = terms.agreement(tx, contract, now_us)
    when = period_of(agreement, label, now_us)
    members = tuple(agreement.scope.members)
    return Meant(f"{contract} {when.label}", members, when.from_us, when.to_us)


def _check(tx: Transaction, asked: Asked) -> Meant:
    known = sorted({one.check for one in tx.check_revisions()})
    if asked.check not in known:
        listed = ", ".join(known) or "none"
        raise NotFound(f"Expected a check that there is or was ({listed}), found {asked.check!r}.")
    if asked.from_us is None or asked.to_us is None or asked.from_us >= asked.to_us:
        raise BadInput("Expected --from and, after it, --to: what of the check is meant.")
    times = f"{instant_text(asked.from_us)} to {instant_text(asked.to_us)}"
    return Meant(f"check {asked.check} from {times}", (asked.check,), asked.from_us, asked.to_us)
