"""Up to which instant the lines of a bundle say everything: of a time that goes on, that of the last seals."""

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import Bundle
from controller.core.fleet import Fleet
from controller.core.policy import policy_of
from vedette.shared.note import parsed_note
from vedette.shared.seal import parsed_seal

# A claim that is made later than that after its time finds all of it sealed.
_SETTLED_US = 3_600_000_000


def settled_us(bundle: Bundle, claim: ClaimNote, fleet: Fleet, end_us: int) -> int:
    """Verdicts before that instant follow from the lines of the bundle alone; at most `end_us`.

    Where the claim was made while its time went on, the seals of each agent's streams end at different instants,
    and a verdict waits for what comes after it: the run that it is part of, and the probe itself (S-6, S-8).
    """
    if claim.as_of_us >= claim.to_us + _SETTLED_US:
        return end_us
    ends: dict[tuple[str, str], int] = {}
    for one in claim.streams:
        seal = parsed_seal(parsed_note(bundle.read(one.stream.note(one.last))).text.decode())
        key = one.stream.agent, one.stream.stream
        ends[key] = max(seal.span.end_us, ends.get(key, 0))
    policies = [policy_of(check) for check in fleet.checks.values()]
    ahead_us = max(one.margin_us + one.freshness_us for one in policies)
    return min([end_us, *(one - ahead_us for one in ends.values())])
