"""What is known of the checks of a contract, put together for its records."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from controller.core.calendars import Period
from controller.core.sla.figures.books import Observed
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.reports.records import Known, observed_from
from controller.core.sla.terms.contracts import Agreement
from controller.core.sla.terms.objectives import Timed
from controller.services.contracts.sight import Sight
from controller.services.contracts.terms import Agreed
from vedette.shared.definitions import micros


class Seen(NamedTuple):
    """What is told over [from_us, to_us) of each check of a contract, and of all of them as one."""

    from_us: int
    to_us: int
    members: Mapping[str, Known]
    observed: Observed


def observed(sight: Sight, agreed: Agreed, when: Period) -> Observed:
    """What is told of the checks over a period, and as much around it as its figures hang on."""
    return seen(sight, agreed, when).observed


def seen(sight: Sight, agreed: Agreed, when: Period) -> Seen:
    """The same, with what is told of each check."""
    scope = agreed.contract.scope
    # Whether downtime is long enough is decided before it is cut to the period (S-39), and a verdict from
    # before it may be carried on into it (S-40).
    around_us = max(
        max(micros(one.outage.min_duration), *(o.carry_us or 0 for o in one.objectives))
        for one in agreed.contract.versions
    )
    from_us, to_us = when.from_us - around_us, min(when.to_us + around_us, sight.horizon_us)
    reopen_us = _reopen_us(agreed.contract)
    members = {
        check: known_of(sight, check, (from_us, to_us), reopen_us) for check in scope.members
    }
    if _counts_samples(agreed.contract):
        members = {
            check: one._replace(samples=sight.samples(check, from_us, to_us))
            for check, one in members.items()
        }
    found = observed_from(list(members.values()), agreed.fleet, scope, agreed.declared)
    return Seen(from_us, to_us, members, found)


def _reopen_us(agreement: Agreement) -> int:
    """The longest time after which an outage goes on with the timer of another (S-47)."""
    objectives = [one for version in agreement.versions for one in version.objectives]
    return max((one.reopen_us for one in objectives if isinstance(one, Timed)), default=0)


def _counts_samples(agreement: Agreement) -> bool:
    """One of its objectives is counted in samples."""
    return any(o.is_of_samples for version in agreement.versions for o in version.objectives)


def known_of(sight: Sight, check: str, span: tuple[int, int], reopen_us: int) -> Known:
    """What is told of a check over [span), and the clocks of its outages and of those that share a timer (S-47)."""
    if span[0] >= span[1]:
        return Known((), (), ())
    told = sight.told(check, *span)
    timed = _chained(sight, check, span, reopen_us)
    clocks = {one.started_us: one for one in timed if not one.region}
    outages = [
        clocks.get(started_us, OutageTimes(started_us))._replace(ended_us=ended_us)
        for started_us, ended_us in told.spans
    ]
    return Known(told.stretches, outages, timed)


def _chained(
    sight: Sight, check: str, span: tuple[int, int], reopen_us: int
) -> Sequence[OutageTimes]:
    """The outages that touch a time, and those that share a timer with one of them."""
    from_us, to_us = span[0] - reopen_us, span[1] + reopen_us
    while True:
        found = sight.clocks(check, from_us, to_us)
        if not reopen_us or not found:
            return found
        first_us = min(one.started_us for one in found) - reopen_us
        last_us = max(one.ended_us or to_us for one in found) + reopen_us
        wider = min(from_us, first_us), max(to_us, min(last_us, sight.horizon_us))
        if wider == (from_us, to_us):
            return found
        from_us, to_us = wider
