"""The rules of each check as the log has them: every revision from when on it was in force, with its definition."""

from dataclasses import dataclass

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import FLEET, Bundle, config_definition
from controller.core.bundle.leaf_notes import LeafNote, leaf_notes
from controller.core.bundle.statements import Broken
from controller.core.fleet import Fleet
from controller.core.policy import PolicyRevision, always, policy_of, policy_revision


@dataclass(frozen=True, slots=True)
class Rules:
    """The revisions of a check. Before `since_us` the log says nothing of it; None: it never does."""

    revisions: list[PolicyRevision]
    since_us: int | None


def logged_rules(bundle: Bundle, claim: ClaimNote, fleet: Fleet) -> dict[str, Rules]:
    """The rules of each check of the fleet as they were known when the claim was made.

    Those of the fleet file for a check of which the log has no revision: it is older than the log then.
    """
    found: dict[str, list[PolicyRevision]] = {name: [] for name in fleet.checks}
    for leaf in leaf_notes(bundle, "check"):
        revision = _revision(bundle, leaf)
        if leaf.subject in found and revision.effective_us <= claim.as_of_us:
            found[leaf.subject].append(revision)
    rules: dict[str, Rules] = {}
    for name, revisions in found.items():
        policy = policy_of(fleet.checks[name])
        if not revisions:
            rules[name] = Rules(always(policy), None)
            continue
        revisions.sort(key=lambda one: one.effective_us)
        if all(one.policy != policy for one in revisions):
            raise Broken(f"{FLEET} says of check {name} what no revision of it in config/ does")
        rules[name] = Rules(revisions, revisions[0].effective_us)
    return rules


def _revision(bundle: Bundle, leaf: LeafNote) -> PolicyRevision:
    effective_us = leaf.data.get("effective_us")
    if not isinstance(effective_us, int):
        raise Broken(f"{leaf.name}: expected when it came into force")
    name = config_definition(leaf.index)
    try:
        return policy_revision(bundle.read(name) if bundle.has(name) else b"", effective_us)
    except (ValueError, AssertionError) as error:
        raise Broken(f"{name}: no definition of a check: {error}") from error
