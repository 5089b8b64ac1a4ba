"""IncidentService: outages that belong together."""

from dataclasses import dataclass

from controller.ports.storage import Worker
from controller.rpc.status import Context
from controller.services.outages.incident_views import Branch, IncidentPages, IncidentView
from vedette.v1 import incident_pb2 as pb
from vedette.v1 import incident_pb2_grpc


@dataclass(frozen=True, slots=True)
class IncidentServicer(incident_pb2_grpc.IncidentServiceServicer):
    """Lists and shows."""

    worker: Worker
    pages: IncidentPages

    async def ListIncidents(  # noqa: N802 - gRPC's name
        self, request: pb.ListIncidentsRequest, context: Context
    ) -> pb.ListIncidentsResponse:
        """Incidents, newest first."""
        found = await self.worker.run(
            lambda: self.pages.list(
                open_only=request.open_only, joined_only=request.joined_only, limit=request.limit
            )
        )
        return pb.ListIncidentsResponse(incidents=[_incident(view) for view in found])

    async def GetIncident(  # noqa: N802 - gRPC's name
        self, request: pb.GetIncidentRequest, context: Context
    ) -> pb.GetIncidentResponse:
        """One incident with its outages."""
        page = await self.worker.run(lambda: self.pages.show(request.handle))
        return pb.GetIncidentResponse(
            incident=_incident(page.view),
            outages=[_outage(branch) for branch in page.branches],
            services=[
                pb.ServiceDowntime(service=service, downtime_us=downtime_us)
                for service, downtime_us in page.services
            ],
            downtime_us=page.downtime_us,
        )


def _incident(view: IncidentView) -> pb.Incident:
    return pb.Incident(
        handle=view.handle,
        started_us=view.started_us,
        ended_us=view.ended_us,
        recorded_us=view.recorded_us,
        root=view.root,
        root_check=view.root_check,
        services=view.services,
        outages=view.outages,
        explained=view.explained,
        gone_us=view.gone_us,
        merged_into=view.merged_into,
    )


def _outage(branch: Branch) -> pb.IncidentOutage:
    node = branch.node
    return pb.IncidentOutage(
        handle=branch.handle,
        check=node.check,
        service=node.service,
        region=node.region,
        started_us=node.started_us,
        ended_us=node.ended_us,
        level=branch.level,
        parent=branch.parent,
        reason=branch.reason,
        explained=branch.is_explained,
        explained_until_us=branch.explained_until_us,
        root=branch.is_root,
        shares=branch.shares,
    )
