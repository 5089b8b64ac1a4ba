"""What a fleet file says of one contract: enough to compute it, and nothing of other contracts and checks."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from controller.core.sla.terms.agreements import whole_contracts
from controller.core.sla.terms.exclusions import Declaration, Exclusion
from controller.core.sla.terms.scopes import Scope

Plain = dict[str, Any]
_ALL: Final = "all"


def fleet_excerpt(
    data: Mapping[str, Any], contract: str, scope: Scope, exclusions: Sequence[Declaration]
) -> Plain:
    """A fleet file as plain data with that contract, written out, its checks, and these exclusions.

    Regions stay, because a check that names none has all of them; exclusions that were withdrawn have no effect. What a service depends on, anchors,
    channels, who is told of a grade and which contract this one supports change no figure, and are left out.
    """
    excerpt = check_excerpt(data, scope.members)
    excerpt["contracts"] = [
        _by_itself(one) for one in whole_contracts(data) if one["id"] == contract
    ]
    checks = excerpt["checks"]
    standing = [_exclusion(one, checks) for one in exclusions if one.withdrawn_us is None]
    if standing:
        excerpt["exclusions"] = standing
    return excerpt


def terms_excerpt(
    data: Mapping[str, Any],
    contract: str,
    members: Sequence[tuple[str, str]],
    exclusions: Iterable[Exclusion],
) -> Plain:
    """What a fleet file says of a contract as plain data: its terms written out, and the exclusions of its checks.

    `members` are its checks with their services.
    """
    own = [one for one in exclusions if any(one.covers(*member) for member in members)]
    return {
        "contracts": [_by_itself(one) for one in whole_contracts(data) if one["id"] == contract],
        "exclusions": [
            {**msgspec.to_builtins(one), "scope": own_scope(one, members)} for one in own
        ],
    }


def check_excerpt(data: Mapping[str, Any], members: Collection[str]) -> Plain:
    """A fleet file as plain data with these checks, their services and the regions, and nothing else."""
    checks = [one for one in data["checks"] if one["id"] in members]
    services = {one["service"] for one in checks}
    return {
        "version": 1,
        "regions": data["regions"],
        "services": [
            {key: value for key, value in one.items() if key != "depends_on"}
            for one in data["services"]
            if one["id"] in services
        ],
        "checks": checks,
    }


def _by_itself(contract: Mapping[str, Any]) -> Plain:
    """A contract without the names of what the excerpt leaves out: there they would name nothing."""
    plain = {key: value for key, value in contract.items() if key != "parent"}
    if "grades" in plain:
        plain["grades"] = [
            {key: value for key, value in grade.items() if key != "notify"}
            for grade in plain["grades"]
        ]
    return plain


def _exclusion(one: Declaration, checks: Sequence[Mapping[str, Any]]) -> Plain:
    """An exclusion of checks of the contract, as it can be shown to be; of which others is not said."""
    plain: Plain = msgspec.to_builtins(one.exclusion)
    if "scope" in plain:
        plain["scope"] = own_scope(one.exclusion, [(c["id"], c["service"]) for c in checks])
    return {**plain, "declared_at": one.declared_us, "approved_by": list(one.approved_by)}


def own_scope(
    exclusion: Exclusion, checks: Iterable[tuple[str, str]]
) -> str | dict[str, list[str]]:
    """Which of these checks (and their services) it covers: `all`, or their names and no others."""
    if exclusion.scope == _ALL:
        return _ALL
    return {"checks": [check for check, service in checks if exclusion.covers(check, service)]}
