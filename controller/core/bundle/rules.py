"""The rules of each check as the log has them: every revision from when on it was in force, with its definition.

Whoever holds the log's key can leave one out, or enter another afterwards. But every line names the revision that the
agent ran, which signed it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import FLEET, Bundle, config_definition
from controller.core.bundle.leaf_notes import LeafNote, leaf_notes
from controller.core.bundle.statements import Broken
from controller.core.fleet import Fleet
from controller.core.instants import instant_text
from controller.core.intervals import Interval
from controller.core.policy import (
    ALWAYS_US,
    PolicyRevision,
    always,
    in_force,
    policy_of,
    policy_revision,
)

# What is put in force is entered at once; a clock may be set meanwhile.
_ENTERED_US: Final = 300 * 1_000_000
# Agents have a new revision within moments; one that is out of reach goes on by the one before.
_SETTLED_US: Final = 3600 * 1_000_000

Ran = Mapping[tuple[str, str], tuple[int, int]]
"""When each revision of each check was run first and last, by the lines."""


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
    if leaf.at_us > effective_us + _ENTERED_US:
        raise Broken(
            f"{leaf.name}: a revision of check {leaf.subject} that came into force {instant_text(effective_us)} was"
            f" entered {instant_text(leaf.at_us)}: rules are entered when they come into force, not afterwards"
        )
    name = config_definition(leaf.index)
    try:
        return policy_revision(bundle.read(name) if bundle.has(name) else b"", effective_us)
    except (ValueError, AssertionError) as error:
        raise Broken(f"{name}: no definition of a check: {error}") from error


def strange_revisions(rules: Mapping[str, Rules], ran: Ran, span: Interval) -> Iterator[str]:
    """What lines of [span) say of the rules that were run and that these rules do not, in words."""
    for (name, digest), (first, last) in sorted(ran.items()):
        own = rules.get(name)
        if (
            own is None
            or last < max(span.from_us, own.since_us or ALWAYS_US)
            or first >= span.to_us
        ):
            continue
        known = {one.policy.revision for one in own.revisions if one.policy is not None}
        if digest not in known:
            yield (
                f"Lines of check {name} from {instant_text(first)} to {instant_text(last)} were made by its revision"
                f" {digest[:16]}, which no leaf in config/ put in force: what they were judged by may be another rule."
            )
    for name, own in sorted(rules.items()):
        yield from _never_run(name, own, ran, span)


def _never_run(name: str, own: Rules, ran: Ran, span: Interval) -> Iterator[str]:
    """Revisions that were in force for long, and that no line names while others were run."""
    mine = {digest: times for (check, digest), times in ran.items() if check == name}
    for from_us, to_us, policy in in_force(own.revisions, span.from_us, span.to_us):
        if policy is None or policy.revision in mine:
            continue
        begun_us = from_us + _SETTLED_US + policy.freshness_us
        if any(first < to_us and begun_us <= last for first, last in mine.values()):
            yield (
                f"Revision {policy.revision[:16]} of check {name}, in force from {instant_text(from_us)} to"
                f" {instant_text(to_us)} by config/, made no line, and others did: whether it was in force is not shown."
            )
