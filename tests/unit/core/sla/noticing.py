"""A contract, what was known of its check, and what was told of it: for tests of what is told next."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from controller.core.calendars import Period, PeriodKind
from controller.core.fleet import Fleet
from controller.core.instants import instant
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.books import Observed
from controller.core.sla.figures.burn import LOOKED_US
from controller.core.sla.figures.judgement import Judgement
from controller.core.sla.notices.burn_notices import burn_notices
from controller.core.sla.notices.grade_notices import Grading, grade_notices
from controller.core.sla.notices.notices import SlaNotice, Told
from controller.core.sla.reports.records import judgements

DAY = 86_400 * 1_000_000


@dataclass
class Noticing:
    """A contract of a fleet, whose check was DOWN over `down` and UP at all other times."""

    file: Fleet
    down: list[tuple[int, int]] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)
    revision: int = 1
    name: str = "k"

    def was_down(self, first: str, last: str) -> None:
        self.down.append((instant(first), instant(last)))

    def grades(self, at: str, of: str = "") -> list[SlaNotice]:
        """What is told of grades at an instant, over the period that runs then (or at `of`)."""
        at_us, agreement = instant(at), self.file.contracts[self.name]
        period = agreement.period.at(instant(of) if of else at_us)

        def then(then_us: int) -> Sequence[Sequence[Judgement]]:
            is_rolling = period.kind is PeriodKind.ROLLING
            return self._judged(agreement.period.at(then_us) if is_rolling else period, then_us)

        found = Grading(self._judged(period, at_us), self.revision, self.told, then)
        return self._noted(list(grade_notices(found)), at_us)

    def burns(self, at: str) -> list[SlaNotice]:
        """What is told of the budget of the first objective at an instant."""
        at_us, agreement = instant(at), self.file.contracts[self.name]
        last_days = Period(at_us - LOOKED_US, at_us, PeriodKind.ROLLING, "rolling")
        recent = self._judged(last_days, at_us)[0][-1]
        now = self._judged(agreement.period.at(at_us), at_us)[0][-1]
        notices = burn_notices(recent, now, self.told, revision=self.revision)
        return self._noted(list(notices), at_us)

    def _noted(self, notices: list[SlaNotice], at_us: int) -> list[SlaNotice]:
        for one in notices:
            self.told[one.subject] = Told(one.ordinal, one.event, at_us)
        return notices

    def _judged(self, period: Period, at_us: int) -> list[list[Judgement]]:
        observed = Observed(self._stretches(period))
        return list(judgements(self.file.contracts[self.name], period, observed, at_us))

    def _stretches(self, period: Period) -> list[Stretch]:
        found: list[Stretch] = []
        at_us = period.from_us - 40 * DAY
        for from_us, to_us in sorted(self.down):
            found.append(Stretch(at_us, from_us, *(Verdict.UP,) * 3))
            found.append(Stretch(from_us, to_us, *(Verdict.DOWN,) * 3))
            at_us = to_us
        found.append(Stretch(at_us, period.to_us + 40 * DAY, *(Verdict.UP,) * 3))
        return found


def events(notices: Sequence[SlaNotice]) -> list[str]:
    """What they tell."""
    return [one.event for one in notices]
