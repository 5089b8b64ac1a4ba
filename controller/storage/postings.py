"""Postings, reports and notices."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import msgspec
from sqlalchemy import insert, select, update

from controller.ports.postings import AgentReport, Mode, Notice, NoticeKind, Posting
from controller.storage.bulk import Rows
from controller.storage.posting_tables import NoticeRow, PostingRow, ReportRow
from controller.storage.tables import table

_POSTING = table(PostingRow)
_REPORT = table(ReportRow)
_NOTICE = table(NoticeRow)
_labels: Final = msgspec.json.Decoder(dict[str, str])
_report: Final = msgspec.json.Decoder(AgentReport)


class PostingRows(Rows):
    """controller.ports.postings.PostingStore over SQL."""

    def posting(self, agent: str) -> Posting | None:
        """How an agent is posted; None if nobody has asked yet."""
        query = select(_POSTING).where(_POSTING.c.agent == agent)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else _posting(row)

    def postings(self) -> Mapping[str, Posting]:
        """Every posting, by agent."""
        rows = self._connection.execute(select(_POSTING)).mappings()
        return {row["agent"]: _posting(row) for row in rows}

    def put_posting(self, posting: Posting) -> None:
        """Insert or replace."""
        values = {
            "agent": posting.agent,
            "place": posting.place,
            "labels": msgspec.json.encode(dict(posting.labels)),
            "mode": posting.mode.value,
            "mode_since_us": posting.mode_since_us,
            "mode_reason": posting.mode_reason,
        }
        changed = update(_POSTING).where(_POSTING.c.agent == posting.agent).values(values)
        if self._connection.execute(changed).rowcount == 0:
            self._connection.execute(insert(_POSTING).values(values))

    def report(self, agent: str) -> AgentReport:
        """What an agent said of itself last; nothing, if it never spoke."""
        query = select(_REPORT.c.body).where(_REPORT.c.agent == agent)
        body = self._connection.execute(query).scalar()
        return AgentReport(agent) if body is None else _report.decode(body)

    def reports(self) -> Mapping[str, AgentReport]:
        """Every report, by agent."""
        rows = self._connection.execute(select(_REPORT.c.agent, _REPORT.c.body))
        return {agent: _report.decode(body) for agent, body in rows}

    def put_report(self, report: AgentReport) -> None:
        """Insert or replace."""
        values = {"agent": report.agent, "body": msgspec.json.encode(report)}
        changed = update(_REPORT).where(_REPORT.c.agent == report.agent).values(values)
        if self._connection.execute(changed).rowcount == 0:
            self._connection.execute(insert(_REPORT).values(values))

    def notices(self, *, include_ended: bool, limit: int) -> Sequence[Notice]:
        """Notices that last (or all), the newest first."""
        query = select(_NOTICE).order_by(_NOTICE.c.number.desc()).limit(limit)
        if not include_ended:
            query = query.where(_NOTICE.c.to_us.is_(None))
        return [
            Notice(**{**row, "kind": NoticeKind(row["kind"])})
            for row in self._connection.execute(query).mappings()
        ]

    def put_notice(self, notice: Notice) -> None:
        """Insert (number 0) or replace."""
        values = {k: v for k, v in asdict(notice).items() if k != "number"}
        values["kind"] = notice.kind.value
        if notice.number:
            its = _NOTICE.c.number == notice.number
            self._connection.execute(update(_NOTICE).where(its).values(values))
        else:
            self._connection.execute(insert(_NOTICE).values(values))


def _posting(row: Mapping[Any, Any]) -> Posting:
    labels = _labels.decode(row["labels"])
    return Posting(**{**row, "labels": labels, "mode": Mode(row["mode"])})
