"""Agents that fall silent: one notice for each, however many checks it had, and one when it is heard again."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from controller.ports.agents import AgentRecord
from controller.ports.custody import Standing
from controller.ports.postings import Mode, Notice, NoticeKind
from controller.ports.storage import Storage, Transaction
from controller.services.agents.postings import others_of
from vedette.shared.limits import SILENT_US

_OPEN_MAX: Final = 100_000
log = logging.getLogger(__name__)


class Silence:
    """Looks who has not reported in time. Synchronous: runs in the storage thread.

    Silence is counted from this controller's start at the earliest: before it nobody could have been heard.
    An agent that is drained, paused, revoked or not approved yet, or that never spoke, is not missed.
    """

    def __init__(self, storage: Storage, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._now_us = now_us
        self._started_us = now_us()

    def look(self) -> None:
        """Note who fell silent and who was heard again since the last look."""
        now = self._now_us()
        with self._storage.transaction() as tx:
            lasting = {n.agent: n for n in tx.notices(include_ended=False, limit=_OPEN_MAX)}
            postings, standings = tx.postings(), tx.standings()
            for record in tx.agents():
                posting, standing = postings.get(record.id), standings.get(record.id)
                is_expected = (posting is None or posting.mode is Mode.RUN) and (
                    standing is None or standing.standing is Standing.APPROVED
                )
                notice = lasting.get(record.id)
                if notice is not None:
                    self._lasts(tx, record, notice, is_expected=is_expected, now_us=now)
                elif is_expected and self._is_silent(record, now):
                    self._begins(tx, record, now)

    def _is_silent(self, record: AgentRecord, now_us: int) -> bool:
        seen_us = record.seen_us
        return seen_us is not None and now_us - max(seen_us, self._started_us) > SILENT_US

    def _begins(self, tx: Transaction, record: AgentRecord, now_us: int) -> None:
        others = others_of(tx, record, now_us)
        rest = (
            f"{', '.join(others)} of region {record.region} go on"
            if others
            else f"region {record.region} gives no evidence"
        )
        assert record.seen_us is not None
        detail = f"Agent {record.id} reports no more; {rest}."
        tx.put_notice(Notice(record.id, record.region, NoticeKind.SILENT, record.seen_us, detail))
        fields = {"agent": record.id, "region": record.region, "others": list(others)}
        log.warning("agent.silent", extra=fields)

    def _lasts(
        self,
        tx: Transaction,
        record: AgentRecord,
        notice: Notice,
        *,
        is_expected: bool,
        now_us: int,
    ) -> None:
        is_heard = record.seen_us is not None and record.seen_us > notice.from_us
        if is_heard and not self._is_silent(record, now_us):
            tx.put_notice(replace(notice, to_us=record.seen_us))
            log.info("agent.heard", extra={"agent": record.id, "region": record.region})
        elif not is_expected:
            tx.put_notice(replace(notice, to_us=now_us))
