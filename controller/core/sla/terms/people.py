"""Objectives that people keep (S-47): to take an outage on in time, to have it over in time."""

from fractions import Fraction
from typing import Any, ClassVar, Final, Literal

from controller.core.severity import Severity
from controller.core.sla.figures.timers import Stop, TimerTerms
from controller.core.sla.terms.percent import Decimal, percent_findings, share_of_percent
from controller.core.sla.terms.service_hours import ALWAYS, ServiceHours
from vedette.shared.definitions import Id, micros, written_out
from vedette.shared.probes import DurationText, Finding, Part

# A year of support hours: what is promised later than that is no promise of a contract of periods.
_TARGET_US_MAX: Final = 366 * 86_400_000_000
_REOPEN_US_MAX: Final = 30 * 86_400_000_000


class _Timed(Part, frozen=True, kw_only=True):
    """What both kinds say. The clock runs in `calendar`, which is read in the zone of the contract's periods.

    At least `percent` of the timers have to be met. The time beside which they are told is accounted as an
    availability that says nothing else.
    """

    unknown_policy: ClassVar[str] = "exclude"
    carry_us: ClassVar[None] = None
    is_of_time: ClassVar[bool] = False
    is_of_samples: ClassVar[bool] = False
    id: Id
    severity: Severity | list[Severity]
    target: DurationText
    percent: Decimal = "100"
    calendar: ServiceHours | Literal["always"] = ALWAYS
    start: Literal["detected_at", "started_at"] = "detected_at"
    reopen_window: DurationText = "0s"
    min_coverage: Decimal = "95"

    @property
    def goal(self) -> str:
        """How many percent have to be kept."""
        return self.percent

    @property
    def target_share(self) -> Fraction:
        """The same as a share of 1."""
        return share_of_percent(self.percent)

    @property
    def coverage_share(self) -> Fraction:
        """The least coverage as a share of 1."""
        return share_of_percent(self.min_coverage)

    @property
    def severities(self) -> frozenset[Severity]:
        """The severities that it is about."""
        return frozenset({self.severity} if isinstance(self.severity, str) else self.severity)

    @property
    def reopen_us(self) -> int:
        """How long after its end an outage is taken up again by the next one."""
        return micros(self.reopen_window)

    def _terms(self, stop: Stop, tz: str) -> TimerTerms:
        return TimerTerms(
            stop=stop,
            severities=self.severities,
            target_us=micros(self.target),
            calendar=self.calendar,
            tz=tz,
            from_detection=self.start == "detected_at",
            reopen_us=self.reopen_us,
        )

    def _clauses(self) -> dict[str, Any]:
        return {
            "severity": sorted(self.severities),
            "percent": self.percent,
            "calendar": written_out(self.calendar),
            "start": self.start,
            "reopen_window": self.reopen_window,
            "min_coverage": self.min_coverage,
        }

    def findings(self) -> list[Finding]:
        """What is wrong with it by itself."""
        found = percent_findings(("percent", self.percent), ("min_coverage", self.min_coverage))
        if not 0 < micros(self.target) <= _TARGET_US_MAX:
            found.append((("target",), "more than 0s and at most 366d", self.target))
        if self.reopen_us > _REOPEN_US_MAX:
            found.append((("reopen_window",), "at most 30d", self.reopen_window))
        if not self.severities:
            found.append((("severity",), "at least one of P1, P2, P3 and P4", "none"))
        if isinstance(self.calendar, ServiceHours):
            hours = self.calendar.findings()
            found += [(("calendar", *path), expected, seen) for path, expected, seen in hours]
        return found


class Acknowledge(_Timed, frozen=True, kw_only=True, tag_field="metric", tag="acknowledge"):
    """Somebody has taken each outage on within `target`. Only a person does, and `stop` says what else counts."""

    metric: ClassVar[str] = "acknowledge"
    stop: Literal["ack", "ack_or_end"] = "ack"

    @property
    def clauses(self) -> dict[str, Any]:
        """What a record says of how it is computed."""
        return {"metric": self.metric, **self._clauses(), "stop": self.stop}

    def terms(self, tz: str) -> TimerTerms:
        """What was promised, by clocks of that zone."""
        return self._terms(Stop(self.stop), tz)


class Resolve(_Timed, frozen=True, kw_only=True, tag_field="metric", tag="resolve"):
    """Each outage is over within `target`."""

    metric: ClassVar[str] = "resolve"

    @property
    def clauses(self) -> dict[str, Any]:
        """What a record says of how it is computed."""
        return {"metric": self.metric, **self._clauses()}

    def terms(self, tz: str) -> TimerTerms:
        """What was promised, by clocks of that zone."""
        return self._terms(Stop.END, tz)
