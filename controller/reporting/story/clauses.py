"""The clauses in force, in words and as they were written; and how the figures were made."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from controller.core.instants import instant
from controller.core.sla.reports.report_document import Terms
from controller.core.sla.terms.objectives import OF_TIME
from controller.reporting.blocks import Block, Column, Heading, Listing, Paragraph, Table, cell
from controller.reporting.figures import percent
from controller.reporting.story.context import Telling
from controller.reporting.story.people import timed_clause

_SCHEMES: Final = ("tiers", "per_minute", "blocks", "day_bands", "at_risk", "extension")
_METHOD: Final = ("evidence", "down", "attainment", "exact", "bounds", "coverage", "repeat")
_HEAD: Final = ("id", "title", "party", "level", "effective_from")


def clauses(told: Telling) -> Iterator[Block]:
    """Every revision of the contract that was in force in the period."""
    yield Heading(told.say("part.clauses"))
    for terms in told.report.contract.terms:
        from_ = told.clock.local(terms.effective_from)
        yield Heading(told.say("part.clauses.revision", revision=terms.revision, from_=from_), 2)
        yield Listing(tuple(_sentences(told, terms)))
        rows = tuple((cell(path), cell(value)) for path, value in _leaves(terms.clauses))
        columns = (Column(told.say("head.clause")), Column(told.say("head.value")))
        yield Table(told.say("caption.clauses"), columns, rows)


def method(told: Telling) -> Iterator[Block]:
    """How the figures were made."""
    yield Heading(told.say("part.method"))
    for name in _METHOD:
        yield Paragraph(told.say(f"method.{name}"))


def _sentences(told: Telling, terms: Terms) -> Iterator[str]:
    said = terms.clauses
    yield _scope(told, said["scope"])
    yield from _period(told, said["period"])
    yield from _hours(told, said["service_hours"])
    for one in said["objectives"]:
        yield _objective(told, one)
    for one in said["overlays"]:
        from_, to = (told.clock.local(instant(one[end])) for end in ("from", "to"))
        yield told.say(
            "clause.overlay",
            from_=from_,
            to=to,
            objective=one["objective"],
            target=percent(one["target"]),
        )
    yield from _outage(told, said["outage"])
    for kind, one in said["exclusions"].items():
        yield _exclusion(told, kind, one)
    yield told.say(f"clause.amendments.{said['amendments']}")
    if said.get("credits"):
        yield from _credits(told, said["credits"])
    for one in said["grades"]:
        yield told.say("clause.grade", below=one["below"], action=one["action"])


def _scope(told: Telling, scope: Mapping[str, Any]) -> str:
    parts = told.texts
    for name, key in (("parallel", "parallel"), ("series", "checks"), ("checks", "checks")):
        members: Sequence[str] = scope.get(name) or ()
        if members:
            key = "one" if len(members) == 1 else key
            return parts.say(f"clause.scope.{key}", members=", ".join(members))
    if scope.get("k_of_n"):
        some = scope["k_of_n"]
        return parts.say("clause.scope.k_of_n", members=", ".join(some["of"]), k=some["k"])
    members = [f"{name} {weight}" for name, weight in (scope.get("weighted") or {}).items()]
    return parts.say("clause.scope.weighted", members=", ".join(members))


def _period(told: Telling, period: Mapping[str, Any]) -> Iterator[str]:
    if period.get("length"):
        yield told.say("clause.period.rolling", length=period["length"])
    else:
        kind = told.texts.word("period.kind", period["kind"])
        yield told.say("clause.period", kind=kind, tz=period["tz"])
    yield told.say(f"clause.denominator.{period['denominator']}")


def _hours(told: Telling, hours: Any) -> Iterator[str]:
    if isinstance(hours, str):
        yield told.say("clause.hours.always")
        return
    days = [
        told.say("clause.hours.day", day=told.say(f"weekday.long.{day}"), hours=", ".join(spans))
        for day, spans in hours["weekly"].items()
        if spans
    ]
    yield told.say("clause.hours", hours="; ".join(days))
    if hours.get("holidays"):
        yield told.say("clause.hours.holidays", days=", ".join(hours["holidays"]))


def _objective(told: Telling, one: Mapping[str, Any]) -> str:
    metric = one.get("metric")
    if metric in ("acknowledge", "resolve"):
        return timed_clause(told, one)
    if metric not in ("availability", "latency"):
        word = told.texts.word("metric", str(metric))
        target = str(one.get("target", ""))
        return told.say("clause.objective.other", objective=one["id"], metric=word, target=target)
    said = {
        "objective": one["id"],
        "target": percent(one["target"]),
        "coverage": percent(one["min_coverage"]),
    }
    if metric == "latency":
        return told.say("clause.objective.latency", **said, threshold=one["threshold"])
    formula = _formula(told, one)
    if one["formula"] not in OF_TIME:
        return told.say("clause.objective.samples", **said, formula=formula)
    unknown, _, carried = str(one["unknown"]).partition("(")
    word = told.texts.word("unknown", unknown)
    if carried:
        word = told.say("unknown.carry.length", length=carried.rstrip(")"))
    return told.say("clause.objective", **said, formula=formula, unknown=word)


def _formula(told: Telling, one: Mapping[str, Any]) -> str:
    """How the figure is taken."""
    name = one["formula"]
    if name == "minute":
        return told.say(f"formula.minute.{one['mode']}", n=one["n"])
    slice_target = percent(one.get("slice_target"))
    empty = told.texts.word("empty", str(one.get("empty")))
    return told.say(
        f"formula.{name}",
        slice=one.get("slice"),
        slice_target=slice_target,
        empty=empty,
        at_least=one.get("at_least"),
    )


def _outage(told: Telling, one: Mapping[str, Any]) -> Iterator[str]:
    yield told.say(f"clause.outage.start.{one['downtime_start']}")
    if one["min_duration"] != "0s":
        yield told.say("clause.outage.min", length=one["min_duration"])


def _exclusion(told: Telling, kind: str, one: Mapping[str, Any]) -> str:
    more: list[str] = []
    if one["drop_scope"] == "downtime_only":
        more.append(told.say("clause.exclusion.downtime_only"))
    if one["notice"] != "0s":
        more.append(told.say("clause.exclusion.notice", length=one["notice"]))
    if one["cap"] is not None:
        more.append(told.say("clause.exclusion.cap", length=one["cap"]))
    if one["approvals"]:
        more.append(told.say("clause.exclusion.approvals", n=one["approvals"]))
    word = told.texts.word("exclusion.type", kind)
    mode = told.say(f"mode.{one['mode']}")
    return told.say("clause.exclusion", type=word, mode=mode, more="".join(more))


def _credits(told: Telling, one: Mapping[str, Any]) -> Iterator[str]:
    if one.get("fee"):
        yield told.say("clause.credits", fee=one["fee"], currency=one["currency"], cap=one["cap"])
    for scheme in _SCHEMES:
        if one.get(scheme):
            yield told.say("clause.credits.scheme", scheme=told.texts.word("scheme", scheme))
    for tier in one.get("tiers") or ():
        yield told.say("clause.credits.tier", below=tier["below"], percent=tier["percent"])


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every clause that says something, by its path: what the words above were made from, and all else."""
    if isinstance(value, Mapping):
        for key, own in value.items():
            if path or key not in _HEAD:
                yield from _leaves(own, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        if all(isinstance(one, str | int) for one in value):
            if value:
                yield path, ", ".join(map(str, value))
            return
        for place, own in enumerate(value):
            yield from _leaves(own, f"{path}[{place}]")
    elif value not in (None, False):
        yield path, "yes" if value is True else str(value)
