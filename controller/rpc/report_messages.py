"""Issued reports and periods as messages."""

from collections.abc import Iterable

from controller.ports.issued import IssuedReport
from controller.services.contracts.period_views import PeriodView
from vedette.v1 import sla_pb2


def period_message(view: PeriodView) -> sla_pb2.ContractPeriod:
    """A period, and what was issued of it."""
    unheard = ((one.agent, one.heard_us) for one in view.life.unheard)
    return sla_pb2.ContractPeriod(
        contract=view.contract,
        label=view.when.label,
        from_us=view.when.from_us,
        to_us=view.when.to_us,
        state=view.life.state.value,
        final_us=view.life.final_us,
        seal_us=view.life.seal_us,
        unheard=_heard(unheard),
        issued=[issued_message(one) for one in view.issued],
        next_revision_us=view.next_revision_us,
    )


def issued_message(report: IssuedReport) -> sla_pb2.IssuedReport:
    """A revision, without its document."""
    return sla_pb2.IssuedReport(
        revision=report.revision,
        as_of_us=report.as_of_us,
        sha256=report.sha256,
        issued_by=report.issued_by,
        reason=report.reason,
        early=report.is_early,
        unheard=_heard(report.unheard),
    )


def _heard(agents: Iterable[tuple[str, int | None]]) -> list[sla_pb2.HeardAgent]:
    return [sla_pb2.HeardAgent(agent=agent, heard_us=at_us) for agent, at_us in agents]
