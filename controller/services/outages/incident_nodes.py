"""Outages as the nodes of incidents: with the service, targets and dependencies that they had at their time."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from controller.core.dependencies import Dependencies, ancestors, depths
from controller.core.fleet import dependencies
from controller.core.incidents import Node
from controller.core.targets import targets_of
from controller.ports.outcomes import StoredOutage
from controller.ports.storage import Transaction
from vedette.shared.definitions import decode_check, micros


class _Body(msgspec.Struct, frozen=True):
    """What of a stored outage is needed to find its definition."""

    id: str
    revision: str


class _Defined(NamedTuple):
    """What a revision of a check says of whom its outages belong to."""

    service: str
    targets: frozenset[str]
    window_us: int


class _Place(NamedTuple):
    """What a service hung on while a fleet file was in force."""

    ancestors: frozenset[str]
    depth: int


_body: Final = msgspec.json.Decoder(_Body)
_UNKNOWN: Final = _Defined("", frozenset(), 0)
_NOWHERE: Final = _Place(frozenset(), 0)


class Nodes:
    """Makes nodes. Remembers what definitions and fleet files say; neither ever changes."""

    def __init__(self) -> None:
        self._defined: dict[str, _Defined] = {}
        self._applied: list[tuple[int, int]] = []
        self._places: dict[int, Mapping[str, _Place]] = {}

    def of(self, tx: Transaction, outages: Iterable[StoredOutage]) -> list[Node]:
        """A node for each outage. Its id is the content id, so that all is the same however it was recorded."""
        last = self._applied[-1][1] if self._applied else 0
        self._applied += [(one.applied_us, one.number) for one in tx.fleets(after=last)]
        return [self._node(tx, one) for one in outages]

    def window_us_max(self, tx: Transaction) -> int:
        """The longest correlation window that any check ever had: further off nothing is joined."""
        self._learn(tx)
        return max((one.window_us for one in self._defined.values()), default=0)

    def _node(self, tx: Transaction, outage: StoredOutage) -> Node:
        body = _body.decode(outage.body)
        if body.revision not in self._defined:
            self._learn(tx)
        service, targets, window_us = self._defined.get(body.revision, _UNKNOWN)
        place = self._place(tx, service, outage.started_us)
        return Node(
            id=body.id,
            check=outage.check,
            service=service,
            started_us=outage.started_us,
            ended_us=outage.ended_us,
            window_us=window_us,
            targets=targets,
            ancestors=place.ancestors,
            depth=place.depth,
            region=outage.region,
        )

    def _learn(self, tx: Transaction) -> None:
        for one in tx.check_revisions():
            if one.definition and one.digest not in self._defined:
                check = decode_check(one.definition)
                window_us = micros(check.outage.correlation_window)
                self._defined[one.digest] = _Defined(check.service, targets_of(check), window_us)

    def _place(self, tx: Transaction, service: str, at_us: int) -> _Place:
        """Where a service stood by the file in force at an instant; by the first one before there was any."""
        numbers = [number for applied_us, number in self._applied if applied_us <= at_us]
        if not self._applied:
            return _NOWHERE
        number = numbers[-1] if numbers else self._applied[0][1]
        places = self._places.get(number)
        if places is None:
            fleet = tx.fleet(number)
            declared = dependencies(fleet.text, fleet.file_name) if fleet else {}
            places = self._places[number] = _places(declared)
        return places.get(service, _NOWHERE)


def _places(declared: Dependencies) -> Mapping[str, _Place]:
    below = depths(declared)
    return {one: _Place(ancestors(declared, one), below.get(one, 0)) for one in declared}
