"""The policies of every check there ever was, as storage holds them."""

from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

from controller.core.policy import Policy, PolicyRevision, policy_revision
from controller.ports.storage import Transaction
from vedette.shared.definitions import decode_check

Revisions = tuple[PolicyRevision, ...]


class Shared:
    """Makes policies share what is equal in them: there is one for each check, and they differ in little."""

    def __init__(self) -> None:
        self._known: dict[tuple[type, object], object] = {}
        self._no_weights: dict[str, Fraction] = {}

    def policy(self, policy: Policy) -> Policy:
        """An equal policy."""
        same: dict[str, Any] = {}
        for field in fields(policy):
            value = getattr(policy, field.name)
            if field.name == "weights":
                same[field.name] = value or self._no_weights
            elif field.name not in ("check", "revision"):
                same[field.name] = self._known.setdefault((type(value), value), value)
        return replace(policy, **same)


class Policies:
    """Policies by check; a cache of storage, which `forget` makes be read again."""

    def __init__(self) -> None:
        self.regions: Mapping[str, frozenset[str]] = {}
        self._known: dict[str, Revisions] = {}
        self._shared = Shared()
        self._prompt_us: dict[str, int] = {}
        self._is_known = False

    def forget(self) -> None:
        """Storage holds others, or may."""
        self._is_known = False

    def known(self, tx: Transaction) -> Mapping[str, Revisions]:
        """The policies of every check; also brings `regions`, the checks of each region, up to date."""
        if not self._is_known:
            self._read(tx)
            self._is_known = True
        return self._known

    def _read(self, tx: Transaction) -> None:
        found: dict[str, list[PolicyRevision]] = {}
        for one in tx.check_revisions():
            found.setdefault(one.check, []).append(
                policy_revision(one.definition, one.effective_us)
            )
            if one.definition:
                definition = decode_check(one.definition)
                self._prompt_us[one.check] = definition.interval_us + definition.timeout_us
        # Engines hold on to theirs: what is the same is not kept twice.
        old, self._known = self._known, {}
        checks_of: dict[str, set[str]] = {}
        for check, revisions in found.items():
            known, new = old.get(check), tuple(revisions)
            self._known[check] = known if known is not None and known == new else new
            for policy in (one.policy for one in new if one.policy):
                for region in policy.regions:
                    checks_of.setdefault(region, set()).add(check)
        self.regions = {region: frozenset(own) for region, own in checks_of.items()}

    def prompt_us(self, check: str) -> int:
        """How old a result of a check may be when it comes and still tell of now.

        An interval and a timeout: what is older comes after the next one was due.
        """
        return self._prompt_us.get(check, 0)

    def margin_us(self, tx: Transaction, check: str) -> int:
        """How far back a sample can reach."""
        policies = self.known(tx)[check]
        return max((one.policy.margin_us for one in policies if one.policy), default=0)
