"""Standings, alarms, the ledger of privileged acts, and sealed secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Table, delete, insert, select, update

from controller.ports.custody import (
    Act,
    AgentStanding,
    Alarm,
    AlarmKind,
    SealedCopy,
    Secret,
    Standing,
)
from controller.ports.leaves import LeafKind
from controller.storage.bulk import word_of
from controller.storage.custody_tables import (
    ActRow,
    AlarmRow,
    SealedCopyRow,
    SecretRow,
    StandingRow,
)
from controller.storage.log import LogRows
from controller.storage.tables import table

_STANDING = table(StandingRow)
_ALARM = table(AlarmRow)
_ACT = table(ActRow)
_SECRET = table(SecretRow)
_COPY = table(SealedCopyRow)


class CustodyRows(LogRows):
    """controller.ports.custody.CustodyStore over SQL."""

    def standing(self, agent: str) -> AgentStanding:
        """How an agent stands; one of which nothing was noted is approved."""
        query = select(_STANDING).where(_STANDING.c.agent == agent)
        row = self._connection.execute(query).mappings().first()
        return AgentStanding(agent) if row is None else _standing(row)

    def standings(self) -> Mapping[str, AgentStanding]:
        """Every standing that was noted, by agent."""
        rows = self._connection.execute(select(_STANDING)).mappings()
        return {row["agent"]: _standing(row) for row in rows}

    def put_standing(self, standing: AgentStanding) -> None:
        """Insert or replace."""
        values = {**asdict(standing), "standing": standing.standing.value}
        self._put(_STANDING, values, "agent")
        self._enter(LeafKind.KEY, standing.agent, values)

    def raise_alarm(self, alarm: Alarm) -> None:
        """Keep an alarm; one that is there already is counted and not cleared any more."""
        its = (_ALARM.c.agent == alarm.agent) & (_ALARM.c.kind == alarm.kind.value)
        again = {
            "last_us": alarm.last_us,
            "count": _ALARM.c.count + alarm.count,
            "detail": alarm.detail,
            "peer": alarm.peer,
            "cleared_us": None,
        }
        changed = self._connection.execute(update(_ALARM).where(its).values(again))
        if changed.rowcount == 0:
            values = {**asdict(alarm), "kind": alarm.kind.value}
            self._connection.execute(insert(_ALARM).values(values))

    def alarms(self) -> Sequence[Alarm]:
        """Every alarm, the newest first."""
        query = select(_ALARM).order_by(_ALARM.c.last_us.desc())
        return [
            Alarm(**{**row, "kind": AlarmKind(row["kind"])})
            for row in self._connection.execute(query).mappings()
        ]

    def clear_alarms(self, agent: str, at_us: int) -> int:
        """Note that somebody has seen the alarms of an agent; how many were not cleared before."""
        its = (_ALARM.c.agent == agent) & _ALARM.c.cleared_us.is_(None)
        statement = update(_ALARM).where(its).values(cleared_us=at_us)
        return self._connection.execute(statement).rowcount

    def record(self, act: Act) -> None:
        """Append to the ledger; the number is given by it."""
        values = {key: value for key, value in asdict(act).items() if key != "number"}
        self._connection.execute(insert(_ACT).values(values))
        self._enter(LeafKind.ACCESS, *act_said(values))

    def acts(self, before: int | None, limit: int) -> Sequence[Act]:
        """The newest acts (with a number below `before`), newest first."""
        query = select(_ACT).order_by(_ACT.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(_ACT.c.number < before)
        return [Act(**row) for row in self._connection.execute(query).mappings()]

    def put_secret(self, secret: Secret) -> None:
        """Insert or replace."""
        self._put(_SECRET, asdict(secret), "name")

    def secret(self, name: str) -> Secret | None:
        """The secret of that name, deleted ones included."""
        query = select(_SECRET).where(_SECRET.c.name == name)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else Secret(**row)

    def secrets(self) -> Sequence[Secret]:
        """Every secret that is not deleted, by name."""
        query = select(_SECRET).where(_SECRET.c.deleted_us.is_(None))
        rows = self._connection.execute(query).mappings()
        return sorted((Secret(**row) for row in rows), key=lambda secret: secret.name)

    def put_copy(self, copy: SealedCopy) -> None:
        """Insert or replace the recipient's copy."""
        self._put(_COPY, asdict(copy), "name", "recipient")

    def copies(self, name: str) -> Sequence[SealedCopy]:
        """Every copy of a secret, by recipient."""
        rows = self._connection.execute(select(_COPY).where(_COPY.c.name == name)).mappings()
        return sorted((SealedCopy(**row) for row in rows), key=lambda copy: copy.recipient)

    def copies_for(self, recipient: str) -> Sequence[SealedCopy]:
        """Every copy of a recipient, by name."""
        query = select(_COPY).where(_COPY.c.recipient == recipient)
        rows = self._connection.execute(query).mappings()
        return sorted((SealedCopy(**row) for row in rows), key=lambda copy: copy.name)

    def delete_copies(self, *, name: str | None = None, recipient: str | None = None) -> None:
        """Forget the copies of a secret, or those of a recipient."""
        if (name is None) == (recipient is None):
            raise ValueError("name either the secret or the recipient")
        its = _COPY.c.recipient == recipient if name is None else _COPY.c.name == name
        self._connection.execute(delete(_COPY).where(its))

    def _put(self, into: Table, values: dict[str, Any], *keys: str) -> None:
        """Replace the row of these keys, or insert it."""
        statement = update(into).values(values)
        for key in keys:
            statement = statement.where(into.c[key] == values[key])
        if self._connection.execute(statement).rowcount == 0:
            self._connection.execute(insert(into).values(values))


def _standing(row: Mapping[Any, Any]) -> AgentStanding:
    return AgentStanding(**{**row, "standing": word_of(Standing, row["standing"], "standing")})


def act_said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the leaf of an act says, by its row: of what, and what."""
    return row["action"], {k: v for k, v in row.items() if k != "number"}
