"""The fleet file: regions, services, anchors, checks, contracts, channels, and how long lines are kept.

It is read whole, or refused with all its problems.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from controller.core.channels import Channel, Named, channel_findings, one_of, unrevealing
from controller.core.dependencies import Dependencies, circles
from controller.core.domains import domain_findings, with_domains
from controller.core.retention import Retention, retention_in
from controller.core.sections import Item, by_id, told
from controller.core.severity import Criticality
from controller.core.sla.terms.agreements import agreements
from controller.core.sla.terms.contracts import Agreement
from controller.core.sla.terms.exclusions import Exclusion, exclusion_findings
from controller.core.sla.terms.grades import actions_in, grade_problems
from vedette.shared.anchors import Anchor, anchor_problems, anchors_problems
from vedette.shared.definitions import Check, Id, findings
from vedette.shared.documents import (
    BadDocument,
    Document,
    Problem,
    convert,
    parse,
)
from vedette.shared.limits import CHANNELS_MAX, PROBLEMS_SHOWN_MAX

T = TypeVar("T")


class Region(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A place that agents probe from, and whose vote counts once."""

    id: Id
    title: str = ""
    provider: str | None = None
    asn: int | None = None


class Service(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """What users use; checks belong to one."""

    id: Id
    title: str = ""
    criticality: Criticality = Criticality.NORMAL
    depends_on: list[Id] = []


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet file that holds. Every check has its regions written out."""

    regions: Mapping[str, Region]
    services: Mapping[str, Service]
    checks: Mapping[str, Check]
    contracts: Mapping[str, Agreement]
    document: Document
    anchors: tuple[Anchor, ...] = ()
    channels: Mapping[str, Channel] = field(default_factory=dict)
    exclusions: Mapping[str, Exclusion] = field(default_factory=dict)
    retention: Retention = field(default_factory=Retention)


SECTIONS = (
    "version",
    "regions",
    "services",
    "anchors",
    "checks",
    "templates",
    "contracts",
    "exclusions",
    "notify",
    "retention",
)


def read_fleet(text: bytes, file: str, *, is_new: bool = False) -> Fleet:
    """The fleet that the file `text` describes. BadDocument with every problem if it does not hold.

    One that `is_new` is to come into force; others are or were in force, here or elsewhere, and are only read.
    """
    document = parse(text, file)
    data = document.data
    if not isinstance(data, dict):
        raise BadDocument(
            [document.problem((), "a mapping with version, regions, services, checks", data)]
        )
    problems = [
        document.problem((key,), "no such key", repr(key)) for key in data if key not in SECTIONS
    ]
    if data.get("version") != 1:
        problems.append(document.problem(("version",), "version: 1", data.get("version")))
    regions = by_id(document, "regions", Region, problems)
    services = by_id(document, "services", Service, problems)
    checks = by_id(document, "checks", Check, problems)
    problems += _service_problems(document, services)
    problems += _circle_problems(document, services) if is_new else []
    places = {key: one.value for key, one in regions.items()}
    resolved: dict[str, Check] = {}
    for item in checks.values():
        check, path = item.value, ("checks", item.index)
        problems += _reference_problems(document, path, check, regions, services)
        whole = (
            check
            if check.regions is not UNSET
            else msgspec.structs.replace(check, regions=list(regions))
        )
        whole = with_domains(whole, places)
        wrong = [*findings(whole, is_new=is_new), *domain_findings(whole, places)]
        problems += told(document, path, wrong, item.left_out)
        resolved[check.id] = whole
    contracts = agreements(document, resolved, problems, is_new=is_new)
    exclusions = _exclusions(document, resolved, services, problems)
    anchors = _anchors(document, problems)
    named = Named(services, checks, contracts, actions_in(data))
    channels = _channels(document, named, problems)
    problems += grade_problems(document, channels)
    retention = retention_in(document, contracts, problems, is_new=is_new)
    if problems:
        raise BadDocument(sorted(problems)[:PROBLEMS_SHOWN_MAX])
    return Fleet(
        regions=places,
        services={key: one.value for key, one in services.items()},
        checks=resolved,
        contracts=contracts,
        document=document,
        anchors=anchors,
        channels=channels,
        exclusions=exclusions,
        retention=retention,
    )


def criticalities(text: bytes, file: str) -> Mapping[str, Criticality]:
    """How much each service of a file that was in force matters, by id."""
    services = parse(text, file).data.get("services", [])
    return {one["id"]: Criticality(one.get("criticality", Criticality.NORMAL)) for one in services}


def dependencies(text: bytes, file: str) -> Dependencies:
    """What each service of a file that was in force depends on, by id."""
    services = parse(text, file).data.get("services", [])
    return {one["id"]: tuple(one.get("depends_on", ())) for one in services}


def _anchors(document: Document, problems: list[Problem]) -> tuple[Anchor, ...]:
    """The anchors; what is wrong with them goes to `problems`."""
    items = document.data.get("anchors", [])
    if not isinstance(items, list):
        expected = "a list of anchors, each with one of tcp, icmp and dns"
        problems.append(document.problem(("anchors",), expected, items))
        return ()
    found: list[Anchor] = []
    for index, item in enumerate(items):
        anchor, wrong = convert(document, ("anchors", index), item, Anchor)
        problems += wrong
        if anchor is not None:
            found.append(anchor)
            problems += [
                document.problem(("anchors", index, *path), expected, seen)
                for path, expected, seen in anchor_problems(anchor)
            ]
    if len(found) == len(items):
        problems += [
            document.problem(("anchors", *path), expected, seen)
            for path, expected, seen in anchors_problems(found)
        ]
    return tuple(found)


def _channels(document: Document, named: Named, problems: list[Problem]) -> dict[str, Channel]:
    """The channels by id; what is wrong with them goes to `problems`."""
    wrong: list[Problem] = []
    channels = by_id(document, "notify", Channel, wrong)
    problems += map(unrevealing, wrong)
    for one in channels.values():
        found = channel_findings(one.value, named)
        problems += told(document, ("notify", one.index), found, one.left_out)
    if len(channels) > CHANNELS_MAX:
        expected = f"at most {CHANNELS_MAX} channels"
        problems.append(document.problem(("notify",), expected, f"{len(channels)}"))
    return {key: one.value for key, one in channels.items()}


def _exclusions(
    document: Document,
    checks: Mapping[str, Check],
    services: Mapping[str, Any],
    problems: list[Problem],
) -> dict[str, Exclusion]:
    """The exclusions by id; what is wrong with them goes to `problems`."""
    found = by_id(document, "exclusions", Exclusion, problems)
    for one in found.values():
        wrong = exclusion_findings(one.value, checks, services)
        problems += told(document, ("exclusions", one.index), wrong, one.left_out)
    return {key: one.value for key, one in found.items()}


def _service_problems(
    document: Document, services: Mapping[str, Item[Service]]
) -> Iterable[Problem]:
    for one in services.values():
        for place, parent in enumerate(one.value.depends_on):
            if parent not in services:
                path = ("services", one.index, "depends_on", place)
                yield document.problem(path, one_of("service", services), parent)


def _circle_problems(
    document: Document, services: Mapping[str, Item[Service]]
) -> Iterable[Problem]:
    """Dependencies that lead back to where they began: there would be no first cause (S-16)."""
    for circle in circles({key: one.value.depends_on for key, one in services.items()}):
        last = services[circle[-1]]
        path = ("services", last.index, "depends_on", last.value.depends_on.index(circle[0]))
        shown = " -> ".join([*circle, circle[0]])
        yield document.problem(path, "dependencies that do not lead back to themselves", shown)


def _reference_problems(
    document: Document,
    path: tuple[str | int, ...],
    check: Check,
    regions: Mapping[str, Any],
    services: Mapping[str, Any],
) -> Iterable[Problem]:
    if check.service not in services:
        yield document.problem((*path, "service"), one_of("service", services), check.service)
    named: Sequence[str] = [] if isinstance(check.regions, UnsetType) else check.regions
    for place, region in enumerate(named):
        if region not in regions:
            yield document.problem((*path, "regions", place), one_of("region", regions), region)
    if not regions:
        yield document.problem(("regions",), "at least one region", "none")
