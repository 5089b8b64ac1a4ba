"""Checks and how they do now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from controller.core.flapping import CALM, Flapping
from controller.ports.fleet import CheckRevision
from controller.ports.storage import Storage, Transaction
from controller.services.agents.absence import Absences
from controller.services.fleet.apply import Fleets
from controller.services.outages.flapping import flapping_now
from controller.services.timeline.evaluate import Evaluator
from vedette.shared.definitions import Check, decode_check

_NONE: Final = "NONE"


@dataclass(frozen=True, slots=True)
class RegionStanding:
    """What one region says of a check, when the newest sample behind it was taken, and why there is none."""

    region: str
    label: str
    sample_us: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CheckStanding:
    """A check as last defined, and its verdict now. `since_us` is None where it was never another."""

    check: Check
    digest: str
    verdict: str
    since_us: int | None
    labels: Sequence[RegionStanding]
    is_retired: bool
    flapping: Flapping = CALM


class Checks:
    """Lists checks. Synchronous: runs in the storage thread."""

    def __init__(
        self, storage: Storage, fleets: Fleets, evaluator: Evaluator, now_us: Callable[[], int]
    ) -> None:
        self._storage = storage
        self._fleets = fleets
        self._evaluator = evaluator
        self._now_us = now_us

    def list(self, *, include_retired: bool = False) -> Sequence[CheckStanding]:
        """The checks of the fleet in the order of its file; then, if asked for, retired ones by id."""
        in_force = self._fleets.in_force()
        if in_force is None:
            return []
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            absences = Absences.of(tx, now_us)
            found = [
                self._standing(tx, absences, check, in_force.checks[check.id].digest, now_us)
                for check in in_force.fleet.checks.values()
            ]
            if include_retired:
                found += [
                    _retired(check, digest)
                    for check, digest in _last_definitions(tx.check_revisions())
                    if check.id not in in_force.fleet.checks
                ]
        return found

    def _standing(
        self, tx: Transaction, absences: Absences, check: Check, digest: str, now_us: int
    ) -> CheckStanding:
        standing = self._evaluator.standing(tx, check.id, now_us)
        newest: dict[str, int] = {}
        for sample in tx.samples(check.id, now_us - check.freshness_us, now_us + 1):
            newest[sample.region] = max(sample.at_us, newest.get(sample.region, 0))
        regions = check.regions if isinstance(check.regions, list) else []
        labels = []
        for region in regions:
            label = standing.labels[region].name if region in standing.labels else _NONE
            reason = absences.reason(check, region) if label == _NONE else ""
            labels.append(RegionStanding(region, label, newest.get(region), reason))
        flapping = flapping_now(tx, check.id, check.interval_us, now_us)
        return CheckStanding(
            check, digest, standing.verdict, standing.since_us, labels, False, flapping
        )


def _retired(check: Check, digest: str) -> CheckStanding:
    return CheckStanding(check, digest, "UNKNOWN", None, (), True)


def _last_definitions(revisions: Sequence[CheckRevision]) -> Sequence[tuple[Check, str]]:
    """The newest definition that each check had, by id."""
    last = {one.check: one for one in revisions if one.definition}
    return [(decode_check(one.definition), one.digest) for one in last.values()]
