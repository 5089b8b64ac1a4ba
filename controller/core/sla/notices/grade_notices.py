"""Graded thresholds (S-52): which are to be told now, and which are to be taken back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from controller.core.calendars import PeriodKind
from controller.core.channels import GRADE
from controller.core.sla.figures.judgement import Judgement
from controller.core.sla.notices.notice_wording import (
    contract_facts,
    contract_line,
    instant_in,
    objective_facts,
    objective_lines,
    percent_below,
)
from controller.core.sla.notices.notices import RETRACTED, SlaNotice, Told, subject_of
from controller.core.sla.reports.record import record_of
from controller.core.sla.terms.contracts import Grade
from controller.core.sla.terms.objectives import Timed
from controller.core.wording import Level

Judged = Sequence[Sequence[Judgement]]


@dataclass(frozen=True, slots=True)
class Grading:
    """How a contract stands over a period: every segment of each objective, and what was told of it.

    `revision` is that of the contract's first version. `then` judges by what is known now, but only of the
    time until an instant. `told` has what was told last, by subject.
    """

    judged: Judged
    revision: int
    told: Mapping[str, Told]
    then: Callable[[int], Judged]


def grade_notices(found: Grading) -> Iterator[SlaNotice]:
    """What is to be told of the grades.

    A grade is told once for an objective, a period and a revision of the contract. It stays told when
    attainment recovers. Where what is known now says that it was not below at the instant when that was told
    (late evidence, an exclusion that was declared afterwards) and is not now, that is taken back; then it may be
    told again.
    """
    for own in found.judged:
        for version, each in groupby(own, key=lambda one: one.segment.version):
            parts = list(each)
            for grade in parts[0].segment.contract.grades:
                yield from _of_grade(found, parts, version, grade)


def _of_grade(
    found: Grading, parts: Sequence[Judgement], version: int, grade: Grade
) -> Iterator[SlaNotice]:
    first = parts[0]
    contract, revision = first.segment.contract, found.revision + version - 1
    name = f"{grade.action}/{grade.below}" + ("" if grade.of == "so_far" else f"/{grade.of}")
    # By the file's revision and the version in it: the numbers of revisions alone may be those of other versions.
    version_name = f"{found.revision}" + ("" if version == 1 else f".{version}")
    series = f"{first.segment.objective.id}/grade/{name}/{first.period.label}/{version_name}"
    last = found.told.get(subject_of(contract.id, series))
    is_standing = last is not None and last.event == GRADE + grade.action
    reached = _reached(parts, grade)
    if reached is not None and not (is_standing and _is_of_period(last, first)):
        ordinal = 1 if last is None else last.ordinal + 1
        yield _fired(reached, grade, series, ordinal, revision)
    elif reached is None and is_standing and last is not None:
        at_us = min(last.at_us, first.period.to_us)
        again = [
            one
            for own in found.then(at_us)
            for one in own
            if one.segment.version == version
            and one.segment.objective.id == first.segment.objective.id
        ]
        if _reached(again, grade) is None:
            yield _taken_back(first, grade, series, last, revision)


def _reached(parts: Sequence[Judgement], grade: Grade) -> Judgement | None:
    """The first segment that is below a grade."""
    return next((one for one in parts if grade.is_reached(one.graded(grade))), None)


def _is_of_period(last: Told | None, one: Judgement) -> bool:
    """What was told last is of this period: of a rolling one, until all of it has rolled out."""
    is_rolling = one.period.kind is PeriodKind.ROLLING
    return last is not None and (not is_rolling or last.at_us > one.period.from_us)


def _fired(one: Judgement, grade: Grade, series: str, ordinal: int, revision: int) -> SlaNotice:
    contract, record = one.segment.contract, record_of(one, None, revision=revision)
    share = one.graded(grade)
    assert share is not None
    shown = percent_below(share, grade.below, record["target"])
    is_of_period = grade.of == "period" and not isinstance(one.segment.objective, Timed)
    at_best = [f"At best by the end: {shown} %"] if is_of_period else []
    return SlaNotice(
        contract=contract.id,
        event=GRADE + grade.action,
        series=series,
        title=f"{record['objective']} is at {shown} %, below {grade.below} %: {grade.action}",
        lines=[contract_line(contract), *objective_lines(record), *at_best, _grade_line(grade)],
        level=Level.WARNING,
        facts={
            "contract": contract_facts(contract),
            "objective": objective_facts(record),
            "grade": _grade_facts(grade, "fired", share),
        },
        ordinal=ordinal,
        channels=grade.channels,
    )


def _taken_back(one: Judgement, grade: Grade, series: str, last: Told, revision: int) -> SlaNotice:
    contract, record = one.segment.contract, record_of(one, None, revision=revision)
    why = (
        f"By what is known now, attainment was not below {grade.below} % at"
        f" {instant_in(last.at_us, contract.period.tz)}, when that was told."
    )
    return SlaNotice(
        contract=contract.id,
        event=GRADE + grade.action + RETRACTED,
        series=series,
        title=f"{record['objective']} was not below {grade.below} % after all: {grade.action}",
        lines=[why, contract_line(contract), *objective_lines(record), _grade_line(grade)],
        level=Level.SUCCESS,
        facts={
            "contract": contract_facts(contract),
            "objective": objective_facts(record),
            "grade": _grade_facts(grade, "retracted", one.graded(grade)),
        },
        ordinal=last.ordinal + 1,
        follows=last.ordinal,
        takes_back=True,
    )


def _grade_line(grade: Grade) -> str:
    return f"Grade: below {grade.below} %, {grade.action}"


def _grade_facts(grade: Grade, state: str, share: Fraction | None) -> dict[str, object]:
    ratio = None if share is None else {"num": share.numerator, "den": share.denominator}
    return {
        "action": grade.action,
        "below": grade.below,
        "of": grade.of,
        "state": state,
        "attainment": ratio,
    }
