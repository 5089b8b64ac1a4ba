"""How a contract stands, in the words of a message and as its facts, from the record of an objective."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from controller.core.calendars import zone
from controller.core.instants import instant_text
from controller.core.sla.figures.attainment import shown_percent
from controller.core.sla.terms.contracts import Contract
from controller.core.wording import spoken

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_US: Final = 1_000_000
_COURSES: Final = {
    "on_track": "on track",
    "at_risk": "at risk: faster than the target allows, though it lasts to the end at this rate",
    "irrecoverable": "irrecoverable: the budget is used up",
}
_FACTS: Final = (
    "objective", "revision", "target", "attainment", "attainment_shown", "coverage", "verdict", "robustness",
    "downtime", "downtime_min", "downtime_max", "budget", "budget_left",
)  # fmt: skip

Record = Mapping[str, Any]


def instant_in(at_us: int, tz: str) -> str:
    """An instant as clocks in a zone show it, and in UTC: 2026-06-01 00:00:00 Europe/Warsaw (2026-05-31T22:00:00Z)."""
    local = (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone(tz))
    return f"{local:%Y-%m-%d %H:%M:%S} {tz} ({instant_text(at_us)})"


def percent_below(share: Fraction, *bounds: str) -> str:
    """A share in percent, cut so that it is seen to be below what it is below."""
    longest = max(bounds, key=lambda text: len(text.partition(".")[2]))
    shown = shown_percent(share, longest)
    assert shown is not None
    return shown


def contract_line(contract: Contract) -> str:
    """Which contract it is: its id, its title, and with whom it is."""
    title = f", {contract.title}" if contract.title else ""
    party = f", with {contract.party}" if contract.party else ""
    return f"Contract: {contract.id}{title}{party}"


def objective_lines(record: Record) -> list[str]:
    """Which objective of which period, and how it stands."""
    period, tz = record["period"], record["period"]["tz"]
    is_over = period["to"] >= period["ends"]
    is_timed = "timers" in record
    lines = [
        f"Objective: {record['objective']}, target {record['target']}{'' if is_timed else ' %'}",
        f"Period: {period['label']}, from {instant_in(period['from'], tz)} to {instant_in(period['ends'], tz)}",
        f"Attained{'' if is_over else ' so far'}: {_shown(record['attainment_shown'])}",
        f"Verdict{'' if is_over else ' so far'}: {_verdict(record)}",
        *(_timers(record["timers"] or ()) if is_timed else _spent(record)),
    ]
    burn = record.get("burn")
    if burn:
        lines.append(f"Where it is going: {_course(burn, tz)}")
    return lines


def _spent(record: Record) -> list[str]:
    return [f"Downtime: {_downtime(record)}", f"Budget: {_budget(record)}"]


def _timers(timers: Sequence[Mapping[str, Any]]) -> list[str]:
    """The outages that people were too late for."""
    late = [one["outage"] for one in timers if one["state"] == "breached"]
    count = f"{len(timers)} {'outage' if len(timers) == 1 else 'outages'}"
    return [f"Too late for: {', '.join(late) or 'none'}, of {count}"]


def contract_facts(contract: Contract) -> dict[str, Any]:
    """A contract, for programs."""
    return {
        "id": contract.id,
        "title": contract.title or None,
        "party": contract.party or None,
        "level": contract.level,
    }


def objective_facts(record: Record) -> dict[str, Any]:
    """An objective over a period, for programs. Times are integer microseconds, shares ratios in lowest terms."""
    burn = record.get("burn") or {}
    return {name: record.get(name) for name in _FACTS} | {
        "period": record["period"],
        "course": burn.get("course"),
        "exhausted_us": burn.get("exhausted_at"),
    }


def _shown(percent: str | None) -> str:
    return "nothing yet: no time of it is eligible" if percent is None else f"{percent} %"


def _verdict(record: Record) -> str:
    words = str(record["verdict"]).replace("_", " ")
    mark = "" if record["robustness"] == "robust" else ", marginal"
    share = record["coverage"]
    if share is None:
        return f"{words}{mark}"
    covered = shown_percent(Fraction(share["num"], share["den"]), "")
    return f"{words}{mark} (evidence for {covered} % of the time)"


def _downtime(record: Record) -> str:
    figure, low, high = (
        spoken(record[name]) for name in ("downtime", "downtime_min", "downtime_max")
    )
    return figure if low == figure == high else f"{figure} (between {low} and {high})"


def _budget(record: Record) -> str:
    """What is left of it, cut to whole seconds; what is overspent, rounded up."""
    left_us, whole = record["budget_left"], spoken(record["budget"] // _SECOND_US * _SECOND_US)
    if left_us < 0:
        return f"overspent by {spoken(-left_us)}, of {whole}"
    return f"{spoken(left_us // _SECOND_US * _SECOND_US)} left of {whole}"


def _course(burn: Mapping[str, Any], tz: str) -> str:
    if burn["course"] == "will_breach":
        at = instant_in(burn["exhausted_at"], tz)
        return f"at the rate of the last 6 hours the budget is used up at {at}"
    return _COURSES[burn["course"]]
