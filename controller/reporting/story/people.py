"""What people promised, and the timers of it: when each began and was due, how long it ran, how it stands."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from controller.core.instants import length_text
from controller.reporting.blocks import Align, Block, Cell, Column, Paragraph, Table, Tone, cell
from controller.reporting.figures import percent
from controller.reporting.story.context import Record, Telling

_TONES: Mapping[str, Tone] = {"met": Tone.GOOD, "breached": Tone.BAD}


def timers(told: Telling, record: Record) -> Block:
    """The timers of a record."""
    listed = record["timers"]
    if listed is None:
        return Paragraph(told.say("timers.unknown"), Tone.MUTED)
    if not listed:
        return Paragraph(told.say("timers.none"), Tone.MUTED)
    columns = (
        Column(told.say("head.outage"), share=3),
        Column(told.say("head.clock"), share=5, is_whole=True),
        Column(told.say("head.due"), share=5, is_whole=True),
        Column(told.say("head.elapsed"), Align.RIGHT, share=3),
        Column(told.say("head.state"), share=2, is_whole=True),
    )
    rows = tuple(_row(told, one) for one in listed)
    return Table(told.say("caption.timers", target=record["target"]), columns, rows)


def _row(told: Telling, timer: Mapping[str, Any]) -> tuple[Any, ...]:
    names = [f"{timer['outage']} {timer['severity']}"]
    if timer["region"]:
        names.append(told.say("outage.regions", regions=timer["region"]))
    if timer["reopened"]:
        names.append(told.say("timers.reopened", outages=", ".join(timer["reopened"])))
    due = told.clock.both(timer["due"])
    state = told.texts.word("timer", timer["state"])
    return (
        cell(*names),
        _clock(told, timer),
        cell(*due),
        # To the microsecond: a timer may be late by one.
        cell(length_text(timer["elapsed"])),
        cell(state, tone=_TONES.get(timer["state"], Tone.PLAIN)),
    )


def _clock(told: Telling, timer: Mapping[str, Any]) -> Cell:
    """From when to when the clock ran, and below it the times at which it stood still."""
    ran = told.span(timer["started"], timer["stopped"])
    pauses = [
        line
        for from_us, to_us in timer["pauses"]
        for line in (
            told.say("timers.pause", from_=told.clock.local(from_us)),
            told.clock.local(to_us),
        )
    ]
    return replace(ran, lines=(*ran.lines, *pauses))


def timed_clause(told: Telling, one: Mapping[str, Any]) -> str:
    """What an objective of people promises, from its clause as plain data."""
    severity = one["severity"]
    kind = str(one["metric"])
    text = told.say(
        "clause.objective.timed",
        objective=one["id"],
        what=told.say(f"clause.timed.{kind}{'_or_end' if one.get('stop') == 'ack_or_end' else ''}"),
        target=one["target"],
        start=told.say(f"clause.timed.{one['start']}"),
        severity=severity if isinstance(severity, str) else ", ".join(severity),
        percent=percent(one["percent"]),
        hours=_hours(told, one["calendar"]),
    )
    if one["reopen_window"] == "0s":
        return text
    return told.say("clause.timed.reopened", text=text, window=one["reopen_window"])


def _hours(told: Telling, calendar: Any) -> str:
    if isinstance(calendar, str):
        return told.say("clause.timed.always")
    days = [
        told.say("clause.hours.day", day=told.say(f"weekday.long.{day}"), hours=", ".join(spans))
        for day, spans in calendar["weekly"].items()
        if spans
    ]
    closed = calendar.get("holidays")
    holidays = told.say("clause.timed.holidays", days=", ".join(closed)) if closed else ""
    return told.say("clause.timed.hours", hours="; ".join(days), holidays=holidays)
