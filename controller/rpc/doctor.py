"""DoctorService: what is odd about this controller."""

from dataclasses import dataclass
from typing import Final

from controller.ports.evidence import Oddities
from controller.ports.storage import Worker
from controller.rpc.status import Context
from controller.services.people.examine import Examination, Examined, Severity
from controller.services.results.tally import AgentTally
from vedette.v1 import doctor_pb2 as pb
from vedette.v1 import doctor_pb2_grpc

_SEVERITIES: Final = {
    Severity.ALARM: pb.SEVERITY_ALARM,
    Severity.NOTICE: pb.SEVERITY_NOTICE,
}
# What the wire holds, whatever agents say that they lost.
_COUNT_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class DoctorServicer(doctor_pb2_grpc.DoctorServiceServicer):
    """Gives findings and the figures behind them."""

    worker: Worker
    examination: Examination

    async def Examine(  # noqa: N802 - gRPC's name
        self, request: pb.ExamineRequest, context: Context
    ) -> pb.ExamineResponse:
        """Everything as it is now."""
        return await self.worker.run(lambda: _response(self.examination.examine()))


def _response(examined: Examined) -> pb.ExamineResponse:
    total = examined.total
    agents = sorted({*examined.agents, *examined.kept})
    return pb.ExamineResponse(
        started_us=examined.started_us,
        now_us=examined.now_us,
        findings=[
            pb.Finding(severity=_SEVERITIES[f.severity], code=f.code, agent=f.agent, text=f.text)
            for f in examined.findings
        ],
        total=_counts(total),
        agents=[_agent(agent, examined) for agent in agents],
        commits=pb.CommitCounts(
            done=total.commits,
            failed=total.failed_commits,
            last_failure=total.last_failure,
            failing_since_us=total.failing_since_us,
            defects=total.defects,
            last_defect=total.last_defect,
        ),
    )


def _agent(agent: str, examined: Examined) -> pb.AgentLines:
    kept = examined.kept.get(agent, Oddities(agent))
    return pb.AgentLines(
        agent=agent,
        since_start=_counts(examined.agents.get(agent, AgentTally())),
        kept_conflicts=kept.conflicts,
        kept_quarantined=kept.quarantined,
        kept_strays=kept.strays,
        kept_lost=min(kept.lost, _COUNT_MAX),
    )


def _counts(tally: AgentTally) -> pb.LineCounts:
    return pb.LineCounts(
        lines=tally.lines,
        duplicates=tally.duplicates,
        conflicts=tally.conflicts,
        quarantined=tally.quarantined,
        unknown_checks=tally.unknown_checks,
        unknown_regions=tally.unknown_regions,
        lost=min(tally.lost, _COUNT_MAX),
        refused_frames=tally.refused_frames,
        refusals=[pb.RefusedFrame(at_us=r.at_us, reason=r.text) for r in tuple(tally.refusals)],
    )
