"""Levels of contracts (S-49): what underpins a promise, and whether it can carry it.

An internal or underpinning contract names as its `parent` the contract that it supports. What supports a
contract is needed by it; where contracts are about single members of its scope, they back these as the scope
says, so that two of them may stand in for one another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Final, NamedTuple

from controller.core.channels import one_of
from controller.core.dependencies import circles
from controller.core.sla.figures.attainment import decimal_text
from controller.core.sla.money.money import exact_text
from controller.core.sla.terms.contracts import Agreement, Contract
from controller.core.sla.terms.objectives import DEFAULT_METRIC
from controller.core.sla.terms.scopes import Scope
from vedette.shared.documents import Document, Problem

_RANKS: Final = {"customer": 0, "internal": 1, "underpinning": 2}
_SUPPORTED: Final = {
    "customer": "a customer contract",
    "internal": "a customer or an internal contract",
    "underpinning": "a contract",
}
# Of so many parts that may stand in for one another the composite is worked out; of more it is not limited.
_STAND_INS_MAX: Final = 200


def level_problems(document: Document, agreements: Mapping[str, Agreement]) -> list[Problem]:
    """Parents that there are not, or that cannot be supported so, and circles."""
    places = contract_places(document)
    links: dict[str, list[str]] = {name: [] for name in agreements}
    found: list[Problem] = []
    for name, agreement in agreements.items():
        level, parent = agreement.first.level, agreement.first.parent
        if parent is None:
            continue
        path = ("contracts", places[name][0], "parent")
        if parent not in places:
            expected = one_of("contract", [one for one in places if one != name])
            found.append(document.problem(path, expected, repr(parent)))
        elif parent in agreements:
            links[name].append(parent)
            above = agreements[parent].first.level
            if _RANKS[above] > _RANKS[level]:
                expected = (
                    f"{_SUPPORTED[level]}: the contract that supports names the one it supports"
                )
                found.append(document.problem(path, expected, f"{parent!r}, which is {above}"))
    for circle in circles(links):
        path = ("contracts", places[circle[-1]][0], "parent")
        shown = " -> ".join([*circle, circle[0]])
        found.append(document.problem(path, "parents that do not lead back to themselves", shown))
    return found


def contract_places(document: Document) -> dict[str, list[int]]:
    """Where in the section each contract and its amendments stand."""
    found: dict[str, list[int]] = {}
    for index, item in enumerate(document.data.get("contracts", [])):
        if isinstance(item, dict):
            found.setdefault(str(item.get("id")), []).append(index)
    return found


@dataclass(frozen=True, slots=True)
class Shortfall:
    """An objective that promises more than what underpins it gives, from an instant on, with the sum in words."""

    contract: str
    objective: str
    promised: Fraction
    composite: Fraction
    from_us: int
    sum: str


def shortfalls(agreements: Mapping[str, Agreement], now_us: int) -> list[Shortfall]:
    """The promises that what underpins them cannot carry: now, and wherever an amendment makes them so.

    Failures are taken to be independent, and what nothing is promised of to never fail: so it is the best
    that can be. Targets of seasons are left out.
    """
    families: dict[str, dict[str, Agreement]] = {}
    for name, one in agreements.items():
        parent = one.first.parent
        if parent is not None and parent in agreements:
            families.setdefault(parent, {parent: agreements[parent]})[name] = one
    found: dict[tuple[str, str, str], Shortfall] = {}
    for name, family in families.items():
        begin = {one.effective_us for each in family.values() for one in each.versions}
        for at_us in sorted({now_us, *(one for one in begin if one > now_us)}):
            for short in _shortfalls_at(name, held_at(family, at_us), at_us):
                found.setdefault((short.contract, short.objective, short.sum), short)
    return list(found.values())


def held_at(agreements: Mapping[str, Agreement], at_us: int) -> dict[str, Contract]:
    """The contracts that have begun by an instant, in the version that is in force then."""
    return {
        name: next(c for c in reversed(one.versions) if c.effective_us <= at_us)
        for name, one in agreements.items()
        if one.first.effective_us <= at_us
    }


def _shortfalls_at(name: str, held: Mapping[str, Contract], at_us: int) -> Iterator[Shortfall]:
    """Those of one contract, where `held` are it and what underpins it."""
    contract, below = held.get(name), [one for one in held.values() if one.parent == name]
    made = None if contract is None else composite(contract.scope, below)
    if contract is None or made is None:
        return
    for objective in contract.objectives:
        if objective.metric == DEFAULT_METRIC and objective.target_share > made.share:
            yield Shortfall(name, objective.id, objective.target_share, made.share, at_us, made.sum)


def supported(held: Mapping[str, Contract]) -> Iterator[tuple[Contract, Sequence[Contract]]]:
    """The contracts that others support, with those."""
    below: dict[str, list[Contract]] = {}
    for one in held.values():
        if one.parent is not None and one.parent in held:
            below.setdefault(one.parent, []).append(one)
    yield from ((held[name], own) for name, own in below.items())


class Composite(NamedTuple):
    """A share, and the sum that it is the result of."""

    share: Fraction
    sum: str


def composite(scope: Scope, below: Sequence[Contract]) -> Composite | None:
    """What contracts that underpin a scope come to together; None where none of them promises availability."""
    backing: dict[str, list[Contract]] = {}
    needed: list[Contract] = []
    for one in below:
        if _promise(one) is None:
            continue
        members = one.scope.members
        if len(members) == 1 and members[0] in scope.members:
            backing.setdefault(members[0], []).append(one)
        else:
            needed.append(one)
    if not backing and not needed:
        return None
    parts = [_product(own) for own in backing.values()]
    # What nobody promises anything of does not fail, by the best that can be.
    least = scope.needed - (len(scope.members) - len(parts))
    series = [_product([one]) for one in needed]
    if scope.weights:
        series = [_weighed(scope, backing), *series]
    elif least == len(parts):
        series = [*parts, *series]
    elif least > 0 and len(parts) <= _STAND_INS_MAX:
        series = [_standing_in(parts, least), *series]
    share = prod((one.share for one in series), start=Fraction(1))
    text, result = " x ".join(one.sum for one in series), _percent(share)
    if not text.endswith(f" {result}"):
        text = f"{text} = {result}" if text else result
    return Composite(share, text)


def _promise(contract: Contract) -> Fraction | None:
    """The most that it promises of availability."""
    targets = [one.target_share for one in contract.objectives if one.metric == DEFAULT_METRIC]
    return max(targets, default=None)


def _product(own: Sequence[Contract]) -> Composite:
    """Of contracts that are all needed."""
    shares = [(one.id, share) for one in own if (share := _promise(one)) is not None]
    text = " x ".join(f"{name} {_percent(share)}" for name, share in shares)
    return Composite(prod((share for _, share in shares), start=Fraction(1)), text)


def _weighed(scope: Scope, backing: Mapping[str, Sequence[Contract]]) -> Composite:
    """Of members that have a part each in the whole."""
    terms: list[Composite] = []
    for member, weight in scope.weights.items():
        part = _product(backing[member]) if member in backing else Composite(Fraction(1), "100 %")
        text = f"{exact_text(weight)} x {part.sum}"
        terms.append(Composite(weight * part.share, text))
    share = sum((one.share for one in terms), Fraction(0))
    return Composite(share, f"({' + '.join(one.sum for one in terms)})")


def _standing_in(parts: Sequence[Composite], least: int) -> Composite:
    """Of parts of which `least` have to be up."""
    if least == 1:
        share = 1 - prod((1 - one.share for one in parts), start=Fraction(1))
        return Composite(share, f"(1 - {' x '.join(f'(1 - {one.sum})' for one in parts)})")
    # By how many are up, over the product of all denominators.
    ways = [1]
    for one in parts:
        up, down = one.share.numerator, one.share.denominator - one.share.numerator
        ways = [
            (ways[n] * down if n < len(ways) else 0) + (ways[n - 1] * up if n else 0)
            for n in range(len(ways) + 1)
        ]
    share = Fraction(sum(ways[least:]), prod(one.share.denominator for one in parts))
    return Composite(share, f"({least} of {', '.join(one.sum for one in parts)})")


def _percent(share: Fraction) -> str:
    """In percent: in full, or cut at nine digits and marked so."""
    text = decimal_text(share)
    return f"{text} %" if Fraction(text) == share * 100 else f"{text}... %"
