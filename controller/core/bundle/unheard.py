"""What a bundle is silent about: the beginning of a stream, what came after its last seal, agents of which there is none.

The claim says which seals it rests on, and whoever writes it can leave some out at both ends, or all of an agent.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from controller.core.bundle.annex import Annex
from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.statements import Statement, incomplete, not_checked
from controller.core.bundle.streams import Account
from controller.core.instants import instant_text
from vedette.shared.identity import ANCHORS

_NAMED_MAX: Final = 8
# What was seen is sealed an hour later at the latest, if ever.
_SETTLED_US: Final = 3600 * 1_000_000


def cut_off(account: Account, claim: ClaimNote) -> Iterator[Statement]:
    """That a stream lacks its beginning: seals before the first that is here were of the time that is claimed."""
    if account.first > 1 and account.from_us > claim.from_us:
        stream = account.stream
        yield incomplete(
            f"Seals before {account.first} of stream {stream.stream} of agent {stream.agent} (epoch {stream.epoch}) are"
            f" not here, and what is claimed begins at {instant_text(claim.from_us)}: what the agent said until"
            f" {instant_text(account.from_us)} is missing."
        )


def unheard(accounts: Sequence[Account], claim: ClaimNote, annex: Annex) -> Iterator[Statement]:
    """Agents that were not heard to the end of what is claimed, and those of the annex that were not heard at all."""
    heard: dict[str, int] = {}
    for one in accounts:
        if one.stream.stream != ANCHORS:
            agent = one.stream.agent
            heard[agent] = max(heard.get(agent, 0), one.to_us)
    until_us = min(claim.to_us, claim.as_of_us - _SETTLED_US)
    early = [
        f"{agent} (after {instant_text(at_us)})"
        for agent, at_us in heard.items()
        if at_us < until_us
    ]
    if early:
        yield not_checked(
            f"Whether agents saw more of this after their last seal here, before it ended: {_listed(early)}. Ask whoever"
            " runs them."
        )
    if silent := sorted(annex.agents.keys() - heard.keys()):
        yield not_checked(
            f"Whether other agents of the annex saw this: no lines are here of {_listed(silent)}. Ask whoever runs them."
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + more
