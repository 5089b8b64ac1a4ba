"""Attainment records as people read them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from controller.cli.output import NOTHING, instant, length, write_table
from controller.cli.sla.sampled import sample_lines
from controller.cli.sla.timers import is_timed, timer_lines

_SECOND_US: Final = 1_000_000


def is_breached(records: Sequence[dict[str, Any]]) -> bool:
    """An objective is breached."""
    return any(record["verdict"] == "breached" for record in records)


def write_records(records: Sequence[dict[str, Any]], zone: ZoneInfo) -> None:
    """Print records for people: one line each, the figure with its bounds.

    A period that is not over is judged so far, while its budget is that of the whole period.
    """
    write_table(
        ["CONTRACT", "OBJECTIVE", "FROM", "TO", "TARGET", "ATTAINED", "COVERAGE", "DOWN", "LEFT",
         "VERDICT"],
        [
            (
                str(record["contract"]),
                str(record["objective"]),
                instant(record["period"]["from"], zone),
                instant(record["period"]["to"], zone),
                record["target"] if is_timed(record) else f"{record['target']}%",
                _shown(record["attainment_shown"]),
                _percent(record.get("coverage")),
                NOTHING if is_timed(record) else _downtime(record),
                _budget(record.get("budget_left")),
                verdict_words(record),
            )
            for record in records
        ],
    )  # fmt: skip
    for name, record in named(records, zone):
        for remark in remarks(record, zone):
            click.echo(f"{name}: {remark}")


def named(
    records: Sequence[dict[str, Any]], zone: ZoneInfo
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record with what it is called: contract and objective, and if there are several, where it begins."""
    counts = Counter((record["contract"], record["objective"]) for record in records)
    for record in records:
        contract, objective = record["contract"], record["objective"]
        name = f"{contract} {objective}"
        if counts[contract, objective] > 1:
            name += f" from {instant(record['period']['from'], zone)}"
        yield name, record


def remarks(record: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """What else a person wants to know: where it is going, what was excluded, what it is worth."""
    if is_timed(record):
        yield from timer_lines(record, zone)
    else:
        yield from sample_lines(record)
        yield from _of_time(record, zone)
    credit = record.get("credits")
    if credit:
        yield f"credit {credit_text(credit)}: {'; '.join(credit['steps'])}"
    cost = record.get("cost")
    if cost:
        yield f"cost {cost['amount']} {cost['currency']}, {cost['a_year']} in a year like this"
    if record.get("grades"):
        yield f"below the grade of: {', '.join(record['grades'])}"


def _of_time(record: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """What there is to say of time: how fast it goes, how it lay, and what was taken out of it."""
    burn = record.get("burn")
    if burn and burn["course"] != "on_track":
        at_us = burn["exhausted_at"]
        when = "" if at_us is None else f"; the budget is used up at {instant(at_us, zone)}"
        yield f"{burn['course'].replace('_', ' ')}{when}"
    for one in burn["alerts"] if burn else ():
        yield burning(one)
    worst = {
        n: share for n, share in record.get("worst", {}).items() if share["num"] < share["den"]
    }
    if worst:
        yield "worst " + ", ".join(f"{name} {_percent(share)}" for name, share in worst.items())
    if record.get("mttr") is not None:
        names = ("mttr", "mtbf", "mtbsi", "mttd", "mtta")
        means = ((n.upper(), record[n]) for n in names if record.get(n) is not None)
        shown = ", ".join(f"{name} {length(us // _SECOND_US * _SECOND_US)}" for name, us in means)
        count = record["outages"]
        yield f"{count} {'outage that counts' if count == 1 else 'outages that count'}, {shown}"
    for one in record.get("exclusions", ()):
        yield excluded(one)


def excluded(one: dict[str, Any]) -> str:
    """What came of an exclusion, and why it had no effect or not all of it."""
    why = f" ({one['why']})" if one.get("why") else ""
    return f"exclusion {one['id']} {one['status'].replace('_', ' ')}: {length(one['applied'])}{why}"


def burning(alert: dict[str, Any]) -> str:
    """An alert: how fast a budget burns."""
    rate = alert["rate"]["num"] * 10 // alert["rate"]["den"]
    windows = f"{length(alert['long'])} and the last {length(alert['short'])}"
    return f"{alert['urgency']}: over the last {windows} it burns its budget {rate // 10}.{rate % 10} times too fast"


def credit_text(credit: dict[str, Any]) -> str:
    """What a credit is worth: money, or days of service."""
    if "days" in credit:
        return f"{credit['days']} {'day' if credit['days'] == 1 else 'days'} of service"
    return f"{credit['amount']} {credit['currency']}"


def _shown(attainment: str | None) -> str:
    return NOTHING if attainment is None else f"{attainment}%"


def _percent(fraction: dict[str, int] | None) -> str:
    """A share, floored to hundredths of a percent: it never looks better than it is."""
    if not fraction or not fraction["den"]:
        return NOTHING
    hundredths = fraction["num"] * 10_000 // fraction["den"]
    return f"{hundredths // 100}.{hundredths % 100:02}%"


def _downtime(record: dict[str, Any]) -> str:
    """Downtime in whole seconds, rounded up (S-42), and its bounds."""
    figure, low, high = (
        length(-(-record[key] // _SECOND_US) * _SECOND_US)
        for key in ("downtime", "downtime_min", "downtime_max")
    )
    return figure if low == high else f"{figure} ({low} to {high})"


def _budget(micros: int | None) -> str:
    """What is left of the budget in whole seconds, rounded down also below zero (S-42)."""
    if micros is None:
        return NOTHING
    whole_us = micros // _SECOND_US * _SECOND_US
    return f"-{length(-whole_us)}" if whole_us < 0 else length(whole_us)


def verdict_words(record: dict[str, Any]) -> str:
    """The verdict; whether it is final, and whether it hangs on what lies between two samples."""
    words = [str(record["verdict"])]
    if record["period"]["to"] < record["period"]["ends"]:
        words.append("so far")
    if record["robustness"] != "robust":
        words.append("(marginal)")
    return " ".join(words)
