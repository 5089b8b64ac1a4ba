"""How long result lines are kept: the `retention` of a fleet file, and what its contracts ask of it.

Only the text of lines ever goes. Results, seals, hashes, verdicts, outages and everything that people did are kept.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from controller.core.calendars import LONGEST_DAYS, PeriodKind
from controller.core.sla.claims.deadlines import deadline_us_max
from controller.core.sla.terms.contracts import Agreement
from vedette.shared.definitions import micros
from vedette.shared.documents import Document, Problem, convert
from vedette.shared.durations import Duration
from vedette.shared.probes import DurationText, Part

SECTION: Final = "retention"
_DAY_US: Final = 86_400_000_000


class Retention(Part, frozen=True, kw_only=True):
    """How long the lines of results are kept: thirteen months at their longest, if nothing is said."""

    lines: DurationText = "397d"

    @property
    def lines_us(self) -> int:
        """The same in microseconds."""
        return micros(self.lines)


def retention_in(
    document: Document,
    contracts: Mapping[str, Agreement],
    problems: list[Problem],
    *,
    is_new: bool,
) -> Retention:
    """The clause of a file; what is wrong with it goes to `problems`.

    One that `is_new` may not be shorter than what the reports on its contracts need.
    """
    data = document.data.get(SECTION)
    if data is None:
        return Retention()
    found, wrong = convert(document, (SECTION,), data, Retention)
    problems += wrong
    if found is None:
        return Retention()
    if is_new:
        for name, needed_us in needs(contracts):
            if found.lines_us < needed_us:
                expected = (
                    f"at least {Duration(needed_us)}, the longest period of contract {name} and the time until its"
                    " report is sealed"
                )
                problems.append(document.problem((SECTION, "lines"), expected, found.lines))
    return found


def needs(contracts: Mapping[str, Agreement]) -> Iterator[tuple[str, int]]:
    """How long each contract needs lines at least: its longest period, and until the report on it is sealed."""
    for name, agreement in contracts.items():
        sealed_us = max(one.lateness.seal_after_us for one in agreement.versions)
        yield name, longest_us(agreement) + sealed_us


def longest_us(agreement: Agreement) -> int:
    """The most that a period of a contract lasts, with the hour that a zone may put in."""
    period = agreement.period
    if period.kind is PeriodKind.ROLLING:
        return period.shortest_us
    return LONGEST_DAYS[period.kind] * _DAY_US + _DAY_US


def kept_us(retention: Retention, contracts: Mapping[str, Agreement]) -> int:
    """How long lines are kept in fact: never shorter than the reports on the contracts of the file need them."""
    return max([retention.lines_us, *(needed_us for _, needed_us in needs(contracts))])


def claims_outlived(
    retention: Retention, contracts: Mapping[str, Agreement]
) -> Iterator[tuple[str, int]]:
    """Contracts whose claims may still be made when lines of their periods are gone, and how long they need them."""
    for name, agreement in contracts.items():
        clauses = [one.credits.claim_deadline for one in agreement.versions if one.credits]
        wait_us = max((deadline_us_max(one) for one in clauses if one), default=0)
        if wait_us and retention.lines_us < longest_us(agreement) + wait_us:
            yield name, longest_us(agreement) + wait_us
