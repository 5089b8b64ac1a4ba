"""What a fleet file that holds may yet not mean: said when it is planned and applied, and refused nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.core.channels import GRADE
from controller.core.fleet import Fleet
from controller.core.instants import instant_text
from controller.core.retention import SECTION, claims_outlived
from controller.core.sla.figures.attainment import decimal_text
from controller.core.sla.terms.levels import contract_places, held_at, shortfalls
from controller.core.sla.terms.support_gaps import support_gaps
from vedette.shared.durations import Duration
from vedette.shared.limits import PROBLEMS_SHOWN_MAX


@dataclass(frozen=True, slots=True)
class Forewarning:
    """A thing to think about, and the line of the file where it stands; 0: of none."""

    line: int
    text: str


def forewarnings(fleet: Fleet, now_us: int) -> list[Forewarning]:
    """What stands in a file that somebody should think about, by line."""
    found = {
        *broken_promises(fleet, now_us),
        *_unheard_grades(fleet, _Lines(fleet)),
        *_outlived_claims(fleet),
    }
    listed = sorted(found, key=lambda one: (one.line, one.text))
    left = len(listed) - PROBLEMS_SHOWN_MAX
    more = [Forewarning(0, f"there are {left} warnings more")] if left > 0 else []
    return [*listed[:PROBLEMS_SHOWN_MAX], *more]


def broken_promises(fleet: Fleet, now_us: int) -> Iterator[Forewarning]:
    """Promises above the composite of what underpins them, or of more hours or shorter times (S-49)."""
    lines = _Lines(fleet)
    for one in shortfalls(fleet.contracts, now_us):
        since = "" if one.from_us <= now_us else f" from {instant_text(one.from_us)} on"
        text = (
            f"{one.contract} promises {decimal_text(one.promised)} % ({one.objective}){since}, which is more than"
            f" what underpins it gives at best, if failures are independent: {one.sum}"
        )
        yield Forewarning(lines.of(one.contract, "objectives"), text)
    for gap in support_gaps(held_at(fleet.contracts, now_us), now_us):
        yield Forewarning(lines.of(gap.contract, "objectives"), gap.text)


def _unheard_grades(fleet: Fleet, lines: "_Lines") -> Iterator[Forewarning]:
    """Grades of which no channel is told (S-52)."""
    for name, agreement in fleet.contracts.items():
        checks = agreement.scope.members
        services = [fleet.checks[check].service for check in checks]
        for grade in (grade for one in agreement.versions for grade in one.grades):
            event = GRADE + grade.action
            is_heard = grade.channels or any(
                one.hears(event, name, services, checks) for one in fleet.channels.values()
            )
            if not is_heard:
                text = (
                    f"{name} below {grade.below} %: nobody is told of {event}; a channel under notify may choose it"
                    " with `on`, or the grade may name one with `notify`"
                )
                yield Forewarning(lines.of(name, "grades"), text)


def _outlived_claims(fleet: Fleet) -> Iterator[Forewarning]:
    """Lines that are gone before the last day on which a claim may rest on them."""
    for name, needed_us in claims_outlived(fleet.retention, fleet.contracts):
        line = fleet.document.problem((SECTION, "lines"), "", "").line
        text = (
            f"lines are kept for {fleet.retention.lines}, and a claim for {name} may rest on lines of {Duration(needed_us)}"
            " ago: the other side could not recompute it. Keep them longer, or hold those that matter"
            " (`vedette evidence hold place`)"
        )
        yield Forewarning(line, text)


class _Lines:
    """The lines of the clauses of contracts."""

    def __init__(self, fleet: Fleet) -> None:
        self._document = fleet.document
        self._places = contract_places(fleet.document)

    def of(self, contract: str, key: str) -> int:
        """Where a clause of a contract stands, or the contract."""
        path = ("contracts", self._places[contract][0], key)
        return self._document.problem(path, "", "").line
