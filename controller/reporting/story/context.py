"""What every part of a report is told with: the texts, the clock of the contract, and the document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from controller.core.sla.reports.report_document import Report
from controller.reporting.blocks import Cell, Tone
from controller.reporting.catalogue import Catalogue
from controller.reporting.figures import NOTHING, Clock, bounds, ceiled, floored, percent, share

Record = Mapping[str, Any]

_TONES: Mapping[str, Tone] = {
    "met": Tone.GOOD,
    "breached": Tone.BAD,
    "insufficient_evidence": Tone.DOUBT,
    "no_eligible_time": Tone.MUTED,
}


class Issue(NamedTuple):
    """How a document was issued, which it cannot say itself."""

    state: str
    revision: int = 0
    sha256: str = ""
    issued_us: int | None = None
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """A document that is being told."""

    report: Report
    texts: Catalogue
    clock: Clock
    issue: Issue | None = None

    @classmethod
    def of(cls, report: Report, texts: Catalogue, issue: Issue | None = None) -> "Telling":
        """A document in a language."""
        return cls(report, texts, Clock.of(report.period.tz), issue)

    def say(self, key: str, **values: object) -> str:
        """A text of the language."""
        return self.texts.say(key, **values)

    @property
    def name(self) -> str:
        """What the contract is called."""
        return self.report.contract.title or self.report.contract.id

    def verdict(self, record: Record) -> str:
        """The verdict in words: whether it is final, and whether it hangs on what probes cannot see."""
        word = self.texts.word("verdict", record["verdict"])
        if record["verdict"] in ("met", "breached"):
            if is_running(record):
                word = self.say("verdict.so_far", verdict=word)
            if record["robustness"] != "robust":
                word = self.say("verdict.marginal", verdict=word)
        return word

    def sentence(self, record: Record) -> str:
        """What the verdict says, in a sentence."""
        key = f"verdict.{record['verdict']}.text"
        if "timers" in record and record["verdict"] == "insufficient_evidence":
            key = "verdict.timers.unjudged"
        text = self.say(
            key,
            objective=record["objective"],
            attained=percent(record["attainment_shown"]),
            target=target(record),
            coverage=share(record["coverage"]),
            least=percent(record["clauses"].get("min_coverage")),
        )
        if "timers" in record and record["verdict"] in ("met", "breached"):
            late = sum(one["state"] == "breached" for one in record["timers"])
            count = len(record["timers"])
            text = self.say(
                "verdict.timers.text", objective=record["objective"], late=late, n=count
            )
        elif record["verdict"] in ("met", "breached") and record["robustness"] != "robust":
            low, high = ceiled(record["downtime_min"]), ceiled(record["downtime_max"])
            text = f"{text} {self.say('verdict.marginal.text', low=low, high=high)}"
        if self.is_part(record):
            from_, to = (self.clock.local(record["period"][end]) for end in ("from", "to"))
            text = self.say("verdict.from", text=text, from_=from_, to=to)
        return text

    def span(self, from_us: int, to_us: int | None) -> Cell:
        """From when to when by the clocks of the contract, and in UTC beside."""
        clock = self.clock
        if to_us is None:
            lines = (f"{clock.local(from_us)} –", self.say("outage.open"), clock.utc(from_us))
            return Cell(lines, main=2)
        local = (f"{clock.local(from_us)} –", clock.local(to_us))
        return Cell((*local, f"{clock.utc(from_us)} –", clock.utc(to_us)), main=2)

    def credit(self, record: Record) -> str:
        """What is credited: money, or days of service."""
        found = record.get("credits")
        if not found:
            return NOTHING
        if "days" in found:
            return self.say("credits.amount.days", days=found["days"])
        return f"{found['amount']} {found['currency']}"

    def is_part(self, record: Record) -> bool:
        """The record is about a part of the period: there is another one of its objective."""
        same = [one for one in self.report.records if one["objective"] == record["objective"]]
        return len(same) > 1

    def objective(self, record: Record) -> tuple[str, ...]:
        """The objective of a record; with where it begins, if it is about a part of the period."""
        name = record["objective"]
        return (
            (name, self.clock.local(record["period"]["from"])) if self.is_part(record) else (name,)
        )


def heading_of(told: Telling, record: Record) -> str:
    """The heading of what is told of a record."""
    name = record["objective"]
    if not told.is_part(record):
        return told.say("part.objective", objective=name)
    from_ = told.clock.local(record["period"]["from"])
    return told.say("part.objective.from", objective=name, from_=from_)


def tone(record: Record) -> Tone:
    """How a verdict is to be read."""
    return _TONES.get(record["verdict"], Tone.PLAIN)


def is_running(record: Record) -> bool:
    """What the record is about is not over."""
    return bool(record["period"]["to"] < record["period"]["ends"])


def target(record: Record) -> str:
    """What was promised."""
    text = str(record["target"])
    return f"{text} %" if text.replace(".", "", 1).isdigit() else text


def attained(record: Record) -> str:
    """The figure, in brackets where nothing is judged by it: no one may read it as met."""
    shown = percent(record["attainment_shown"])
    is_judged = record["verdict"] in ("met", "breached")
    return shown if is_judged or shown == NOTHING else f"({shown})"


def is_of_samples(record: Record) -> bool:
    """The record is counted in samples, and not in time."""
    return any(name in record for name in ("samples", "samples_of", "slices", "days"))


def downtime(record: Record) -> tuple[str, ...]:
    """Downtime, and its bounds where they differ."""
    if record.get("downtime") is None or "timers" in record or is_of_samples(record):
        return (NOTHING,)
    low_us, high_us = record["downtime_min"], record["downtime_max"]
    figure = ceiled(record["downtime"])
    return (figure,) if low_us == high_us else (figure, bounds(low_us, high_us))


def length(record: Record, name: str) -> str:
    """A length that may be left out, cut to seconds: budgets, and what is left of them."""
    us = record.get(name)
    return NOTHING if us is None else floored(us)
