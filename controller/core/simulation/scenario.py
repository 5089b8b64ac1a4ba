"""The scenario file: read whole, or refused with all its problems by file and line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec

from controller.core.domains import domain_findings
from controller.core.fleet import Region
from controller.core.instants import instant
from controller.core.simulation.definitions import (
    Fault,
    FaultKind,
    Lasting,
    Range,
    RuleTerms,
    ScenarioTerms,
    bounds_of,
    share_of,
)
from controller.core.simulation.rules import FIELD_RULES, definition_under
from vedette.shared.definitions import Check, findings, micros
from vedette.shared.documents import BadDocument, Document, Path, Problem, convert, parse
from vedette.shared.limits import PROBLEMS_SHOWN_MAX
from vedette.shared.probes import Finding, TcpProbe

SAMPLES_MAX: Final = 200_000_000
_LENGTH_US_MAX: Final = 366 * 86_400_000_000
# What makes a fault of each kind, besides `kind at times lasting together`.
_PLACES: Final = frozenset({"regions", "providers", "agents"})
_KEYS: Final[Mapping[FaultKind, frozenset[str]]] = {
    FaultKind.OUTAGE: frozenset({"checks"}),
    FaultKind.FLAPPING: frozenset({"checks", "down", "up"}),
    FaultKind.PARTITION: _PLACES | {"checks", "anchors"},
    FaultKind.LOSS: _PLACES | {"share", "bursts"},
    FaultKind.SLOW: _PLACES | {"checks", "by"},
    FaultKind.DEATH: _PLACES,
    FaultKind.LATE: _PLACES,
    FaultKind.SKEW: _PLACES | {"ahead", "behind", "measured"},
}
_NEEDED: Final[Mapping[FaultKind, frozenset[str]]] = {
    FaultKind.FLAPPING: frozenset({"down", "up"}),
    FaultKind.LOSS: frozenset({"share"}),
    FaultKind.SLOW: frozenset({"by"}),
}
_ALWAYS: Final = frozenset({"kind", "lasting", "at", "times", "together"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that holds, with its checks as real definitions.

    Time runs from `start_us` to `end_us`.
    """

    terms: ScenarioTerms
    seed: int
    start_us: int
    end_us: int
    regions: tuple[str, ...]
    check: Check
    rules: tuple[RuleTerms, ...]

    @property
    def checks(self) -> list[str]:
        """The ids of the checks."""
        return check_ids(self.terms)

    @property
    def agents(self) -> int:
        """How many agents there are."""
        return len(self.regions) * self.terms.agents_per_region


def check_ids(terms: ScenarioTerms) -> list[str]:
    """check-1 and on."""
    return [f"check-{number}" for number in range(1, terms.checks.count + 1)]


def agent_ids(terms: ScenarioTerms, region: str) -> list[str]:
    """fra-1 and on."""
    return [f"{region}-{number}" for number in range(1, terms.agents_per_region + 1)]


def read_scenario(text: bytes, file: str, *, seed: int | None = None) -> Scenario:
    """The scenario that the file describes, with `seed` in place of its own. BadDocument: every problem."""
    document = parse(text, file)
    terms, problems = convert(document, (), document.data, ScenarioTerms)
    if terms is None:
        problems += islice(_part_problems(document), PROBLEMS_SHOWN_MAX)
        raise BadDocument(sorted(set(problems))[:PROBLEMS_SHOWN_MAX])
    start_us = _start(document, terms, problems)
    check = _check(terms)
    rules = tuple(terms.rules) or _field_rules(terms)
    problems += _told(document, (), _shape_findings(terms))
    # The regions stand in the definition, and not in the file's `checks`; what they lack is told above.
    own = (one for one in findings(check, is_new=True) if one[0][:1] != ("regions",))
    problems += _told(document, ("checks",), own)
    problems += _rule_problems(document, terms, check, terms.rules if problems else rules)
    for index, fault in enumerate(terms.faults):
        problems += _told(document, ("faults", index), _fault_findings(terms, fault))
    if problems:
        raise BadDocument(sorted(set(problems))[:PROBLEMS_SHOWN_MAX])
    return Scenario(
        terms=terms,
        seed=terms.seed if seed is None else seed,
        start_us=start_us,
        end_us=start_us + micros(terms.length),
        regions=tuple(region.id for region in terms.regions),
        check=check,
        rules=rules,
    )


def _part_problems(document: Document) -> Iterable[Problem]:
    """What is wrong with each part read by itself: a part that cannot be read hides what follows it."""
    data = document.data
    if not isinstance(data, dict):
        return
    kinds: Mapping[str, type[Region | Fault | RuleTerms]] = {
        "regions": Region, "faults": Fault, "rules": RuleTerms,
    }  # fmt: skip
    parts = {key: data[key] for key in kinds if isinstance(data.get(key), list)}
    yield from convert(document, (), data | {key: [] for key in parts}, ScenarioTerms)[1]
    for key, items in parts.items():
        for index, item in enumerate(items):
            yield from convert(document, (key, index), item, kinds[key])[1]


def _field_rules(terms: ScenarioTerms) -> tuple[RuleTerms, ...]:
    """The rules that are compared where a scenario has none, as far as there are regions for them."""
    return tuple(rule for rule in FIELD_RULES if (rule.regions or 1) <= len(terms.regions))


def _start(document: Document, terms: ScenarioTerms, problems: list[Problem]) -> int:
    try:
        return instant(terms.start)
    except ValueError as error:
        expected = str(error).removeprefix("expected ").split(", found ")[0]
        problems.append(document.problem(("start",), expected, terms.start))
        return 0


def _check(terms: ScenarioTerms) -> Check:
    """The definition that every check has, but for its id and what a rule says."""
    template = terms.checks
    return Check(
        id="check-1",
        service="simulated",
        every=template.every,
        timeout=template.timeout,
        degraded_over=template.degraded_over,
        regions=[region.id for region in terms.regions],
        tcp=TcpProbe(host="target.example", port=443),
        outage=template.outage,
    )


def _shape_findings(terms: ScenarioTerms) -> Iterable[Finding]:
    ids = [region.id for region in terms.regions]
    if not ids or len(set(ids)) != len(ids):
        yield ("regions",), "at least one region, each once", ", ".join(ids) or "none"
    length_us, every_us = micros(terms.length), micros(terms.checks.every)
    if not every_us <= length_us <= _LENGTH_US_MAX:
        yield ("length",), "from one interval of the checks to 366d", terms.length
    elif (
        every_us
        and len(ids) * terms.agents_per_region * terms.checks.count * (length_us // every_us)
        > SAMPLES_MAX
    ):
        expected = f"at most {SAMPLES_MAX:,} results in all: fewer checks, agents or days"
        yield ("length",), expected, terms.length
    for name in ("link", "target"):
        yield from _range_findings(("network", name), getattr(terms.network, name))
    yield from _range_findings(("network", "loss", "bursts"), terms.network.loss.bursts)
    if bounds_of(terms.network.target)[1] >= _check(terms).timeout_us:
        expected = "less than the timeout of the checks, or every probe could fail"
        yield ("network", "target", "most"), expected, terms.network.target.most
    if not 1_000_000 <= micros(terms.anchors.every) <= 3600 * 1_000_000:
        yield ("anchors", "every"), "a time from 1s to 1h", terms.anchors.every


def _range_findings(path: Path, lasting: Lasting) -> Iterable[Finding]:
    least_us, most_us = bounds_of(lasting)
    if not 1_000 <= least_us <= most_us:
        shown = lasting if isinstance(lasting, str) else f"{lasting.least} to {lasting.most}"
        yield path, "a least length of 1ms or more, and a most that is no less", shown


def _rule_problems(
    document: Document, terms: ScenarioTerms, check: Check, rules: Iterable[RuleTerms]
) -> Iterable[Problem]:
    regions = [region.id for region in terms.regions]
    places: dict[str, Region] = {region.id: region for region in terms.regions}
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        path: Path = ("rules", index)
        if rule.id in seen:
            yield document.problem((*path, "id"), "an id of its own", f"{rule.id!r} again")
        seen.add(rule.id)
        if rule.regions is not None and rule.regions > len(regions):
            expected = f"at most the {len(regions)} regions of the scenario"
            yield document.problem((*path, "regions"), expected, rule.regions)
            continue
        yield from _told(document, (*path, "looks"), _look_findings(rule))
        judged = definition_under(check, rule, terms.regions)
        found = [*findings(judged, is_new=True), *domain_findings(judged, places)]
        yield from _told(document, path, (one for one in found if one[0][:1] == ("quorum",)))


def _look_findings(rule: RuleTerms) -> Iterable[Finding]:
    looks = rule.looks
    if looks is None:
        return
    if looks.by == "controller" and (looks.every or looks.times):
        key = "every" if looks.every else "times"
        yield (key,), f"no {key}: confirm now has its own", str(looks.every or looks.times)
    elif looks.by == "site" and (looks.every is None or micros(looks.every) < 1_000_000):
        yield ("every",), "1s or more between two tries of a site", looks.every or "nothing"


def _fault_findings(terms: ScenarioTerms, fault: Fault) -> Iterable[Finding]:
    allowed = _ALWAYS | _KEYS[fault.kind]
    for each in msgspec.structs.fields(fault):
        value = getattr(fault, each.name)
        default = each.default if each.default is not msgspec.NODEFAULT else []
        if each.name not in allowed and value != default:
            expected = f"no {each.name} in a fault of kind {fault.kind}"
            yield (each.name,), expected, "one"
        elif each.name in _NEEDED.get(fault.kind, ()) and value is None:
            yield (each.name,), f"{each.name} in a fault of kind {fault.kind}", "nothing"
        elif isinstance(value, Range) or (each.name == "lasting"):
            yield from _range_findings((each.name,), value)
    yield from _name_findings(terms, fault)
    if fault.kind is FaultKind.LOSS and fault.share and share_of(fault.share) == 0:
        yield ("share",), "a share above 0%", fault.share
    if fault.kind is FaultKind.SKEW and (fault.ahead is None) == (fault.behind is None):
        yield ("ahead",), "either ahead or behind", "both" if fault.ahead else "neither"
    if fault.anchors > terms.anchors.total:
        yield ("anchors",), f"at most the {terms.anchors.total} anchors of an agent", str(fault.anchors)  # fmt: skip
    if fault.at is not None and fault.times > 1:
        yield ("times",), "times only where `at` does not say when", str(fault.times)
    end_us = (micros(fault.at) if fault.at else 0) + bounds_of(fault.lasting)[1]
    if end_us > micros(terms.length):
        yield ("lasting",), f"an end within the {terms.length} of the scenario", "a later one"


def _name_findings(terms: ScenarioTerms, fault: Fault) -> Iterable[Finding]:
    regions = {region.id for region in terms.regions}
    known: Mapping[str, set[str]] = {
        "regions": regions,
        "providers": {region.provider for region in terms.regions if region.provider},
        "agents": {agent for region in regions for agent in agent_ids(terms, region)},
        "checks": set(check_ids(terms)),
    }
    for key, names in known.items():
        for index, name in enumerate(getattr(fault, key)):
            if name not in names:
                shown = ", ".join(sorted(names)[:8]) + (", ..." if len(names) > 8 else "")
                yield (key, index), f"one of {shown or 'none'}", name


def _told(document: Document, path: Path, found: Iterable[Finding]) -> list[Problem]:
    return [document.problem((*path, *where), expected, seen) for where, expected, seen in found]
