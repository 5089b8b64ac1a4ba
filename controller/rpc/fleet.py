"""FleetService: the fleet file and its checks."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from controller.core.forewarnings import Forewarning
from controller.errors import NotFound
from controller.ports.storage import Worker
from controller.rpc.gate import caller
from controller.rpc.sessions import Sessions
from controller.rpc.status import Context
from controller.services.fleet.apply import Fleets
from controller.services.fleet.changes import Change, ChangeAction
from controller.services.fleet.checks import Checks, CheckStanding
from controller.services.people.ledger import Ledger
from vedette.shared.documents import Problem
from vedette.shared.result import Trigger
from vedette.v1 import fleet_pb2, fleet_pb2_grpc

_FILE_NAME_CHARS_MAX: Final = 255
_ACTIONS: Final[Mapping[ChangeAction, "fleet_pb2.ChangeAction.ValueType"]] = {
    ChangeAction.ADD: fleet_pb2.CHANGE_ACTION_ADD,
    ChangeAction.CHANGE: fleet_pb2.CHANGE_ACTION_CHANGE,
    ChangeAction.RETIRE: fleet_pb2.CHANGE_ACTION_RETIRE,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FleetServicer(fleet_pb2_grpc.FleetServiceServicer):
    """Plans, applies, exports and lists."""

    worker: Worker
    fleets: Fleets
    checks: Checks
    sessions: Sessions
    ledger: Ledger

    async def Plan(  # noqa: N802 - gRPC's name
        self, request: fleet_pb2.PlanRequest, context: Context
    ) -> fleet_pb2.PlanResponse:
        """What applying a file would change."""
        name = _file_name(request.file_name)
        planned = await self.worker.run(lambda: self.fleets.plan(request.fleet, name))
        return fleet_pb2.PlanResponse(
            changes=_changes(planned.changes),
            problems=_problems(planned.problems),
            warnings=_warnings(planned.warnings),
        )

    async def Apply(  # noqa: N802 - gRPC's name
        self, request: fleet_pb2.ApplyRequest, context: Context
    ) -> fleet_pb2.ApplyResponse:
        """Put a file in force, and tell the agents."""
        name, by, actor = _file_name(request.file_name), caller().name, caller().actor
        applied = await self.worker.run(lambda: self.fleets.apply(request.fleet, name, by, actor))
        if applied.changes:
            log.info("fleet.applied", extra={"revision": applied.revision, "by": by})
            self.sessions.refresh_assignments()
        return fleet_pb2.ApplyResponse(
            changes=_changes(applied.changes),
            problems=_problems(applied.problems),
            revision=applied.revision,
            warnings=_warnings(applied.warnings),
        )

    async def Export(  # noqa: N802 - gRPC's name
        self, request: fleet_pb2.ExportRequest, context: Context
    ) -> fleet_pb2.ExportResponse:
        """The file in force."""
        fleet = await self.worker.run(self.fleets.export)
        if fleet is None:
            return fleet_pb2.ExportResponse()
        return fleet_pb2.ExportResponse(
            fleet=fleet.text, revision=fleet.number, applied_us=fleet.applied_us
        )

    async def ListChecks(  # noqa: N802 - gRPC's name
        self, request: fleet_pb2.ListChecksRequest, context: Context
    ) -> fleet_pb2.ListChecksResponse:
        """The checks in force with their present verdict."""
        found = await self.worker.run(
            lambda: self.checks.list(include_retired=request.include_retired)
        )
        return fleet_pb2.ListChecksResponse(checks=[_check(standing) for standing in found])

    async def ProbeNow(  # noqa: N802 - gRPC's name
        self, request: fleet_pb2.ProbeNowRequest, context: Context
    ) -> fleet_pb2.ProbeNowResponse:
        """Ask the agents of a check for one extra run."""
        fleet = await self.worker.run(self.fleets.fleet)
        check = fleet.checks.get(request.check) if fleet else None
        if check is None:
            raise NotFound(f"There is no check {request.check!r} in the fleet file in force.")
        regions = check.regions if isinstance(check.regions, list) else []
        asked = self.sessions.probe([check.id], regions, Trigger.MANUAL)
        log.info("probe.asked", extra={"check": check.id, "by": caller().name})
        actor, told = caller().actor, f"{len(asked)} agents asked"
        await self.worker.run(lambda: self.ledger.note(actor, "check.probe", check.id, told))
        return fleet_pb2.ProbeNowResponse(agents=asked)


def _file_name(name: str) -> str:
    """A name for messages, which whoever calls may have made up."""
    shown = "".join(c for c in name[:_FILE_NAME_CHARS_MAX] if c.isprintable())
    return shown or "fleet.yaml"


def _check(standing: CheckStanding) -> fleet_pb2.Check:
    check = standing.check
    return fleet_pb2.Check(
        id=check.id,
        service=check.service,
        kind=check.kind,
        target=check.target,
        interval_us=check.interval_us,
        regions=check.regions if isinstance(check.regions, list) else [],
        digest=standing.digest,
        verdict=standing.verdict,
        since_us=standing.since_us,
        labels=[
            fleet_pb2.RegionLabel(
                region=one.region, label=one.label, sample_us=one.sample_us, reason=one.reason
            )
            for one in standing.labels
        ],
        retired=standing.is_retired,
        flapping=standing.flapping.is_flapping,
        flap_percent=standing.flapping.percent,
    )


def _changes(changes: Iterable[Change]) -> list[fleet_pb2.Change]:
    return [
        fleet_pb2.Change(action=_ACTIONS[c.action], noun=c.noun, id=c.id, details=c.details)
        for c in changes
    ]


def _warnings(warnings: Iterable[Forewarning]) -> list[fleet_pb2.Warning]:
    return [fleet_pb2.Warning(line=one.line, text=one.text) for one in warnings]


def _problems(problems: Iterable[Problem]) -> list[fleet_pb2.Problem]:
    return [
        fleet_pb2.Problem(file=p.file, line=p.line, path=p.path, expected=p.expected, found=p.found)
        for p in problems
    ]
