"""Which lines are not to be pruned although they are old: held ones, and those that a report or a claim still needs."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from controller.core.calendars import PeriodKind
from controller.core.intervals import FOREVER_US
from controller.core.policy import reach_us
from controller.core.sla.claims.claims import ClaimState
from controller.ports.holds import in_force
from controller.ports.storage import Transaction
from controller.services.contracts.claims import all_claims
from controller.services.contracts.period_views import own_periods
from controller.services.contracts.terms import Terms
from controller.services.timeline.evaluate import Evaluator
from vedette.shared.definitions import decode_check
from vedette.shared.identity import ANCHORS

# Clocks of agents may be off by minutes, and a line is sealed after it was made.
_MARGIN_US: Final = 3_600_000_000
_OPEN: Final = frozenset(
    {ClaimState.DRAFT, ClaimState.SUBMITTED, ClaimState.ACCEPTED, ClaimState.DISPUTED}
)


class Kept(NamedTuple):
    """Lines of these services (None: of all) over [from_us, to_us) are kept, and what agents saw of anchors then."""

    services: frozenset[str] | None
    from_us: int
    to_us: int

    def covers(self, stream: str, from_us: int, to_us: int) -> bool:
        """Lines of that stream, of that time, are among them."""
        is_of_it = self.services is None or stream == ANCHORS or stream in self.services
        return is_of_it and from_us < self.to_us and self.from_us < to_us


class Reach:
    """Which lines the verdicts on a check over some time rest on, by all that was ever said of the check."""

    def __init__(self, tx: Transaction, evaluator: Evaluator) -> None:
        self._policies = evaluator.checks(tx)
        self._definitions: dict[str, list[bytes]] = {}
        for one in tx.check_revisions():
            if one.definition:
                self._definitions.setdefault(one.check, []).append(one.definition)

    def of(self, checks: Iterable[str], from_us: int, to_us: int) -> Kept:
        """What the verdicts on these checks over [from_us, to_us) rest on."""
        names = list(checks)
        services: set[str] = set()
        for name in names:
            services |= {decode_check(one).service for one in self._definitions.get(name, ())}
        around_us = _MARGIN_US + max(
            (reach_us(self._policies.get(name, ())) for name in names), default=0
        )
        is_known = all(name in self._definitions for name in names)
        return Kept(
            frozenset(services) if is_known else None, from_us - around_us, to_us + around_us
        )


def held(tx: Transaction, reach: Reach) -> list[Kept]:
    """What holds cover that were placed and not lifted."""
    return [reach.of(one.checks, one.from_us, one.to_us) for one in in_force(tx.hold_events())]


def claimed(tx: Transaction, reach: Reach, terms: Terms, now_us: int) -> Iterator[Kept]:
    """What claims rest on that are not at their end."""
    for one in all_claims(tx):
        if one.state in _OPEN:
            facts = one.facts
            checks = terms.rested_on(tx, facts.contract, facts.as_of_us, now_us)
            yield reach.of(checks, facts.from_us, facts.to_us)


def unsealed(
    tx: Transaction, reach: Reach, terms: Terms, name: str, before_us: int, now_us: int
) -> Iterator[Kept]:
    """What reports on a contract rest on that are not sealed yet, as far as it is older than that instant."""
    agreement = terms.agreement(tx, name, now_us)
    tenure = terms.tenures(tx)[name]
    members = agreement.scope.members
    if agreement.period.kind is PeriodKind.ROLLING:
        if tenure.until_us is None:
            yield reach.of(members, now_us - agreement.period.shortest_us, FOREVER_US)
        return
    done = {one.label for one in tx.issued_heads(name)}
    for when in own_periods(agreement, tenure):
        if when.from_us >= before_us:
            return
        if when.label not in done:
            yield reach.of(members, when.from_us, when.to_us)
