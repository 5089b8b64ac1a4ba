"""Exclusions as people and programs read them."""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from controller.cli.output import NOTHING, instant, length, plain, write_table
from vedette.v1 import exclusion_pb2 as pb

_WITHOUT_EFFECT: Final = "rejected_"


def is_rejected(item: pb.Exclusion) -> bool:
    """Some contract that it covers rejects it, as it stands."""
    return any(one.status.startswith(_WITHOUT_EFFECT) for one in item.effects)


def write_list(items: Sequence[pb.Exclusion], zone: ZoneInfo) -> None:
    """Print exclusions, one a line."""
    write_table(
        ["ID", "TYPE", "FROM", "TO", "OF", "BY", "APPROVED BY", "SOURCE", "STANDING"],
        [
            (
                item.id,
                item.type,
                instant(item.from_us, zone),
                instant(item.to_us, zone),
                scope_text(item.scope),
                item.by,
                ", ".join(item.approved_by) or NOTHING,
                item.source,
                _standing(item),
            )
            for item in items
        ],
    )


def write_page(item: pb.Exclusion, zone: ZoneInfo) -> None:
    """Print one exclusion with all that was done to it."""
    took_us = item.to_us - item.from_us
    facts = [
        ("Exclusion", f"{item.id}, {item.type}"),
        ("From", instant(item.from_us, zone)),
        ("To", f"{instant(item.to_us, zone)} ({length(took_us)})"),
        ("Of", scope_text(item.scope)),
        ("Declared", _declared(item, zone)),
        ("Reason", item.reason or NOTHING),
        ("Evidence", item.evidence or NOTHING),
        ("Approved by", ", ".join(item.approved_by) or "nobody"),
    ]
    if item.unproven:
        facts.append(("Claimed", f"approved by {', '.join(item.unproven)}, says the file"))
    if item.HasField("withdrawn_us"):
        facts.append(("Withdrawn", instant(item.withdrawn_us, zone)))
    for name, fact in facts:
        click.echo(f"{name + ':':<13}{plain(fact)}")
    for one in item.effects:
        why = f": {one.why}" if one.why else ""
        click.echo(f"Under {one.contract}: {words(one.status)}{why}")
    if not item.effects:
        click.echo("No contract in force is about all of this and nothing else.")
    if item.entries:
        click.echo()
        write_table(
            ["AT", "ACT", "WHO", "ROLE", "FROM", "SAID"],
            [
                (
                    instant(one.at_us, zone),
                    one.kind,
                    one.who,
                    one.role,
                    one.peer,
                    one.text or NOTHING,
                )
                for one in item.entries
            ],
        )


def document_of(item: pb.Exclusion) -> dict[str, Any]:
    """An exclusion for programs; times in microseconds."""
    scope: Any = "all"
    if not item.scope.all:
        scope = {"checks": list(item.scope.checks), "services": list(item.scope.services)}
    return {
        "id": item.id,
        "type": item.type,
        "from": item.from_us,
        "to": item.to_us,
        "scope": scope,
        "declared_at": item.declared_us,
        "logged_at": item.logged_us,
        "by": item.by,
        "reason": item.reason,
        "evidence": item.evidence,
        "source": item.source,
        "approved_by": list(item.approved_by),
        "unproven": list(item.unproven),
        "withdrawn_at": item.withdrawn_us if item.HasField("withdrawn_us") else None,
        "entries": [
            {"act": one.kind, "at": one.at_us, "who": one.who, "role": one.role, "peer": one.peer, "text": one.text}
            for one in item.entries
        ],
        "contracts": [
            {"contract": one.contract, "status": one.status, "why": one.why} for one in item.effects
        ],
    }  # fmt: skip


def scope_text(scope: pb.ExclusionScope) -> str:
    """What an exclusion is about, in words."""
    if scope.all:
        return "everything"
    named = [f"service {one}" for one in scope.services] + [f"check {one}" for one in scope.checks]
    return ", ".join(named)


def words(status: str) -> str:
    """A status as people say it."""
    return status.replace("_", " ")


def _standing(item: pb.Exclusion) -> str:
    """What the contracts make of it, in short."""
    if item.HasField("withdrawn_us"):
        return "withdrawn"
    by_status: dict[str, list[str]] = {}
    for one in item.effects:
        by_status.setdefault(one.status, []).append(one.contract)
    if len(by_status) == 1:
        return words(next(iter(by_status)))
    return "; ".join(f"{words(s)} ({', '.join(c)})" for s, c in by_status.items()) or NOTHING


def _declared(item: pb.Exclusion, zone: ZoneInfo) -> str:
    """When and by whom; both times where the file claims an earlier one than it was logged."""
    said = f"{instant(item.declared_us, zone)} by {item.by}"
    if item.source != "file":
        return said if item.source == "command" else f"{said}, from a calendar"
    return f"{said}, in the fleet file; known here since {instant(item.logged_us, zone)}"
