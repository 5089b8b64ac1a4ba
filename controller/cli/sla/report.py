"""Asking a controller for reports on contracts: one, or those that belong together as a pack."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from controller.cli.channel import Connection, connected
from controller.cli.sla.wanted import Wanted
from controller.core.sla.reports.report_document import Report, decode_report
from controller.errors import BadInput, Rejected
from controller.reporting.story.context import Issue
from vedette.v1 import sla_pb2 as pb
from vedette.v1.sla_pb2_grpc import SlaServiceStub


@dataclass(frozen=True, slots=True)
class Fetched:
    """A report as it came. `is_outdated`: late facts say otherwise by now."""

    data: bytes
    report: Report
    sha256: str
    is_outdated: bool

    @property
    def key(self) -> tuple[str, str]:
        """The contract and the period."""
        return self.report.contract.id, self.report.period.label

    @property
    def issue(self) -> Issue:
        """How it was issued, for those who read it."""
        issue, period = self.report.made.issue, self.report.period
        if issue is None:
            state = "open" if period.until < period.to_us else "provisional"
            return Issue(state, sha256=self.sha256)
        return Issue(
            "sealed" if issue.revision == 1 else "revised",
            issue.revision,
            self.sha256,
            self.report.made.as_of,
            issue.by,
            issue.reason,
        )


@contextmanager
def desk() -> Iterator["Desk"]:
    """Reports of the controller that was logged in to last."""
    with connected() as connection:
        yield Desk(connection)


class Desk:
    """Reports over an open connection."""

    def __init__(self, connection: Connection) -> None:
        self._stub = SlaServiceStub(connection.channel)
        self._call = connection.call

    def report(self, contract: str, period: str, wanted: Wanted) -> Fetched:
        """One report. Rejected if what came is not what the controller says that it sent."""
        request = pb.GetReportRequest(
            contract=contract,
            period=period,
            as_of_us=wanted.as_of_us,
            revision=wanted.revision,
            fresh=wanted.is_fresh,
        )
        answer: pb.GetReportResponse = self._stub.GetReport(request, **self._call)
        try:
            report = decode_report(answer.document)
        except ValueError as error:
            raise Rejected(f"What the controller sent is no report: {error}.") from error
        digest = hashlib.sha256(answer.document).hexdigest()
        return Fetched(answer.document, report, digest, answer.outdated)

    def pack(self, contracts: Sequence[str], period: str, wanted: Wanted) -> list[Fetched]:
        """The reports on contracts (none named: all), each followed by those on the periods inside.

        A quarter of a contract that is judged by months is followed by its months.
        """
        names = list(dict.fromkeys(contracts)) or list(self.periods("").contracts)
        if not names:
            raise BadInput("Expected a contract in the fleet file, found none: there is no report.")
        if len(names) > 1 and wanted.revision:
            raise BadInput("Revisions are counted for each contract: name one contract.")
        return [one for name in names for one in self._with_parts(name, period, wanted)]

    def periods(self, contract: str) -> pb.ListPeriodsResponse:
        """The periods of a contract, or of all."""
        answer: pb.ListPeriodsResponse = self._stub.ListPeriods(
            pb.ListPeriodsRequest(contract=contract), **self._call
        )
        return answer

    def seal(self, contract: str, period: str, *, is_early: bool, reason: str) -> pb.IssuedReport:
        """Issue a report."""
        request = pb.SealReportRequest(
            contract=contract, period=period, early=is_early, reason=reason
        )
        answer: pb.SealReportResponse = self._stub.SealReport(request, **self._call)
        return answer.report

    def _with_parts(self, contract: str, period: str, wanted: Wanted) -> Iterator[Fetched]:
        whole = self.report(contract, period, wanted)
        yield whole
        own = whole.report.period
        if not period or wanted.revision:
            return
        for part in self.periods(contract).periods:
            is_inside = own.from_us <= part.from_us and part.to_us <= own.to_us
            if is_inside and part.label != own.label:
                yield self.report(contract, part.label, wanted)
