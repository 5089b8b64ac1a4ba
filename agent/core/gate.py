"""The gate of a site: which run may begin now, by the policy in force, and how many did not.

Everything that this agent launches passes here, whoever asked for it: the schedule, or an order of the
controller. The controller cannot open it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from agent.core.policy import Policy
from agent.core.rates import Meter, Toll, refused_toll
from agent.core.terms import Refusal, refusal_of, targets_of
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure

_TOTAL: Final = "total"


class Gate:
    """Refuses what the site's policy does not allow. Time is an argument: that of a clock that never steps."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._policy = policy or Policy()
        self._total, self._targets, self._addresses = Meter(), Meter(), Meter()
        self._refusals: dict[str, Refusal] = {}
        self._burdens: dict[str, tuple[str, ...]] = {}
        self._refused: Counter[str] = Counter()
        self.refused_orders = 0

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._policy

    @property
    def refusals(self) -> Mapping[str, Refusal]:
        """The checks that the policy refuses as they are defined, and why."""
        return MappingProxyType(self._refusals)

    @property
    def refused(self) -> Mapping[str, int]:
        """Runs that were refused since the start, by kind of failure."""
        return MappingProxyType(self._refused)

    def enforce(self, policy: Policy, checks: Iterable[Check]) -> None:
        """Judge these checks, and every run from now on, by `policy`."""
        terms = policy.terms
        if terms.rates != self._policy.terms.rates:
            self._total, self._targets, self._addresses = Meter(), Meter(), Meter()
        self._policy = policy
        self._refusals, self._burdens = {}, {}
        admitted = 0
        for check in sorted(checks, key=lambda check: check.id):
            refusal = refusal_of(check, terms)
            if refusal is None and admitted >= terms.checks_max:
                detail = f"this site runs at most {terms.checks_max} checks, and there are more"
                refusal = Refusal(Failure.POLICY_CHECKS, detail)
            if refusal is None:
                admitted += 1
                self._burdens[check.id] = targets_of(check)
            else:
                self._refusals[check.id] = refusal

    def launch(self, check: str, now_us: int, *, is_order: bool = False) -> Refusal | None:
        """Why a run of `check` may not begin now; None, and it is counted, if it may.

        An order leaves half of every burst to the schedule. One that is not followed is counted, and no
        more: whoever gives orders without end must not fill the disk with refusals.
        """
        refusal = self._refusals.get(check) or self._rate_refusal(check, now_us, is_order=is_order)
        if refusal is not None:
            if is_order:
                self.refused_orders += 1
            else:
                self._refused[refusal.kind] += 1
        return refusal

    def connect(self, address: str, now_us: int) -> str | None:
        """Why this site does not reach `address` once more now; None, and it is counted, if it does."""
        rate = self._policy.terms.rates.address
        if refused_toll([Toll(rate, self._addresses, address)], now_us) is None:
            return None
        return f"this site reaches one address {rate} at most"

    def count(self, kind: str | None) -> None:
        """A run ended with this kind of failure: refusals at connect are counted too."""
        if kind is not None and kind.startswith("policy_"):
            self._refused[kind] += 1

    def _rate_refusal(self, check: str, now_us: int, *, is_order: bool) -> Refusal | None:
        rates = self._policy.terms.rates
        tolls = [Toll(rates.target, self._targets, name) for name in self._burdens.get(check, ())]
        toll = refused_toll(
            [Toll(rates.total, self._total, _TOTAL), *tolls], now_us, is_extra=is_order
        )
        if toll is None:
            return None
        whom = "in all" if toll.key == _TOTAL else f"of {toll.key}"
        return Refusal(Failure.POLICY_RATE, f"this site runs {toll.rate} probes {whom} at most")
