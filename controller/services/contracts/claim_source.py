"""From which state of the facts a claim is made: the sealed report on its period, or what is known now."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from controller.core.intervals import Interval
from controller.core.sla.figures.sampling import Listed, ListedSamples
from controller.errors import Rejected
from controller.ports.storage import Transaction
from controller.services.contracts.claim_basis import Figures
from controller.services.contracts.sight import PastSight, Sight, StoredSight
from controller.services.contracts.terms import Agreed, Terms
from controller.services.timeline.evaluate import Evaluator

# Results that a pack lists one by one: a month of three regions every 10 s.
SAMPLES_MAX: Final = 1_000_000


class Source(NamedTuple):
    """What is looked through, the contract as it stood then, and the sealed report, if there is one.

    `seal` names it, `report` is its bytes; `is_outdated`: what came since says otherwise.
    """

    sight: Sight
    agreed: Agreed
    seal: str = ""
    report: bytes = b""
    is_outdated: bool = False


def sourced(
    tx: Transaction, evaluator: Evaluator, terms: Terms, contract: str, label: str, now_us: int
) -> Source:
    """The last sealed report on a period and the facts that it rests on; else the facts that are known now.

    Rejected where late results are being judged just now. NotFound: there never was such a contract.
    """
    agreed = terms.latest(tx, contract, now_us)
    issued = tx.issued(contract, label)
    if issued and issued[-1].as_of_us >= agreed.contract.period.named(label, now_us).to_us:
        last = issued[-1]
        return Source(
            PastSight(tx, evaluator, last.as_of_us),
            terms.latest(tx, contract, last.as_of_us),
            f"revision {last.revision}, SHA-256 {last.sha256}",
            last.body,
            any(one.label == label and one.since_us is not None for one in tx.reopened(contract)),
        )
    behind = [one for one in agreed.contract.scope.members if evaluator.is_behind(one)]
    if behind:
        raise Rejected(
            f"Late results of {', '.join(behind)} are being judged just now: try again in a minute."
        )
    return Source(StoredSight(tx, evaluator, now_us), agreed)


def listed_samples(
    tx: Transaction, evaluator: Evaluator, basis: Figures
) -> Mapping[str, Sequence[Listed]]:
    """The samples of the checks whose objectives count them, one by one.

    Rejected if there are more than a pack can list.
    """
    seen = basis.seen
    span = Interval(seen.from_us, seen.to_us)
    counting = {name: one.samples for name, one in seen.members.items() if one.samples is not None}
    total = sum(one.counted([span]).valid for one in counting.values())
    if total > SAMPLES_MAX:
        raise Rejected(
            f"The objectives count {total} results of {basis.period.label}, and a pack can list {SAMPLES_MAX}: agree"
            " on shorter periods, or on longer slots of the checks."
        )
    past = PastSight(tx, evaluator, basis.horizon_us)
    found: dict[str, Sequence[Listed]] = {}
    for name in counting:
        samples = past.samples(name, *span)
        assert isinstance(samples, ListedSamples), "what was known in the past is read one by one"
        found[name] = samples.all
    return found
