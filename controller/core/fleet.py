"""The fleet file: regions, services, anchors, checks, contracts, channels.

It is read whole, or refused with all its problems.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from controller.core.channels import Channel, channel_findings, one_of, unrevealing
from controller.core.contracts import Contract, clauses_not_computed, contract_findings
from controller.core.dependencies import circles
from controller.core.domains import domain_findings, with_domains
from vedette.shared.anchors import Anchor, anchor_problems, anchors_problems
from vedette.shared.definitions import Check, Id, findings
from vedette.shared.documents import (
    BadDocument,
    Document,
    Path,
    Problem,
    convert,
    converted,
    parse,
)
from vedette.shared.limits import CHANNELS_MAX, CHECKS_MAX, PROBLEMS_SHOWN_MAX
from vedette.shared.probes import Finding

T = TypeVar("T")


class Criticality(StrEnum):
    """How much a service matters (S-17)."""

    CRITICAL = "critical"
    NORMAL = "normal"


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
    contracts: Mapping[str, Contract]
    document: Document
    anchors: tuple[Anchor, ...] = ()
    channels: Mapping[str, Channel] = field(default_factory=dict)


SECTIONS = ("version", "regions", "services", "anchors", "checks", "contracts", "notify")


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
    regions = _by_id(document, "regions", Region, problems)
    services = _by_id(document, "services", Service, problems)
    checks = _by_id(document, "checks", Check, problems)
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
        problems += _told(document, path, wrong, item.left_out)
        resolved[check.id] = whole
    contracts = _contracts(document, resolved, problems)
    anchors = _anchors(document, problems)
    channels = _channels(document, services, checks, problems)
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
    )


def criticalities(text: bytes, file: str) -> Mapping[str, Criticality]:
    """How much each service of a file that was in force matters, by id."""
    services = parse(text, file).data.get("services", [])
    return {one["id"]: Criticality(one.get("criticality", Criticality.NORMAL)) for one in services}


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


def _channels(
    document: Document,
    services: Mapping[str, Any],
    checks: Mapping[str, Any],
    problems: list[Problem],
) -> dict[str, Channel]:
    """The channels by id; what is wrong with them goes to `problems`."""
    wrong: list[Problem] = []
    channels = _by_id(document, "notify", Channel, wrong)
    problems += map(unrevealing, wrong)
    for one in channels.values():
        found = channel_findings(one.value, services, checks)
        problems += _told(document, ("notify", one.index), found, one.left_out)
    if len(channels) > CHANNELS_MAX:
        expected = f"at most {CHANNELS_MAX} channels"
        problems.append(document.problem(("notify",), expected, f"{len(channels)}"))
    return {key: one.value for key, one in channels.items()}


def _contracts(
    document: Document, checks: Mapping[str, Check], problems: list[Problem]
) -> dict[str, Contract]:
    """The contracts by id; what is wrong with them goes to `problems`."""
    items = document.data.get("contracts", [])
    for index, item in enumerate(items if isinstance(items, list) else []):
        for where, expected, seen in clauses_not_computed(item) if isinstance(item, dict) else []:
            problems.append(document.problem(("contracts", index, *where), expected, seen))
    # Clauses that were refused by name above need no second refusal by type.
    wrong: list[Problem] = []
    contracts = _by_id(document, "contracts", Contract, wrong)
    named = {problem.path for problem in problems}
    problems += [problem for problem in wrong if problem.path not in named]
    for one in contracts.values():
        found = contract_findings(one.value, checks)
        problems += _told(document, ("contracts", one.index), found, one.left_out)
    return {key: one.value for key, one in contracts.items()}


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """A thing of a section: where it stands, what of it could be read, and the keys that could not."""

    index: int
    value: T
    left_out: frozenset[str]


# What is said of these hangs on the others: with one of them unread, nothing is said of any.
_TOGETHER: Final = frozenset({"every", "timeout", "degraded_over", "quorum", "outage"})


def _told(
    document: Document, path: Path, found: Iterable[Finding], left_out: frozenset[str]
) -> list[Problem]:
    """Findings as problems, but for those that only say that a refused part is missing."""
    silent = left_out | (_TOGETHER if left_out & _TOGETHER else frozenset())
    return [
        document.problem((*path, *where), expected, seen)
        for where, expected, seen in found
        if not left_out or (where and where[0] not in silent)
    ]


def _by_id(
    document: Document, section: str, kind: type[T], problems: list[Problem]
) -> dict[str, Item[T]]:
    """The things of a section by id; what is wrong with them goes to `problems`."""
    items = document.data.get(section, [])
    if not isinstance(items, list) or len(items) > CHECKS_MAX:
        problems.append(
            document.problem((section,), f"a list of at most {CHECKS_MAX} {section}", items)
        )
        return {}
    found: dict[str, Item[T]] = {}
    for index, item in enumerate(items):
        value, wrong, removed = converted(document, (section, index), item, kind)
        problems += wrong
        if value is None:
            continue
        key: str = getattr(value, "id")  # noqa: B009 - every kind has one; T need not know
        if key in found:
            problems.append(
                document.problem((section, index, "id"), "an id of its own", f"{key!r} again")
            )
        else:
            found[key] = Item(index, value, frozenset(str(path[0]) for path in removed if path))
    return found


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
