"""What attests the evidence: seals of agents, the log over them, and whoever vouches for the log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controller.ports.storage import Storage, Worker
from controller.rpc.cosigning import Cosigning
from controller.rpc.sessions import Sessions
from controller.services.evidence.fresh_seals import FreshSeals
from controller.services.evidence.logbook import Logbook, Signer
from controller.services.evidence.seals import Seals
from controller.services.evidence.stamping import Stamping, Timestamper
from controller.services.evidence.witnesses import Witnesses
from controller.services.notify.notify_heads import ArrivedHead, arrived_heads


@dataclass(frozen=True, slots=True)
class Attesting:
    """The parts that sessions and people's questions share."""

    seals: Seals
    fresh: FreshSeals
    logbook: Logbook
    stamping: Stamping
    witnesses: Witnesses
    cosigning: Cosigning
    told: Callable[[], Sequence[ArrivedHead]]


def attesting(
    worker: Worker,
    storage: Storage,
    sessions: Sessions,
    signer: Signer,
    authorities: Callable[[], Sequence[Timestamper]],
    now_us: Callable[[], int],
) -> Attesting:
    """The parts, wired. `signer` signs for the log, and its organisation stands in the names of all keys."""
    organisation = signer.verifier.name.removesuffix("/log")
    seals = Seals(worker, storage, organisation, now_us)
    return Attesting(
        seals,
        FreshSeals(worker, storage, seals, sessions.seal_now),
        Logbook(storage, signer, now_us),
        Stamping(worker, storage, authorities, now_us),
        Witnesses(storage, organisation, now_us),
        Cosigning(sessions),
        lambda: arrived_heads(storage),
    )
