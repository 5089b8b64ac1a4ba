"""Documents of OpenSLO v1 as contracts of a fleet file, and the list of what has no equal there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from controller.cli.openslo.documents import Note, Thing, number
from controller.cli.openslo.exporting import PREFIX, SOURCE
from controller.cli.openslo.objective import Unmapped, objective_of
from controller.cli.openslo.windows import length_of, period_of, start_of
from controller.core.fleet import Fleet
from controller.core.sla.figures.burn import RULES
from vedette.shared.definitions import micros
from vedette.shared.documents import Path
from vedette.shared.identity import is_id
from vedette.shared.limits import ID_CHARS_MAX

_READ: Final = frozenset({
    "service", "indicator", "indicatorRef", "timeWindow", "budgetingMethod", "objectives", "alertPolicies",
    "description",
})  # fmt: skip
_MONTH: Final = {"kind": "month"}


@dataclass
class Imported:
    """Contracts as plain data, and what of the documents they do not say."""

    contracts: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def imported(things: Sequence[Thing], fleet: Fleet | None, effective_from: str) -> Imported:
    """The contracts that the SLOs among the documents make.

    `fleet` knows which checks a service has. `effective_from` holds where a document does not say when it begins.
    """
    reader = _Reader(things, fleet, effective_from)
    return reader.read()


class _Reader:
    """One import."""

    def __init__(self, things: Sequence[Thing], fleet: Fleet | None, effective_from: str) -> None:
        self._things = things
        self._fleet = fleet
        self._effective_from = effective_from
        self._named = {(one.kind, one.name): one for one in things}
        self._made = Imported()
        self._by_id: dict[str, dict[str, Any]] = {}

    def read(self) -> Imported:
        for thing in self._things:
            if thing.kind == "SLO":
                self._take(thing)
            elif thing.kind == "DataSource":
                self._note(thing, (), "not imported: agents are the source here")
            elif thing.kind == "AlertNotificationTarget" and thing.name != SOURCE.lower():
                self._note(thing, (), "not imported: channels stand in `notify:` of the fleet file")
        return self._made

    def _take(self, slo: Thing) -> None:
        for key in slo.spec:
            if key not in _READ:
                self._note(slo, ("spec", key), "not imported: no contract says this")
        if slo.metadata.get("labels"):
            self._note(slo, ("metadata", "labels"), "not imported: contracts have no labels")
        contract = self._contract(slo)
        if contract is None:
            return
        objectives = list(self._objectives(slo))
        if not objectives:
            self._note(
                slo, ("spec", "objectives"), "not imported: none of its objectives is computed here"
            )
            return
        self._alerts(slo)
        known = self._by_id.get(contract["id"])
        if known is not None and any(known[key] != contract[key] for key in ("scope", "period")):
            self._note(
                slo, (), f"a contract of its own: {contract['id']} has another scope or period"
            )
            contract["id"] = _id(slo.name)
            known = self._by_id.get(contract["id"])
        if known is None:
            self._by_id[contract["id"]] = contract
            self._made.contracts.append(contract)
            known = contract
        for one in objectives:
            _unique(one, known["objectives"])
            known["objectives"].append(one)

    def _contract(self, slo: Thing) -> dict[str, Any] | None:
        """The contract without its objectives; None, and a note, if it has no period that is computed here."""
        said = slo.annotations
        windows = slo.spec.get("timeWindow") or []
        window: Mapping[str, Any] = windows[0] if windows and isinstance(windows[0], dict) else {}
        period: dict[str, Any] = dict(_MONTH)
        if window:
            try:
                period = period_of(window)
            except ValueError as error:
                self._note(slo, ("spec", "timeWindow", 0), f"not imported: {error}")
                return None
        else:
            self._note(
                slo, ("spec", "timeWindow"), "none is said: the contract goes by months in UTC"
            )
        begins = said.get(f"{PREFIX}effective-from") or start_of(window)
        if begins is None:
            begins = self._effective_from
            self._note(
                slo, ("spec", "timeWindow", 0), f"when it begins is not said: {begins} is written"
            )
        title = str(slo.metadata.get("displayName") or slo.spec.get("description") or "")
        return {
            "id": _id(str(said.get(f"{PREFIX}contract") or slo.name)),
            **({"title": title} if title else {}),
            **({"party": str(said[f"{PREFIX}party"])} if said.get(f"{PREFIX}party") else {}),
            "effective_from": str(begins),
            "scope": self._scope(slo),
            "period": period,
            "objectives": [],
        }

    def _scope(self, slo: Thing) -> Any:
        """What its own source names, else the checks of its service."""
        source = self._source(slo)
        spec = source.get("spec")
        if source.get("type") == SOURCE and isinstance(spec, dict) and "scope" in spec:
            return spec["scope"]
        path: Path = ("spec", "indicator" if "indicator" in slo.spec else "indicatorRef")
        service = _id(str(slo.spec.get("service", slo.name)))
        kind = str(source.get("type") or "another source")
        checks: list[str] = []
        if self._fleet is not None:
            checks = [one.id for one in self._fleet.checks.values() if one.service == service]
        if checks:
            self._note(slo, path, f"reads {kind}: the checks of service {service} stand in for it")
            return {"checks": checks}
        self._note(
            slo,
            path,
            f"reads {kind}: a check of the name {service!r} is written, name the right ones",
        )
        return {"checks": [service]}

    def _indicator(self, slo: Thing) -> Mapping[str, Any]:
        """What its indicator says; empty if it is a reference to one that is not among the documents."""
        own = slo.spec.get("indicator")
        if isinstance(own, dict):
            spec = own.get("spec")
            return spec if isinstance(spec, dict) else {}
        named = self._named.get(("SLI", str(slo.spec.get("indicatorRef"))))
        return named.spec if named else {}

    def _source(self, slo: Thing) -> Mapping[str, Any]:
        said = self._indicator(slo)
        ratio, threshold = said.get("ratioMetric"), said.get("thresholdMetric")
        holders: list[Any] = [threshold]
        if isinstance(ratio, dict):
            holders += [ratio.get(key) for key in ("good", "bad", "raw", "total")]
        for one in holders:
            if isinstance(one, dict) and isinstance(one.get("metricSource"), dict):
                found: Mapping[str, Any] = one["metricSource"]
                return found
        return {}

    def _objectives(self, slo: Thing) -> Iterator[dict[str, Any]]:
        listed = slo.spec["objectives"]
        named = slo.annotations.get(f"{PREFIX}objective")
        for place, one in enumerate(listed):
            path: Path = ("spec", "objectives", place)
            title = str(named) if named and len(listed) == 1 else str(one.get("displayName") or "")
            try:
                said = objective_of(slo.spec, one, self._indicator(slo), self._source(slo))
            except Unmapped as error:
                self._note(slo, (*path, *error.path), f"not imported: {error}")
                continue
            yield {"id": _id(title or f"objective-{place + 1}"), **said}

    def _alerts(self, slo: Thing) -> None:
        """Contracts have the alerts of S-44, all of them: others are listed."""
        policies = slo.spec.get("alertPolicies")
        for place, one in enumerate(policies if isinstance(policies, list) else ()):
            path: Path = ("spec", "alertPolicies", place)
            policy: Any = one
            if isinstance(one, dict) and "alertPolicyRef" in one:
                thing = self._named.get(("AlertPolicy", str(one["alertPolicyRef"])))
                policy = {"spec": thing.spec} if thing else None
            if not self._is_ours(policy):
                told = "14.4 in 1h, 6 in 6h, 3 in 1d and 1 in 3d"
                self._note(
                    slo, path, f"not imported: every contract alerts at burn rates of {told}"
                )

    def _is_ours(self, policy: Any) -> bool:
        spec = policy.get("spec") if isinstance(policy, dict) else None
        conditions = spec.get("conditions") if isinstance(spec, dict) else None
        for one in conditions if isinstance(conditions, list) else ():
            held: Any = one
            if isinstance(one, dict) and "conditionRef" in one:
                thing = self._named.get(("AlertCondition", str(one["conditionRef"])))
                held = {"spec": thing.spec} if thing else None
            inner = held.get("spec", {}) if isinstance(held, dict) else {}
            condition = inner.get("condition") if isinstance(inner, dict) else None
            if not isinstance(condition, dict) or not _is_rule(condition):
                return False
        return bool(conditions)

    def _note(self, thing: Thing, path: Path, what: str) -> None:
        self._made.notes.append(thing.note(path, what))


def _is_rule(condition: Mapping[str, Any]) -> bool:
    """It is one of the alerts of S-44."""
    from_us = length_of(str(condition.get("lookbackWindow", "")))
    return any(
        number(condition.get("threshold")) == rule.factor
        and from_us is not None
        and micros(from_us) == rule.long_us
        for rule in RULES
    )


def _id(text: str) -> str:
    """An id near to a name."""
    if is_id(text):
        return text
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:ID_CHARS_MAX] or "unnamed"


def _unique(objective: dict[str, Any], others: Sequence[Mapping[str, Any]]) -> None:
    """Give an objective an id of its own."""
    taken = {one["id"] for one in others}
    base, count = objective["id"], 2
    while objective["id"] in taken:
        objective["id"] = f"{base[: ID_CHARS_MAX - 5]}-{count}"
        count += 1
