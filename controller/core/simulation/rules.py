"""The rules that are compared: ours, and those that others are known to use."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from controller.core.domains import with_domains
from controller.core.fleet import Region
from controller.core.policy import Policy, policy_of
from controller.core.simulation.definitions import Looks, RuleTerms
from vedette.shared.definitions import Check, Quorum, Rule, micros

FIELD_RULES: Final = (
    RuleTerms(
        id="single-3-retries",
        title="one site, 3 retries 20 s apart",
        regions=1,
        quorum=Quorum(rule=Rule.MAJORITY, min_evidence=1, fail_after=4, recover_after=1),
        looks=Looks(by="site", every="20s", times=3),
    ),
    RuleTerms(
        id="2-of-n",
        title="any 2 regions at a time",
        quorum=Quorum(rule=Rule.K_OF, k=2, fail_after=1, recover_after=1),
    ),
    RuleTerms(
        id="3-of-4",
        title="3 of 4 regions",
        regions=4,
        quorum=Quorum(rule=Rule.K_OF, k=3, fail_after=1, recover_after=1),
    ),
    RuleTerms(
        id="healthy-18",
        title="at most 18 % of the regions healthy, 3 failures in a row each",
        quorum=Quorum(rule=Rule.HEALTHY_FRACTION, fraction="18/100", fail_after=3, recover_after=3),
    ),
    RuleTerms(
        id="ours",
        title="majority, fail_after 2, anchors, confirm now",
        quorum=Quorum(rule=Rule.MAJORITY, fail_after=2, recover_after=2),
        anchors=True,
        looks=Looks(by="controller"),
    ),
)
"""What a scenario without rules of its own compares."""


@dataclass(frozen=True, slots=True)
class ComparedRule:
    """A rule as it stands for one check: the definition and the policy of the real code.

    `confirms`: the controller has it confirmed now. `tries` is how many times a site tries again by itself,
    `tries_us` apart.
    """

    id: str
    title: str
    definition: Check
    policy: Policy
    has_anchors: bool
    confirms: bool
    tries: int = 0
    tries_us: int = 0

    def of_check(self, check: str) -> "ComparedRule":
        """The rule for another check of the scenario."""
        return replace(
            self,
            definition=msgspec.structs.replace(self.definition, id=check),
            policy=replace(self.policy, check=check),
        )


def definition_under(check: Check, terms: RuleTerms, places: Sequence[Region]) -> Check:
    """The check as it would be defined to be judged by a rule, domains written out."""
    taking_part = places[: terms.regions] if terms.regions else places
    regions = [place.id for place in taking_part]
    judged = msgspec.structs.replace(check, regions=regions, quorum=terms.quorum)
    return with_domains(judged, {place.id: place for place in places})


def compared(check: Check, terms: RuleTerms, places: Sequence[Region]) -> ComparedRule:
    """A rule as it stands for a check of the scenario."""
    definition = definition_under(check, terms, places)
    looks = terms.looks
    is_local = looks is not None and looks.by == "site"
    return ComparedRule(
        id=terms.id,
        title=terms.title or terms.id,
        definition=definition,
        policy=policy_of(definition),
        has_anchors=terms.anchors,
        confirms=looks is not None and not is_local,
        tries=(looks.times or 1) if looks is not None and is_local else 0,
        tries_us=micros(looks.every or "0s") if looks is not None and is_local else 0,
    )
