"""Where what underpins a contract promises less than the contract besides availability (S-49): hours and times."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from controller.core.intervals import difference, length
from controller.core.sla.terms.contracts import Contract
from controller.core.sla.terms.levels import supported
from controller.core.sla.terms.objectives import Timed
from controller.core.sla.terms.service_hours import in_service
from vedette.shared.definitions import micros

_HOUR_US: Final = 3600 * 1_000_000
_AHEAD_DAYS: Final = 28
_AHEAD_US: Final = _AHEAD_DAYS * 24 * _HOUR_US


class Gap(NamedTuple):
    """What of a contract is not underpinned, in words."""

    contract: str
    text: str


def support_gaps(held: Mapping[str, Contract], now_us: int) -> Iterator[Gap]:
    """The gaps of contracts in the versions that are in force."""
    for contract, supporting in supported(held):
        for below in supporting:
            yield from _of_hours(contract, below, now_us)
            yield from _of_times(contract, below)


def _of_hours(contract: Contract, below: Contract, now_us: int) -> Iterator[Gap]:
    """Hours for which the contract promises something, and what underpins it nothing."""
    own, other = (
        in_service(one.service_hours, one.period.tz, now_us, now_us + _AHEAD_US)
        for one in (contract, below)
    )
    missing_us = length(difference(own, other))
    if missing_us:
        # Rounded up, so that a gap is never none.
        hours = -(-missing_us // _HOUR_US)
        text = (
            f"{contract.id} promises {-(-length(own) // _HOUR_US)} hours of service in the next {_AHEAD_DAYS} days,"
            f" and {below.id}, which underpins it, nothing for {hours} of them"
        )
        yield Gap(contract.id, text)


def _of_times(contract: Contract, below: Contract) -> Iterator[Gap]:
    """Outages that people promise to see to sooner than those who support them."""
    for one in _timed(contract):
        slow = [
            other
            for other in _timed(below)
            if other.metric == one.metric and micros(other.target) > micros(one.target)
        ]
        for other in slow:
            for severity in sorted(one.severities & other.severities):
                text = (
                    f"{contract.id} promises to {one.metric} {severity} within {one.target}, and {below.id},"
                    f" which underpins it, within {other.target}"
                )
                yield Gap(contract.id, text)


def _timed(contract: Contract) -> Sequence[Timed]:
    return [one for one in contract.objectives if isinstance(one, Timed)]
