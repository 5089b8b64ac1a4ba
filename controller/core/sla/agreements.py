"""Contracts of a fleet file, each with its amendments (S-32).

An amendment stands in the same section under the same id: it begins later, and says only what changes.
"""

from collections.abc import Mapping
from typing import Any

from controller.core.sections import told
from controller.core.sla.contract_findings import amendment_findings, contract_findings
from controller.core.sla.contracts import Agreement, Contract, clauses_not_computed
from vedette.shared.definitions import Check
from vedette.shared.documents import Document, Problem, converted
from vedette.shared.limits import CHECKS_MAX


def agreements(
    document: Document, checks: Mapping[str, Check], problems: list[Problem]
) -> dict[str, Agreement]:
    """The contracts by id; what is wrong with them goes to `problems`."""
    items = document.data.get("contracts", [])
    if not isinstance(items, list) or len(items) > CHECKS_MAX:
        expected = f"a list of at most {CHECKS_MAX} contracts"
        problems.append(document.problem(("contracts",), expected, items))
        return {}
    versions: dict[str, tuple[Contract, ...]] = {}
    said: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(items):
        name = item.get("id") if isinstance(item, dict) else None
        before = said.get(name) if isinstance(name, str) else None
        whole = {**before, **item} if before is not None and isinstance(item, dict) else item
        contract = _contract(document, index, whole, checks, problems)
        if contract is None:
            continue
        earlier = versions.get(contract.id, ())
        if earlier:
            wrong = amendment_findings(earlier[-1], contract)
            problems += told(document, ("contracts", index), wrong, frozenset())
        versions[contract.id] = (*earlier, contract)
        said[contract.id] = whole
    return {name: Agreement(own) for name, own in versions.items()}


def _contract(
    document: Document, index: int, item: Any, checks: Mapping[str, Check], problems: list[Problem]
) -> Contract | None:
    """One version of a contract, written out; None if too little of it can be read."""
    path = ("contracts", index)
    refused = [
        document.problem((*path, *where), expected, seen)
        for where, expected, seen in (clauses_not_computed(item) if isinstance(item, dict) else ())
    ]
    problems += refused
    contract, wrong, removed = converted(document, path, item, Contract)
    # Clauses that were refused by name above need no second refusal by type.
    named = {problem.path for problem in refused}
    problems += [problem for problem in wrong if problem.path not in named]
    if contract is not None:
        found = contract_findings(contract, checks)
        problems += told(document, path, found, frozenset(removed))
    return contract
