"""How grave outages are: their scope, and what their services were declared to be at the time (S-17)."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from controller.core.fleet import criticalities
from controller.core.severity import (
    GLOBAL,
    Criticality,
    Graded,
    Scope,
    Severity,
    Standing,
    severities,
    severity,
)
from controller.ports.fleet import CheckRevision
from controller.ports.outcomes import OutageScope
from controller.ports.storage import Transaction
from controller.services.outages.outage_body import OutageBody
from vedette.shared.definitions import decode_check


class Grades:
    """The severity of an outage, and how it changed while it lasted."""

    def __init__(self, parts: Sequence[Graded]) -> None:
        self.parts = parts

    @property
    def severity(self) -> Severity:
        """What it was when the outage started: what people were called for."""
        return self.parts[0].severity


class Grading:
    """Grades outages. Remembers what each fleet file declared; files never change."""

    def __init__(self) -> None:
        self._applied: list[tuple[int, int]] = []
        self._declared: dict[int, Mapping[str, Criticality]] = {}
        self._read_in: Transaction | None = None
        self._revisions: dict[str, list[CheckRevision]] = {}

    def revisions(self, tx: Transaction, check: str) -> Sequence[CheckRevision]:
        """The revisions of a check, read with those of all others once a transaction."""
        self._read_on(tx)
        if not self._revisions:
            for one in tx.check_revisions():
                self._revisions.setdefault(one.check, []).append(one)
        return self._revisions.get(check, ())

    def of(
        self,
        tx: Transaction,
        body: OutageBody,
        revisions: Sequence[CheckRevision],
        beside: Iterable[str] | None = None,
    ) -> Grades:
        """The grades of an outage of a check that has these revisions.

        `beside` are regions that were down beside it, if that is not asked of what is stored now.
        """
        scope = _scope(tx, body, revisions, beside)
        standings = self._standings(tx, revisions, body.started_us, body.until_us)
        parts = severities(scope, standings, body.started_us, body.until_us)
        if not parts:
            criticality = standings[0].criticality if standings else Criticality.NORMAL
            grade = severity(scope, criticality)
            parts = [Graded(body.started_us, body.until_us, grade)]
        return Grades(parts)

    def _standings(
        self, tx: Transaction, revisions: Sequence[CheckRevision], from_us: int, to_us: int
    ) -> list[Standing]:
        """How much the check's service mattered over that time: by the fleet files then in force."""
        defined = [one for one in revisions if one.definition]
        if not defined:
            return []
        self._read_on(tx)
        turns = {one.effective_us for one in defined} | {at_us for at_us, _ in self._applied}
        instants = [from_us, *sorted(at_us for at_us in turns if from_us < at_us < to_us)]
        return [Standing(at_us, self._criticality(tx, defined, at_us)) for at_us in instants]

    def _criticality(
        self, tx: Transaction, defined: Sequence[CheckRevision], at_us: int
    ) -> Criticality:
        before = [one for one in defined if one.effective_us <= at_us]
        service = service_of((before or defined)[-1 if before else 0].definition)
        in_force = [number for applied_us, number in self._applied if applied_us <= at_us]
        number = in_force[-1] if in_force else self._applied[0][1]
        return self._declarations(tx, number).get(service, Criticality.NORMAL)

    def _declarations(self, tx: Transaction, number: int) -> Mapping[str, Criticality]:
        known = self._declared.get(number)
        if known is None:
            fleet = tx.fleet(number)
            known = criticalities(fleet.text, fleet.file_name) if fleet else {}
            self._declared[number] = known
        return known

    def _read_on(self, tx: Transaction) -> None:
        """Learn of the files that were applied since, once a transaction."""
        if tx is self._read_in:
            return
        self._read_in = tx
        self._revisions = {}
        last = self._applied[-1][1] if self._applied else 0
        self._applied += [(one.applied_us, one.number) for one in tx.fleets(after=last)]


def _scope(
    tx: Transaction,
    body: OutageBody,
    revisions: Sequence[CheckRevision],
    beside: Iterable[str] | None,
) -> Scope:
    """Whom an outage concerns; of a regional one, in how many regions the check was down while it lasted."""
    if not body.region:
        return GLOBAL
    definition = next((one.definition for one in revisions if one.digest == body.revision), b"")
    regions = decode_check(definition).regions if definition else [body.region]
    if beside is None:
        span = body.started_us, body.until_us + 1
        rows = tx.outages(body.check, *span, scope=OutageScope.REGIONAL)
        beside = (one.region for one in rows)
    down = {body.region, *beside}
    count = len(regions) if isinstance(regions, list) else len(down)
    return Scope(is_global=False, down=len(down), regions=count)


@lru_cache(maxsize=4096)
def service_of(definition: bytes) -> str:
    """The service that a check belongs to by one of its definitions."""
    return decode_check(definition).service
