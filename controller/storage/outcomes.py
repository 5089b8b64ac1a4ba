"""Verdict intervals and outages: what was computed, kept so that it need not be computed again."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, or_, select, update

from controller.core.intervals import FOREVER_US
from controller.ports.outcomes import OutageScope, StoredInterval, StoredOutage
from controller.storage.carried import CarriedRows
from controller.storage.tables import IntervalRow, OutageRow, SettledRow, table

_INTERVAL = table(IntervalRow)
_OUTAGE = table(OutageRow)
_SETTLED = table(SettledRow)


class OutcomeRows(CarriedRows):
    """controller.ports.OutcomeStore over SQL."""

    def replace_intervals(
        self,
        check: str,
        from_us: int,
        intervals: Sequence[StoredInterval],
        to_us: int = FOREVER_US,
    ) -> None:
        """Forget what is stored of [from_us, to_us), cutting what begins before it, and keep these instead."""
        number = self._number(check)
        of_check = _INTERVAL.c.check_id == number
        execute = self._connection.execute
        inside = and_(_INTERVAL.c.from_us >= from_us, _INTERVAL.c.from_us < to_us)
        execute(delete(_INTERVAL).where(of_check, inside))
        crossing = and_(of_check, _INTERVAL.c.from_us < from_us, _INTERVAL.c.to_us > from_us)
        execute(update(_INTERVAL).where(crossing).values(to_us=from_us))
        self._insert_many(
            _INTERVAL, [(number, i.from_us, i.to_us, i.verdict, i.low, i.high) for i in intervals]
        )

    def intervals(self, check: str, from_us: int, to_us: int) -> Sequence[StoredInterval]:
        """Intervals that touch that time, by time."""
        number = self._names.find(self._connection, check)
        c = _INTERVAL.c
        query = (
            select(c.from_us, c.to_us, c.verdict, c.low, c.high)
            .where(c.check_id == number, c.from_us < to_us, c.to_us > from_us)
            .order_by(c.from_us)
        )
        return [StoredInterval(check, *row) for row in self._connection.execute(query)]

    def other_verdict_us(self, check: str, verdict: str, before_us: int) -> int | None:
        """Until when, before that instant, the verdict was last another than `verdict`; None: never."""
        number = self._names.find(self._connection, check)
        c = _INTERVAL.c
        query = (
            select(c.to_us)
            .where(c.check_id == number, c.from_us < before_us, c.verdict != verdict)
            .order_by(c.from_us.desc())
            .limit(1)
        )
        found: int | None = self._connection.execute(query).scalar()
        return None if found is None else min(found, before_us)

    def settled_us(self, check: str) -> int | None:
        """The instant before which the stored intervals and outages of a check are complete."""
        number = self._names.find(self._connection, check)
        query = select(_SETTLED.c.at_us).where(_SETTLED.c.check_id == number)
        found: int | None = self._connection.execute(query).scalar()
        return found

    def put_settled(self, check: str, at_us: int | None) -> None:
        """Note that instant, earlier or later than the one before; None: nothing is complete."""
        number = self._number(check)
        self._connection.execute(delete(_SETTLED).where(_SETTLED.c.check_id == number))
        if at_us is not None:
            self._connection.execute(insert(_SETTLED).values(check_id=number, at_us=at_us))

    def put_outage(self, outage: StoredOutage) -> int:
        """Insert (number 0: the next free one is given) or replace; gives the number."""
        values = asdict(outage)
        number = values.pop("number")
        if number:
            changed = update(_OUTAGE).where(_OUTAGE.c.number == number).values(values)
            if self._connection.execute(changed).rowcount != 1:
                raise ValueError(f"there is no outage {number} to replace")
            return outage.number
        new = insert(_OUTAGE).values(values).returning(_OUTAGE.c.number)
        given: int = self._connection.execute(new).scalar_one()
        return given

    def outage(self, number: int) -> StoredOutage | None:
        """The outage of that number."""
        query = select(_OUTAGE).where(_OUTAGE.c.number == number)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else StoredOutage(**row)

    def delete_outage(self, number: int) -> None:
        """Remove an outage that late evidence made vanish; its number is not given again."""
        self._connection.execute(delete(_OUTAGE).where(_OUTAGE.c.number == number))

    def outages(
        self,
        check: str | None = None,
        from_us: int | None = None,
        to_us: int | None = None,
        *,
        scope: OutageScope = OutageScope.GLOBAL,
        open_only: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredOutage]:
        """Outages (of a check) of that scope that touch that time, newest first, no more than `limit`."""
        c = _OUTAGE.c
        query = _wanted(select(_OUTAGE), check, scope, open_only=open_only)
        if from_us is not None:
            query = query.where(or_(c.ended_us.is_(None), c.ended_us > from_us))
        if to_us is not None:
            query = query.where(c.started_us < to_us)
        query = query.order_by(c.started_us.desc(), c.number.desc()).limit(limit)
        return [StoredOutage(**row) for row in self._connection.execute(query).mappings()]

    def outage_count(
        self, check: str | None = None, *, scope: OutageScope, open_only: bool = False
    ) -> int:
        """How many outages (of a check) of that scope there are."""
        query = _wanted(
            select(func.count()).select_from(_OUTAGE), check, scope, open_only=open_only
        )
        found: int = self._connection.execute(query).scalar_one()
        return found


def _wanted(
    query: Select[Any], check: str | None, scope: OutageScope, *, open_only: bool
) -> Select[Any]:
    """The query for outages of a check and a scope only."""
    c = _OUTAGE.c
    if check is not None:
        query = query.where(c.check == check)
    if scope is not OutageScope.ALL:
        query = query.where(c.region == "" if scope is OutageScope.GLOBAL else c.region != "")
    return query.where(c.ended_us.is_(None)) if open_only else query
