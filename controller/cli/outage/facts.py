"""The facts of outages, shown."""

from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.evidence.counter import counter_document, counter_lines
from controller.cli.outage.remarks import remark_document, remark_lines
from controller.cli.output import NOTHING, instant, length, plain, write_table
from vedette.v1 import outage_pb2 as pb

_NAME_CHARS = 13


def write_list(answer: pb.ListOutagesResponse, zone: ZoneInfo) -> None:
    """A table of outages, and a word on those that were not asked for."""
    write_table(
        ["ID", "SEVERITY", "CHECK", "FROM", "UNTIL", "DOWN", "REGIONS", "KINDS", "NOTE"],
        [
            (
                item.handle,
                item.severity,
                item.check,
                instant(item.started_us, zone),
                instant(item.ended_us, zone) if item.HasField("ended_us") else "open",
                length(item.downtime_us),
                f"{item.region} alone" if item.region else " ".join(item.regions),
                " ".join(item.kinds) or NOTHING,
                ", ".join(_marks(item)) or NOTHING,
            )
            for item in answer.outages
        ],
    )
    if answer.regional:
        many = (
            "outage of a single region is"
            if answer.regional == 1
            else "outages of single regions are"
        )
        click.echo(f"{answer.regional} {many} not shown: --scope all")


def _marks(item: pb.Outage) -> list[str]:
    """What is to be noted of an outage in a list."""
    found = ["flapping"] if item.flapping else []
    acks = [one.who for one in item.remarks if one.kind == "ack"]
    if acks:
        found.append(f"acked by {acks[0]}")
    turns = [one.kind for one in item.remarks if one.kind in ("pause", "resume")]
    if turns and turns[-1] == "pause" and not item.HasField("ended_us"):
        found.append("paused")
    if notes := sum(one.kind == "annotation" for one in item.remarks):
        found.append(f"{notes} note{'s' if notes > 1 else ''}")
    return found


def write_facts(item: pb.Outage, zone: ZoneInfo, as_of_us: int | None = None) -> None:
    """Everything of one outage that is no evidence."""
    for name, fact in _facts(item, zone, as_of_us):
        click.echo(f"{name + ':' if name else '':<{_NAME_CHARS}}{plain(fact)}")


def _facts(item: pb.Outage, zone: ZoneInfo, as_of_us: int | None) -> list[tuple[str, str]]:
    ended = instant(item.ended_us, zone) if item.HasField("ended_us") else "open"
    bounds = f"between {length(item.downtime_min_us)} and {length(item.downtime_max_us)}"
    facts = [
        ("Outage", f"{item.handle} of check {item.check}, service {item.service}"),
        ("Scope", f"the region {item.region} alone" if item.region else "the whole check"),
        *_standing(item, zone, as_of_us),
        ("Severity", _severity(item, zone)),
        ("Started", instant(item.started_us, zone)),
        ("Ended", ended + _known(item, zone)),
        (
            "Confirmed",
            f"{instant(item.confirmed_us, zone)} (the result that completed the vote at its start)",
        ),
        ("Recorded", instant(item.detected_us, zone)),
        ("Told", _told(item, zone)),
        ("Down for", f"{length(item.downtime_us)} ({bounds})"),
        ("Unknown for", length(item.unknown_us)),
        ("Regions", ", ".join(item.regions) or NOTHING),
        ("Failures", ", ".join(item.kinds) or NOTHING),
        ("Transients", str(item.transients)),
    ]
    if item.revision > 1:
        last = instant(item.told_us, zone)
        facts.append(
            (
                "Learnt",
                f"in {item.revision} steps, the last at {last}: see `vedette outage history`",
            )
        )
    if item.flapping:
        facts.append(("Flapping", "the check goes up and down; people are told less of it"))
    for title, lines in (
        ("Remarks", remark_lines(item.remarks, zone)),
        ("Against it", counter_lines(item.counters, zone)),
    ):
        facts += [("" if number else title, line) for number, line in enumerate(lines)]
    return facts


def _told(item: pb.Outage, zone: ZoneInfo) -> str:
    """When people were told of it, or of what explains it."""
    held = f"held back at {instant(item.held_us, zone)}, for what explains it"
    if item.HasField("notified_us"):
        at = instant(item.notified_us, zone)
        return f"{at} ({held})" if item.HasField("held_us") else at
    return held if item.HasField("held_us") else "to nobody yet"


def _standing(item: pb.Outage, zone: ZoneInfo, as_of_us: int | None) -> list[tuple[str, str]]:
    """What to know before reading on."""
    if item.HasField("retraction"):
        into = item.retraction.absorbed_by
        why = f"its time is part of {into}" if into else "there was no such outage"
        at = instant(item.retraction.at_us, zone)
        return [("Retracted", f"{at}: by what was known then, {why}. It was last known as:")]
    if as_of_us is None:
        return []
    told = instant(item.told_us, zone)
    return [
        ("As of", f"{instant(as_of_us, zone)}: as it was known then, which was last told at {told}")
    ]


def _known(item: pb.Outage, zone: ZoneInfo) -> str:
    """When the end was known, if it is."""
    if not item.HasField("closed_known_us"):
        return ""
    return f" (known at {instant(item.closed_known_us, zone)})"


def _severity(item: pb.Outage, zone: ZoneInfo) -> str:
    later = [f"{one.severity} from {instant(one.from_us, zone)} on" for one in item.severities[1:]]
    return ", ".join([item.severity, *later])


def outage_document(item: pb.Outage) -> dict[str, Any]:
    """An outage for programs."""
    return {
        "id": item.handle,
        "content_id": item.content_id,
        "check": item.check,
        "service": item.service,
        "scope": item.scope,
        "region": item.region or None,
        "severity": item.severity,
        "severities": [
            {"from_us": one.from_us, "to_us": one.to_us, "severity": one.severity}
            for one in item.severities
        ],
        "started_us": item.started_us,
        "ended_us": item.ended_us if item.HasField("ended_us") else None,
        "confirmed_us": item.confirmed_us,
        "detected_us": item.detected_us,
        "closed_known_us": item.closed_known_us if item.HasField("closed_known_us") else None,
        "notified_us": item.notified_us if item.HasField("notified_us") else None,
        "held_us": item.held_us if item.HasField("held_us") else None,
        "downtime_us": item.downtime_us,
        "downtime_min_us": item.downtime_min_us,
        "downtime_max_us": item.downtime_max_us,
        "unknown_us": item.unknown_us,
        "regions": list(item.regions),
        "kinds": list(item.kinds),
        "transients": item.transients,
        "flapping": item.flapping,
        "revision": item.revision,
        "told_us": item.told_us,
        "remarks": [remark_document(one) for one in item.remarks],
        "counters": [counter_document(one) for one in item.counters],
        "retracted": _retraction_document(item),
    }


def _retraction_document(item: pb.Outage) -> dict[str, Any] | None:
    if not item.HasField("retraction"):
        return None
    return {"at_us": item.retraction.at_us, "absorbed_by": item.retraction.absorbed_by or None}
