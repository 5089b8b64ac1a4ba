"""Response and resolution timers as people read them."""

from collections.abc import Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

from controller.cli.output import instant, length

_METRICS: Final = ("acknowledge", "resolve")
_DONE: Final = {"acknowledge": "acknowledged", "resolve": "resolved"}


def is_timed(record: dict[str, Any]) -> bool:
    """The record is of an objective that people keep."""
    return record["clauses"]["metric"] in _METRICS


def timer_lines(record: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """A line for each timer of the record."""
    if not is_timed(record):
        return
    if record["timers"] is None:
        yield "not judged: what people did is not known here"
        return
    for timer in record["timers"]:
        again = f" (reopened as {', '.join(timer['reopened'])})" if timer["reopened"] else ""
        where = f" in {timer['region']}" if timer["region"] else ""
        head = f"{timer['outage']} {timer['severity']}{where}{again}"
        yield f"{head} {_said(record, timer, zone)}"


def _said(record: dict[str, Any], timer: dict[str, Any], zone: ZoneInfo) -> str:
    clauses, target = record["clauses"], record["target"]
    done = _DONE[clauses["metric"]]
    if clauses.get("stop") == "ack_or_end":
        done += " or over"
    took = f"{done} after {length(timer['elapsed'])}"
    due = None if timer["due"] is None else instant(timer["due"], zone)
    match timer["state"]:
        case "met":
            return f"{took} of {target}"
        case "breached" if timer["stopped"] is not None:
            return f"{took}, promised were {target}"
        case "breached":
            return f"not {done}: the {target} were used up at {due}"
        case "paused":
            return f"paused, {length(timer['remaining'])} of {target} left"
        case _:
            hours = "" if clauses["calendar"] == "always" else " of support time"
            when = "" if due is None else f", by {due}"
            return f"to be {done} within {length(timer['remaining'])}{hours}{when}"
