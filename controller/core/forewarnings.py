"""What a fleet file that holds may yet not mean: said when it is planned and applied, and refused nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.core.channels import GRADE
from controller.core.fleet import Fleet
from controller.core.instants import instant_text
from controller.core.sla.attainment import decimal_text
from controller.core.sla.levels import contract_places, held_at, shortfalls
from controller.core.sla.support_gaps import support_gaps


@dataclass(frozen=True, slots=True)
class Forewarning:
    """A thing to think about, and the line of the file where it stands; 0: of none."""

    line: int
    text: str


def forewarnings(fleet: Fleet, now_us: int) -> list[Forewarning]:
    """What stands in a file that somebody should think about, by line."""
    found = {*broken_promises(fleet, now_us), *_unheard_grades(fleet)}
    return sorted(found, key=lambda one: (one.line, one.text))


def broken_promises(fleet: Fleet, now_us: int) -> Iterator[Forewarning]:
    """Promises above the composite of what underpins them, or of more hours or shorter times (S-49)."""
    for one in shortfalls(fleet.contracts, now_us):
        since = "" if one.from_us <= now_us else f" from {instant_text(one.from_us)} on"
        text = (
            f"{one.contract} promises {decimal_text(one.promised)} % ({one.objective}){since}, which is more than"
            f" what underpins it gives at best, if failures are independent: {one.sum}"
        )
        yield Forewarning(_line(fleet, one.contract, "objectives"), text)
    for gap in support_gaps(held_at(fleet.contracts, now_us), now_us):
        yield Forewarning(_line(fleet, gap.contract, "objectives"), gap.text)


def _unheard_grades(fleet: Fleet) -> Iterator[Forewarning]:
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
                yield Forewarning(_line(fleet, name, "grades"), text)


def _line(fleet: Fleet, contract: str, key: str) -> int:
    """Where a clause of a contract stands, or the contract."""
    index = contract_places(fleet.document)[contract][0]
    return fleet.document.problem(("contracts", index, key), "", "").line
