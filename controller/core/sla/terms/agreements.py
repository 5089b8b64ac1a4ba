"""Contracts of a fleet file, each with its amendments (S-32).

An amendment stands in the same section under the same id: it begins later, and says only what changes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from controller.core.sections import told
from controller.core.sla.terms.contract_findings import amendment_findings, contract_findings
from controller.core.sla.terms.contracts import Agreement, Contract
from controller.core.sla.terms.levels import level_problems
from controller.core.sla.terms.objectives import with_metric
from vedette.shared.definitions import Check
from vedette.shared.documents import Document, Problem, converted
from vedette.shared.limits import CHECKS_MAX


def agreements(
    document: Document, checks: Mapping[str, Check], problems: list[Problem], *, is_new: bool
) -> dict[str, Agreement]:
    """The contracts by id; what is wrong with them goes to `problems`. `is_new`: see `contract_findings`."""
    items = document.data.get("contracts", [])
    if not isinstance(items, list) or len(items) > CHECKS_MAX:
        expected = f"a list of at most {CHECKS_MAX} contracts"
        problems.append(document.problem(("contracts",), expected, items))
        return {}
    problems += _template_problems(document)
    versions: dict[str, tuple[Contract, ...]] = {}
    for index, whole in enumerate(whole_contracts(document.data)):
        contract = _contract(document, index, whole, checks, problems, is_new=is_new)
        if contract is None:
            continue
        earlier = versions.get(contract.id, ())
        if earlier:
            wrong = amendment_findings(earlier[-1], contract)
            problems += told(document, ("contracts", index), wrong, frozenset())
        versions[contract.id] = (*earlier, contract)
    found = {name: Agreement(own) for name, own in versions.items()}
    problems += level_problems(document, found)
    return found


def whole_contracts(data: Mapping[str, Any]) -> list[Any]:
    """The contracts of a file as plain data, each written out: over its template, over what it amends."""
    templates = _templates(data)
    said: dict[str, dict[str, Any]] = {}
    found: list[Any] = []
    for item in data.get("contracts", []):
        whole = item
        if isinstance(item, dict):
            template = templates.get(str(item.get("extends")))
            before = said.get(str(item.get("id")), {})
            whole = {**before, **(template or {}), **item}
            # One that there is not is refused by name.
            whole.pop("extends", None)
            whole = {key: value for key, value in whole.items() if key != "id"} | _id_of(item)
            if isinstance(whole.get("objectives"), list):
                whole["objectives"] = [with_metric(one) for one in whole["objectives"]]
            said[str(item.get("id"))] = whole
        found.append(whole)
    return found


def _id_of(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": item["id"]} if "id" in item else {}


def _templates(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The clauses of each template by its id."""
    items = data.get("templates", [])
    listed = items if isinstance(items, list) else []
    return {
        str(item["id"]): {key: value for key, value in item.items() if key != "id"}
        for item in listed
        if isinstance(item, dict) and "id" in item
    }


def _template_problems(document: Document) -> Iterator[Problem]:
    """Templates that are none; what their clauses say is judged in the contracts that extend them."""
    items = document.data.get("templates", [])
    if not isinstance(items, list):
        yield document.problem(("templates",), "a list of templates", items)
        return
    known = set(Contract.__struct_fields__)
    seen: set[object] = set()
    for index, item in enumerate(items):
        path = ("templates", index)
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            yield document.problem(path, "a mapping with an id and clauses of a contract", item)
            continue
        if item["id"] in seen:
            yield document.problem((*path, "id"), "an id of its own", f"{item['id']!r} again")
        seen.add(item["id"])
        for key in item:
            if key not in known:
                yield document.problem((*path, str(key)), "no such clause", repr(key))
    for index, item in enumerate(document.data.get("contracts", [])):
        if isinstance(item, dict) and "extends" in item and item["extends"] not in seen:
            names = ", ".join(sorted(map(str, seen))) or "there are none"
            expected, found = f"a template of this file ({names})", repr(item["extends"])
            yield document.problem(("contracts", index, "extends"), expected, found)


def _contract(
    document: Document,
    index: int,
    item: Any,
    checks: Mapping[str, Check],
    problems: list[Problem],
    *,
    is_new: bool,
) -> Contract | None:
    """One version of a contract, written out; None if too little of it can be read."""
    path = ("contracts", index)
    contract, wrong, removed = converted(document, path, item, Contract)
    problems += wrong
    if contract is not None:
        found = contract_findings(contract, checks, is_new=is_new)
        problems += told(document, path, found, frozenset(removed))
    return contract
